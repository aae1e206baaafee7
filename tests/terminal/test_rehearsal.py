"""A file that is run as it stands shows what trains in it."""

from __future__ import annotations

import ast
import linecache

import pytest
from click.testing import CliRunner

from backpass.cli import main

SCRIPT = """\
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0], [1], [1], [0]])
np.random.seed(1)
W1 = 2 * np.random.random((3, 4)) - 1
W2 = 2 * np.random.random((4, 1)) - 1
speed = 0

for step in range(50):
    H = sigmoid(X @ W1)
    out = sigmoid(H @ W2)
    if step % 10 == 0:
        print(((out - y) ** 2).sum() / 2)
    back = (out - y) * out * (1 - out)
    hidden = back @ W2.T * H * (1 - H)
    speed = 0.9 * speed + H.T @ back
    W2 -= 0.5 * speed
    W1 -= 0.5 * X.T @ hidden
"""

MAIN = """\
import numpy as np


class Net:
    def __init__(self, sizes, rate):
        self.W = [np.random.normal(size=(o, i)) for i, o in zip(sizes, sizes[1:])]
        self.rate = rate

    def fit(self, pairs, epochs):
        for _ in range(epochs):
            np.random.shuffle(pairs)
            for start in range(0, len(pairs), 3):
                self.update(pairs[start : start + 3])

    def update(self, pairs):
        steps = [np.zeros(W.shape) for W in self.W]
        for x, y in pairs:
            h = np.tanh(self.W[0] @ x)
            back = self.W[1] @ h - y
            steps[1] += back @ h.T
            steps[0] += (self.W[1].T @ back * (1 - h**2)) @ x.T
        self.W = [W - self.rate / len(pairs) * step for W, step in zip(self.W, steps)]


if __name__ == "__main__":
    data = [(np.random.rand(3, 1), np.random.rand(2, 1)) for _ in range(9)]
    Net([3, 4, 2], 0.1).fit(data, 4)
"""

MODEL = """\
import numpy as np


def start(sizes):
    params = {}
    for l in range(1, len(sizes)):
        params["W" + str(l)] = np.random.randn(sizes[l], sizes[l - 1])
        params["b" + str(l)] = np.zeros((sizes[l], 1))
    return params


def forward(X, params):
    H = np.tanh(params["W1"] @ X + params["b1"])
    return H, params["W2"] @ H + params["b2"]


def model(X, Y, sizes, rate, rounds):
    params = start(sizes)
    m = X.shape[1]
    for i in range(rounds):
        H, out = forward(X, params)
        cost = np.sum((out - Y) ** 2) / (2 * m)
        back = out - Y
        hidden = (params["W2"].T @ back) * (1 - H**2)
        params["W2"] = params["W2"] - rate * back @ H.T / m
        params["b2"] = params["b2"] - rate * back.sum(axis=1, keepdims=True) / m
        params["W1"] = params["W1"] - rate * hidden @ X.T / m
        params["b1"] = params["b1"] - rate * hidden.sum(axis=1, keepdims=True) / m
    return params


model(np.random.randn(3, 8), np.random.randn(2, 8), [3, 4, 2], 0.1, 20)
"""


@pytest.fixture(autouse=True)
def _as_python_reads_files():
    yield
    linecache.clearcache()


def doctor(path, text, verb="doctor"):
    path.write_text(text)
    return CliRunner().invoke(main, [verb, str(path)])


def test_a_loop_outside_of_any_function_is_looked_at_for_one_round(tmp_path):
    result = doctor(tmp_path / "script.py", SCRIPT)
    assert result.exit_code == 0
    assert "the loop of line 15: correct\n" in result.output
    assert "no source" not in result.output
    assert "Assumed: took one round of the loop of line 15." in result.output


def test_a_mistake_in_a_loop_has_its_own_line(tmp_path):
    result = doctor(tmp_path / "slip.py", SCRIPT.replace(" * H * (1 - H)", ""))
    assert result.exit_code == 1
    assert "line 21, W1: f′ is missing [16]" in result.output
    assert "hidden = back @ W2.T\n" in result.output


def test_a_loop_is_annotated_and_its_copy_runs(tmp_path):
    result = doctor(tmp_path / "script.py", SCRIPT, "annotate")
    assert result.exit_code == 0
    assert "hidden = back @ W2.T * H * (1 - H)" in result.output
    assert "dZ1" in result.output


def test_the_constructor_and_the_pairs_are_those_of_the_main_block(tmp_path):
    result = doctor(tmp_path / "main.py", MAIN)
    assert result.exit_code == 0
    assert result.output.startswith("Net.update: correct\n")
    told = " ".join(result.output.split())
    assert "Assumed: called Net.update as the file does when it is run, on pairs of" in told


def test_what_is_done_with_the_gradients_is_seen_too(tmp_path):
    result = doctor(tmp_path / "up.py", MAIN.replace("W - self.rate", "W + self.rate"))
    assert result.exit_code == 1
    assert "[1]" in result.output


def test_a_function_that_makes_its_parameters_and_trains_them_is_seen_for_one_round(tmp_path):
    result = doctor(tmp_path / "model.py", MODEL)
    assert result.exit_code == 0
    assert "the loop of line 20: correct\n" in result.output
    assert "✓ W2  params['W2']  2×4  correct, 0.1 × gradient" in result.output
    assert "Assumed: took one round of the loop of line 20." in result.output


def test_one_round_of_a_function_is_shown_and_copied_as_the_file_has_it(tmp_path):
    file, copy = tmp_path / "model.py", tmp_path / "copy.py"
    shown = doctor(file, MODEL, "annotate").output
    assert "  20      for i in range(rounds):\n  21          H, out = forward(" in shown
    assert "training_loop" not in shown
    assert CliRunner().invoke(main, ["annotate", str(file), "--output", str(copy)]).exit_code == 0
    assert ast.dump(ast.parse(copy.read_text("utf-8"))) == ast.dump(ast.parse(MODEL))
    assert "  # → W2′" in copy.read_text("utf-8")


def test_a_file_that_trains_nothing_is_told_so(tmp_path):
    result = doctor(tmp_path / "none.py", "for step in range(3):\n    print(step)\n")
    assert result.exit_code == 2
    assert "nothing in none.py could be called to see it train" in result.output
