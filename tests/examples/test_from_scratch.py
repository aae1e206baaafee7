"""The programs written by hand compute what is derived: every gradient and every update."""

import ast
import re
import runpy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import backpass as bp
from examples.from_scratch import (
    batch_network,
    class_network,
    column_network,
    deep_network,
    ones_network,
    two_three_two,
)

FOLDER = Path(class_network.__file__).parent
PROGRAMS = sorted(FOLDER.glob("*.py"))
each_program = pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)


def same(ours, derived):
    """Arrays that agree to 1e-12, whether a vector is written with one axis or with two."""
    for one, other in zip(ours, derived, strict=True):
        np.testing.assert_allclose(one, np.reshape(other, one.shape), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("samples", [1, 6])
def test_the_class_steps_down_the_derived_gradient(samples):
    def forward(X, y, W):
        A = X
        for w in W:
            A = bp.sigmoid(A @ w)
        return 0.5 * np.sum((A - y) ** 2)

    d = bp.derive(forward, {"X": "n 3", "y": "n 2", "W": ["3 5", "5 4", "4 2"]}, wrt="W")
    random = np.random.default_rng(1)
    network = class_network.Network([2, 4, 3, 2], alpha=1.0, random=random)
    assert [w.shape for w in network.W] == [(3, 5), (5, 4), (4, 2)]
    X = class_network.with_ones(random.normal(size=(samples, 2)))
    y = random.uniform(size=(samples, 2))
    for alpha in (1.0, 0.5, 0.1):
        network.alpha = alpha
        before = [w.copy() for w in network.W]
        value, gradients = d(X, y, before)
        assert network.loss(X, y) == pytest.approx(value, rel=1e-14)
        network.fit_partial(X if samples > 1 else X[0], y)
        moved = [(old - new) / alpha for old, new in zip(before, network.W, strict=True)]
        same(moved, gradients["W"])


@pytest.mark.parametrize(
    ("cost", "formula"),
    [
        (column_network.half_squares, "½ Σ (h3 − y)²"),
        (column_network.surprise, "−Σ (y * log(h3) + (1 − y) * log(1 − h3))"),
    ],
)
def test_the_error_signal_of_any_cost_arrives_everywhere(cost, formula):
    lines = "; ".join(f"z{l} = W{l} h{l - 1}; h{l} = σ(z{l})" for l in (1, 2, 3))
    d = bp.derive(f"{lines}; C = {formula}", "h0: 3, W1: 4 3, W2: 5 4, W3: 2 5, y: 2", "W1 W2 W3")
    random = np.random.default_rng(2)
    x, y = random.normal(size=(3, 1)), random.uniform(size=(2, 1))
    W = [random.normal(size=shape) for shape in [(4, 3), (5, 4), (2, 5)]]
    for _ in range(5):
        value, dW = column_network.gradients(W, x, y, cost)
        derived, gradients = d(h0=x.ravel(), y=y.ravel(), W1=W[0], W2=W[1], W3=W[2])
        assert value == pytest.approx(derived, rel=1e-13)
        same(dW, gradients.values())
        moved = column_network.update(W, dW, rate=0.5)
        same(moved, [w - 0.5 * g for w, g in zip(W, gradients.values(), strict=True)])
        W = moved


def test_two_three_two_line_by_line_and_as_a_chain_of_jacobians():
    network = "z2 = W2 a1; a2 = relu(z2); z3 = W3 a2; a3 = σ(z3); L = ½ Σ (a3 − y)²"
    d = bp.derive(network, "a1: 2, W2: 3 2, W3: 2 3, y: 2", wrt="W2 W3")
    random = np.random.default_rng(3)
    W2, W3 = random.normal(size=(3, 2)), random.normal(size=(2, 3))
    for _ in range(5):
        a1, y = random.normal(size=(2, 1)), random.uniform(size=(2, 1))
        value, *found = two_three_two.gradients(W2, W3, a1, y)
        derived, gradients = d(a1.ravel(), W2, W3, y.ravel())
        assert value == pytest.approx(derived, rel=1e-13)
        same(found, gradients.values())
        chain = two_three_two.jacobians(W2, W3, a1, y)
        assert [factor.shape for factor in chain] == [(3, 3), (3, 2), (2, 2), (2, 1)]
        same([np.linalg.multi_dot(chain) @ a1.T], [gradients["W2"]])
        moved = two_three_two.update(W2, W3, *found, rate=0.5)
        same(moved, [W2 - 0.5 * gradients["W2"], W3 - 0.5 * gradients["W3"]])
        W2, W3 = moved


def test_any_number_of_layers():
    def forward(x, y, W, b):
        a = x
        for l in range(len(W)):
            z = W[l] @ a + b[l]
            a = np.tanh(z) if l < len(W) - 1 else bp.sigmoid(z)
        return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))

    widths = [6, 5, 4, 3]
    pairs = list(pairwise(widths))
    shapes = {"x": "6", "y": "3", "W": [f"{m} {k}" for k, m in pairs], "b": ["5", "4", "3"]}
    d = bp.derive(forward, shapes, wrt="W b")
    random = np.random.default_rng(4)
    W, b = deep_network.initial(widths, random)
    for _ in range(5):
        x, y = random.normal(size=(6, 1)), random.uniform(size=(3, 1))
        dW, db = deep_network.gradients(W, b, x, y)
        _, gradients = d(x.ravel(), y.ravel(), W, [one.ravel() for one in b])
        flat = gradients["W"] + gradients["b"]
        same(dW + db, flat)
        wanted = [w - 0.3 * dw.reshape(w.shape) for w, dw in zip(W + b, flat, strict=True)]
        deep_network.update(W + b, dW + db, rate=0.3)
        same(W + b, wanted)


