"""Rows and columns are one program stated twice, and fused functions can be written out."""

from __future__ import annotations

import numpy as np
import pytest

from backpass.calculus.convention import convention, transposed, unfused
from backpass.forward.record import record
from backpass.language.evaluate import evaluate
from backpass.language.notation_text import format_step
from backpass.language.shapes import size
from tests.forward.recording import recorded


def layer(X, W, b):
    return np.tanh(X @ W + b)


def column(x, W, b):
    return np.tanh(W @ x + b)


def test_a_transposed_program_gives_the_transpose():
    program = record(layer, "X: n k, W: k j, b: j").program
    turned = transposed(program)
    assert format_step(turned.steps[0]) == "Z[j,n] = W[j,k] * X[k,n] + b[j]"
    random = np.random.default_rng(0)
    values = {"X": random.normal(size=(4, 3)), "W": random.normal(size=(3, 2)), "b": np.ones(2)}
    found = evaluate(program, values)[program.outputs[0]]
    other = evaluate(turned, {name: value.T for name, value in values.items()})
    np.testing.assert_allclose(other[program.outputs[0]].T, found, rtol=1e-14)
    assert transposed(turned).arrays == program.arrays


@pytest.mark.parametrize(
    ("forward", "shapes", "samples", "said"),
    [
        (layer, "X: n k, W: k j, b: j", "n", "rows"),
        (layer, "X: n k, W: k j, b: j", None, "rows"),
        (lambda X, W, b: np.tanh(W @ X + b[:, None]), "X: k n, W: j k, b: j", "n", "columns"),
        (column, "x: k, W: j k, b: j", None, "columns"),
        (lambda X, W, b: X * W + b, "X: n k, W: n k, b: k", None, None),
        (lambda X, W, b: X + W.T + b, "X: n k, W: k n, b: k", "n", None),
    ],
)
def test_where_the_samples_stand(forward, shapes, samples, said):
    program = record(forward, shapes).program
    assert convention(program, size(samples) if samples else None, ("W", "b")) == said


def test_the_long_way_shares_what_is_computed_twice():
    def loss(Z, y):
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        P = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(P[np.arange(len(y)), y]))

    program = recorded(loss, "Z: n k, y: n int<k")
    long = unfused(program)
    assert [step.name for step in long.steps] == ["E", "S", "P", "L"]
    random = np.random.default_rng(0)
    values = {"Z": random.normal(size=(4, 3)), "y": np.array([0, 2, 1, 1])}
    assert evaluate(long, values)["L"] == pytest.approx(evaluate(program, values)["L"], rel=1e-14)
