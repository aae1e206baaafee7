"""Wrong orders of a product: none that runs in silence is left out."""

from itertools import permutations

import numpy as np
import pytest

import backpass as bp

ATTENTION = "S = Q @ K.T; P = softmax(S); L = sum((P @ V)**2)"


@pytest.mark.parametrize(
    ("text", "shapes", "gradient", "order"),
    [
        ("Z = X @ W.T; L = sum(tanh(Z)**2)", "X: n h, W: h h", "dX", "dZ Wᵀ"),
        (ATTENTION, "Q: n k, K: n k, V: n m", "dQ", "dSᵀ K"),
        (ATTENTION, "Q: n k, K: n k, V: n m", "dK", "dS Q"),
    ],
)
def test_an_order_that_runs_in_silence_is_listed(text, shapes, gradient, order):
    told = " ".join(bp.derive(text, shapes).why(gradient).split())
    said = told.split("Other orders, and what becomes of them:")[1]
    assert f"{order} " in said
    assert said.split(f"{order} ")[1].split("→")[1].split(":")[1].startswith(" it runs, and")
    assert "Sizes are equal here, so a wrong order runs in silence." in said
    assert "Should two of these" not in said


def test_every_order_of_square_factors_is_told():
    d = bp.derive("Z = X @ W; L = sum(tanh(Z)**2)", "X: n n, W: n n")
    told = " ".join(d.why("dX").split()).split("Other orders")[1]
    assert "Should" not in told
    assert "dZ Wᵀ (" not in told  # the right one

    dz, w = np.random.default_rng(0).normal(size=(2, 3, 3))
    for left, right in permutations({"dZ": dz, "dZᵀ": dz.T, "W": w, "Wᵀ": w.T}.items(), 2):
        if left[0].strip("ᵀ") != right[0].strip("ᵀ") and (left[0], right[0]) != ("dZ", "Wᵀ"):
            verdict = told.split(f" {left[0]} {right[0]} (n×n)(n×n) → n×n: ")[1]
            turned = np.allclose(left[1] @ right[1], (dz @ w.T).T)
            assert verdict.startswith("the transpose" if turned else "it runs, and the result")


def test_sizes_that_differ_may_be_equal_one_day():
    d = bp.derive("Z = X @ W; L = sum(tanh(Z)**2)", "X: n k, W: k m")
    assert "Should two of these sizes be equal one day" in " ".join(d.why("dW").split())
