"""Hidden units that were meant for a bias and vary: told where it is true, and never accused."""

from __future__ import annotations

from textwrap import indent

import numpy as np
import pytest
from click.testing import CliRunner

import backpass as bp
from backpass.cli import main
from tests.seeds.networks import ListedNetwork

RANDOM = np.random.default_rng(3)

PAGE = """\
import numpy as np


class NeuralNetwork:
    def __init__(self, layers, alpha=0.1):
        self.W = []
        self.layers = layers
        self.alpha = alpha
        for i in np.arange(0, len(layers) - 2):
            w = np.random.randn(layers[i] + 1, layers[i + 1] + 1)
            self.W.append(w / np.sqrt(layers[i]))
        w = np.random.randn(layers[-2] + 1, layers[-1])
        self.W.append(w / np.sqrt(layers[-2]))

    def sigmoid(self, x):
        return 1.0 / (1 + np.exp(-x))

    def sigmoid_deriv(self, x):
        return x * (1 - x)
"""
FIT = """
def fit_partial(self, x, y):
    A = [np.atleast_2d(x)]
    for layer in np.arange(0, len(self.W)):
        net = A[layer].dot(self.W[layer])
        out = self.sigmoid(net)
        A.append(out)
    error = A[-1] - y
    D = [error * self.sigmoid_deriv(A[-1])]
    for layer in np.arange(len(A) - 2, 0, -1):
        delta = D[-1].dot(self.W[layer].T)
        delta = delta * self.sigmoid_deriv(A[layer])
        D.append(delta)
    D = D[::-1]
    for layer in np.arange(0, len(self.W)):
        self.W[layer] += -self.alpha * A[layer].T.dot(D[layer])
"""
ONES = "\nX = np.c_[np.random.randn(6, 2), np.ones(6)]\nY = np.random.rand(6, 2)\n"


@pytest.fixture
def page(tmp_path):
    """The class as a web page prints it."""
    file = tmp_path / "page.py"
    file.write_text(PAGE + indent(FIT, "    "), "utf-8")
    return file


def run(verb, *arguments):
    result = CliRunner().invoke(main, [verb, *map(str, arguments)])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize("verb", ["annotate", "doctor"])
@pytest.mark.parametrize(
    ("make", "data", "said"),
    [
        ("[2, 3, 2]", ["--data", "6x3 6x2"], "self.layers says 2, 3, 2"),
        ("[2, 3, 2]", ["--data", "3 2"], "unit 4 is sigmoid of a sum"),
        ("(4, 5, 3, 1)", [], "column 6 of self.W[0], is trained"),
        ("[2, 2, 2]", ["--data", "6x3 6x2"], "all layers but the last are one wider"),
    ],
)
def test_sizes_that_the_class_holds_tell_what_was_meant(page, verb, make, data, said):
    code, told = run(verb, page, "--make", f"NeuralNetwork({make})", *data)
    assert code == 0
    assert "½Σ(a − y)²" in told
    assert said in told
    assert "put a column of ones behind the activation" in told
    assert ": correct " in told or verb == "annotate"


@pytest.mark.parametrize("verb", ["annotate", "doctor"])
def test_ones_in_the_samples_are_told_to_be_the_first_bias(page, verb):
    page.write_text(page.read_text("utf-8") + ONES, "utf-8")
    for data in ([], ["--data", "X, Y"]):
        code, told = run(verb, page, "--make", "NeuralNetwork([2, 3, 2])", *data)
        assert code == 0
        assert "Column 3 of the samples is 1: that is a true bias of the first layer" in told


@pytest.mark.parametrize("verb", ["annotate", "doctor"])
def test_a_method_cut_out_of_the_class_asks_for_what_makes_one(tmp_path, verb):
    alone = tmp_path / "alone.py"
    alone.write_text(FIT, "utf-8")
    for more in ([], ["--make", "NeuralNetwork([2, 3, 2])", "--data", "6x3 6x2"]):
        code, told = run(verb, alone, *more)
        assert code == 2
        assert told.startswith("Error: fit_partial takes self, which alone.py has no class to")
        assert "--make" in told


def test_without_sizes_it_stays_open_what_was_meant():
    X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 1))
    network = ListedNetwork([2, 4, 1], 0.5, RANDOM)
    assert bp.doctor(network.fit_partial, X, Y).findings == ()
    X[:, -1] = 1
    (remark,) = bp.doctor(network.fit_partial, X, Y).findings
    assert remark.name == "no hidden unit is a constant bias"
    assert not remark.accuses


def test_a_true_bias_is_not_remarked_on():
    W = [RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(5, 2))]

    def train(X, Y):
        A = np.column_stack([np.tanh(X @ W[0]), np.ones(len(X))])
        error = A @ W[1] - Y
        back = (error @ W[1].T)[:, :-1] * (1 - A[:, :-1] ** 2)
        W[1] -= 0.1 * A.T @ error
        W[0] -= 0.1 * X.T @ back

    X = np.column_stack([RANDOM.normal(size=(6, 2)), np.ones(6)])
    report = bp.doctor(train, X, RANDOM.normal(size=(6, 2)))
    assert (report.verdict, report.findings) == ("correct", ())


def mixed(column):
    """A step of a network whose last product meets a column that is no constant."""
    W, V = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(5, 2))

    def step(X, Y):
        Z = X @ W
        H = np.tanh(Z)
        into = np.hstack([H, column(Z)])
        E = into @ V - Y
        back = (E @ V[:-1].T) * (1 - H**2)
        V[:] = V - 0.1 * into.T @ E
        W[:] = W - 0.1 * X.T @ back
        return np.sum(E**2) / 2

    return step


def test_a_unit_in_the_place_of_a_constant_is_named():
    X, Y = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 2))
    report = bp.doctor(mixed(lambda Z: 1 / (1 + np.exp(-Z[:, 1:2]))), X, Y)
    (finding,) = report.findings
    assert (report.verdict, finding.bug) == ("bug", 43)
    assert finding.source.startswith("into = np.hstack")
    assert "sigmoid of unit 2 below" in finding.explanation
    assert finding.repaired == "into = np.hstack([H, column(Z) * 0 + 1])"


def test_what_is_no_function_of_a_unit_is_accused_of_nothing():
    X, Y = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 2))
    report = bp.doctor(mixed(lambda Z: Z[:, :1] * Z[:, 1:2]), X, Y)
    assert (report.verdict, report.findings) == ("unknown", ())