def biased(random, hidden):
    """A batch, weights and biases of 6-5-4-3, and the derivation with a bias of its own."""

    def forward(X, Y, W, b):
        O = X
        for l in range(len(W)):
            Z = O @ W[l] + b[l]
            O = hidden(Z) if l < len(W) - 1 else bp.sigmoid(Z)
        return 0.5 * np.sum((O - Y) ** 2)

    pairs = list(pairwise([6, 5, 4, 3]))
    shapes = {"X": "n 6", "Y": "n 3", "W": [f"{k} {j}" for k, j in pairs], "b": ["5", "4", "3"]}
    X, Y = random.normal(size=(7, 6)), random.uniform(size=(7, 3))
    W = [random.normal(size=pair) for pair in pairs]
    b = [random.normal(size=j) for _, j in pairs]
    return bp.derive(forward, shapes, wrt="W b"), X, Y, W, b


@pytest.mark.parametrize(
    ("hidden", "known", "slope"),
    [
        (batch_network.sigmoid, bp.sigmoid, batch_network.sigmoid_slope),
        (np.sin, np.sin, batch_network.sin_slope),
    ],
)
def test_a_batch_as_a_loop_and_as_a_recursion(hidden, known, slope):
    d, X, Y, W, b = biased(np.random.default_rng(5), known)
    g = [hidden, hidden, batch_network.sigmoid]
    slopes = [slope, slope, batch_network.sigmoid_slope]
    for _ in range(5):
        dW, db = batch_network.loop(X, Y, W, b, g, slopes)
        _, gradients = d(X, Y, W, b)
        flat = gradients["W"] + gradients["b"]
        same(dW + db, flat)
        _, *again = batch_network.recursion(X, Y, W, b, g, slopes)
        for one, other in zip(dW + db, again[0] + again[1], strict=True):
            np.testing.assert_array_equal(one, other)
        wanted = [w - 0.3 * dw for w, dw in zip(W + b, flat, strict=True)]
        batch_network.update(W + b, dW + db, rate=0.3)
        same(W + b, wanted)


def test_the_last_row_that_meets_the_ones_is_the_bias():
    d, X, Y, W, b = biased(np.random.default_rng(6), bp.sigmoid)
    wide = [np.vstack(pair) for pair in zip(W, b, strict=True)]
    for _ in range(5):
        dW = ones_network.loop(X, Y, wide)
        _, gradients = d(X, Y, [w[:-1] for w in wide], [w[-1] for w in wide])
        flat = [np.vstack(pair) for pair in zip(gradients["W"], gradients["b"], strict=True)]
        same(dW, flat)
        for one, other in zip(dW, ones_network.recursion(X, Y, wide)[1], strict=True):
            np.testing.assert_array_equal(one, other)
        wanted = [w - 0.3 * dw for w, dw in zip(wide, flat, strict=True)]
        ones_network.update(wide, dW, rate=0.3)
        same(wide, wanted)


TELLS = {
    "batch_network": r"sin +9[67]\.\d%",
    "class_network": r"1 xor 1 = 0: 0\.0\d\d",
    "column_network": r"surprise +1\.\d+ +0\.00\d\d",
    "deep_network": r"epoch 5  9[4-6]\.\d%",
    "ones_network": r"9[56]\.\d% of 450",
    "two_three_two": r"read after   98\.\d%",
}


@each_program
def test_a_program_learns_and_says_so(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    out = capsys.readouterr().out
    assert re.search(TELLS[path.stem], out)
    assert "False" not in out


@each_program
def test_a_program_is_short_and_needs_numpy_alone(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) < 80
    lines = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    modules = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in lines
    }
    assert modules <= {"itertools", "pathlib", "numpy"}
