"""The right backward pass is the derived one."""

import numpy as np
import pytest

from backpass.doctor.bank import FAMILIES
from backpass.doctor.layers import Layer
from backpass.doctor.passes import forward_pass
from backpass.doctor.right import chain, gradients
from backpass.nn.losses import LOSSES

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(5, 3))
W = [RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2))]
B = [RANDOM.normal(size=4), RANDOM.normal(size=2)]


@pytest.mark.parametrize(
    ("base", "last"),
    [
        ("half_sum_of_squares", "tanh"),
        ("cross_entropy_from_probabilities", "softmax"),
        ("binary_cross_entropy_from_probabilities", "sigmoid"),
    ],
)
def test_gradients_agree_with_differences(base, last):
    family = next(one for one in FAMILIES if one.base == base)
    layers = (
        Layer("W1", False, "b1", None, "sigmoid", 4),
        Layer("W2", False, "b2", None, last, 2),
    )
    y = np.eye(2)[[0, 1, 1, 0, 1]]
    run = forward_pass(layers, X, y, W, B, {})
    found = gradients(run, family, times=3.0)
    for layer in (1, 2):
        for letter, held in (("W", W), ("b", B)):
            step = RANDOM.normal(size=held[layer - 1].shape)
            ends = []
            for sign in (1, -1):
                moved = [one + (sign * 1e-6 * step if n == layer - 1 else 0)
                         for n, one in enumerate(held)]  # fmt: skip
                arrays = (moved, B) if letter == "W" else (W, moved)
                ends.append(LOSSES[base].function(forward_pass(layers, X, y, *arrays, {}).A[-1], y))
            slope = 3 * (ends[0] - ends[1]) / 2e-6
            assert np.sum(found[letter, layer] * step) == pytest.approx(slope, rel=1e-6)
    assert [at.layer for at in chain(run, family)] == [1, 2]
