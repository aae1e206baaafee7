"""Numbers that end in NaN or infinity: the line where they do, and what helps."""

import numpy as np
import pytest

import backpass as bp

random = np.random.default_rng(0)
X, Y = random.normal(size=(6, 3)), np.eye(2)[random.integers(0, 2, 6)]


def weights():
    made = np.random.default_rng(1)
    return made.normal(size=(3, 4)), made.normal(size=(4, 2))


def unshifted(W1, W2, X, Y):
    H = np.maximum(0, X @ W1)
    E = np.exp(H @ W2)
    P = E / E.sum(axis=1, keepdims=True)
    D = P - Y
    back = (D @ W2.T) * (H > 0)
    W2 -= 0.1 * H.T @ D
    W1 -= 0.1 * X.T @ back


def logarithm(W1, W2, X, Y):
    H = np.tanh(X @ W1)
    A = np.log(H @ W2)
    D = (A - Y) / (H @ W2)
    back = (D @ W2.T) * (1 - H**2)
    W2 -= 0.1 * H.T @ D
    W1 -= 0.1 * X.T @ back


def divided(W1, W2, X, Y):
    X = X / 0.0
    H = np.tanh(X @ W1)
    D = H @ W2 - Y
    back = (D @ W2.T) * (1 - H**2)
    W2 -= 0.1 * H.T @ D
    W1 -= 0.1 * X.T @ back


def harmless(W1, W2, X, Y):
    best = np.inf
    H = 1 / (1 + np.exp(-1000 * (X @ W1)))
    D = H @ W2 - Y
    W2 -= 0.1 * H.T @ D
    return best


def test_what_overflows_on_the_numbers_that_were_given_is_told_beside_the_verdict():
    report = bp.doctor(unshifted, *weights(), 10_000 * X, Y)
    assert report.verdict == "correct"
    (note,) = (one for one in report.notes if "np.exp(H @ W2) is inf" in one)
    assert "subtract the largest number first" in note
    assert "with the numbers that were given, and not with random ones" in note


def test_numbers_that_do_not_overflow_are_not_spoken_of():
    assert bp.doctor(unshifted, *weights(), X, Y).notes == ()


@pytest.mark.parametrize(
    ("step", "what", "why"),
    [
        (logarithm, "np.log(H @ W2) is NaN", "the logarithm of a number that is 0 or less"),
        (divided, "X / 0.0 is", "a division by 0"),
    ],
)
def test_where_numbers_end_is_told_with_what_helps(step, what, why):
    report = bp.doctor(step, *weights(), X, Y)
    assert report.verdict == "unknown"
    text = " ".join(str(report).split())
    assert what in text
    assert why in text
    assert max(map(len, str(report).splitlines())) <= 80


def test_a_listing_says_it_too():
    with pytest.raises(bp.BackpassError, match=r"X / 0.0 is .*a division by 0"):
        bp.annotate(divided, *weights(), X, Y)


def test_what_comes_to_nothing_is_no_loss():
    report = bp.doctor(harmless, *weights(), X, Y)
    assert not any("finite" in one for one in (report.loss, *report.notes))
