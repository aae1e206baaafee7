"""Gradients at one point: directions, entries, the entry to blame, kinks, scales."""

from math import nan

import numpy as np
import pytest

from backpass.checking.gradients import Agreement, Entry, Trial, examine, merge


def examined(f, g, *, entries=False, times=3, seed=0, **values):
    """The agreements by array, for functions of keyword arrays."""
    names = {one: (f"d{one}", "") for one in values}
    trial = Trial(times, entries, np.random.default_rng(seed))
    found = examine(lambda at: float(f(**at)), lambda at: g(**at), values, names, trial)
    return dict(zip(values, found, strict=True))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def total(w):
    return np.sum(w)


def largest(x):
    return np.max(x)


def relu(z):
    return np.maximum(z, 0)


def test_a_right_gradient_agrees_in_every_direction():
    found = examined(lambda w: np.sum(np.sin(w)), lambda w: {"w": np.cos(w)}, w=normal(4, 3))["w"]
    assert (found.ok, found.directions, found.entries, found.kinked) == (True, 3, 0, 0)
    assert found.error < 1e-9


def test_entries_are_tried_on_request():
    found = examined(
        lambda w: np.sum(w**3), lambda w: {"w": 3 * w**2}, w=normal(4, 3), entries=True
    )["w"]
    assert (found.ok, found.entries) == (True, 12)


@pytest.mark.parametrize("seed", range(5))
def test_one_entry_of_a_thousand_off_by_a_ten_thousandth_is_named(seed):
    matrix, blamed = normal(50, 1000, seed=seed) / 30, (97 * seed + 5,)

    def f(w):
        return np.sum(np.tanh(matrix @ w) ** 2)

    def g(w):
        a = np.tanh(matrix @ w)
        gradient = matrix.T @ (2 * a * (1 - a**2))
        gradient[blamed] *= 1 + 1e-4
        return {"w": gradient}

    found = examined(f, g, w=normal(1000, seed=seed), entries=True)["w"]
    assert not found.ok
    assert found.worst is not None
    assert found.worst.index == blamed
    assert found.worst.here == pytest.approx(found.worst.differences * (1 + 1e-4), rel=1e-6)


def test_in_a_large_array_the_wrong_entry_is_found_by_halving():
    x, count = normal(784), 0

    def f(w):
        nonlocal count
        count += 1
        return np.sum(np.tanh(x @ w / 28))

    def g(w):
        gradient = np.outer(x, 1 - np.tanh(x @ w / 28) ** 2) / 28
        gradient[300, 7] *= 1.1
        return {"w": gradient}

    found = examined(f, g, w=normal(784, 32))["w"]
    assert not found.ok
    assert (found.entries, found.worst.index) == (1, (300, 7))
    assert count < 300


@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0])
def test_one_factor_in_every_direction_is_told(factor):
    found = examined(
        lambda w: np.sum(w**2), lambda w: {"w": factor * 2 * w}, w=normal(5)
    )["w"]  # fmt: skip
    assert not found.ok
    assert found.factor == pytest.approx(factor)


def test_no_factor_is_told_when_directions_disagree():
    found = examined(lambda w: np.sum(w**2), lambda w: {"w": 2 * w + 1}, w=normal(5))["w"]
    assert (found.ok, found.factor) == (False, None)


def test_a_gradient_of_zero_agrees_where_nothing_changes():
    found = examined(lambda w: 0 * np.sum(w) + 3, lambda w: {"w": 0 * w}, w=normal(5))["w"]
    assert (found.ok, found.error, found.unclear) == (True, 0, 0)


def test_a_gradient_of_zero_differs_where_something_does():
    found = examined(total, lambda w: {"w": 0 * w}, w=normal(5))["w"]
    assert (found.ok, found.factor) == (False, 0)


# ── kinks ────────────────────────────────────────────────────────────────────────────────────


def test_at_a_kink_both_slopes_are_told_and_a_step_aside_agrees():
    def g(x):
        return {"x": (x > 0) * 1.0}

    found = examined(lambda x: np.sum(relu(x)), g, x=np.array([0.0, 1.0, -1.0]))["x"]
    assert (found.ok, found.aside) == (True, True)
    (kink,) = found.kinks
    assert (kink.index, kink.here) == ((0,), 0)
    assert (kink.left, kink.right) == pytest.approx((0, 1), abs=1e-9)


def test_a_tie_is_a_kink_for_every_one_that_is_tied():
    found = examined(largest, lambda x: {"x": np.eye(4)[np.argmax(x)]}, x=np.array([2.0, 1, 2, 2]))[
        "x"
    ]
    assert found.ok
    assert [kink.index for kink in found.kinks] == [(0,), (2,), (3,)]


def test_a_mistake_beside_a_kink_is_still_a_mistake():
    found = examined(
        lambda x: np.sum(relu(x)), lambda x: {"x": 1.1 * (x > 0)}, x=np.array([0.0, 1.0, -1.0])
    )["x"]
    assert not found.ok
    assert found.worst.index == (1,)


def test_what_no_slope_at_the_kink_shows_a_step_aside_does():
    """All the entries lie on kinks, where any slope may be claimed; only nearby it is wrong."""
    found = examined(
        lambda x: np.sum(relu(x)), lambda x: {"x": 3.0 * (x > 0)}, x=np.zeros(400)
    )["x"]  # fmt: skip
    assert (found.ok, found.aside) == (False, True)


@pytest.mark.parametrize("near", [1e-2, 1e-4, 1e-6, 1e-7])
def test_entries_next_to_a_kink_get_a_shorter_step(near):
    values = np.concatenate([normal(200), [near, -near]])
    found = examined(
        lambda x: np.sum(relu(x)), lambda x: {"x": (x > 0) * 1.0}, x=values, entries=True
    )["x"]
    assert (found.ok, found.kinks) == (True, ())


def test_a_batch_of_many_kinks_raises_no_alarm():
    x, v = normal(300, 20), normal(50, 5, seed=1)

    def f(w, b):
        return np.mean((relu(x @ w + b) @ v) ** 2)

    def g(w, b):
        z = x @ w + b
        d = 2 * relu(z) @ v @ v.T / 1500 * (z > 0)
        return {"w": x.T @ d, "b": d.sum(0)}

    for seed in range(5):
        found = examined(f, g, w=normal(20, 50, seed=seed), b=np.zeros(50), seed=seed)
        assert all(one.ok and not one.unclear and one.error < 1e-6 for one in found.values())


# ── scales ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_scale_of_the_values_makes_no_difference(scale):
    def f(w, b):
        return np.sum((3 * w + b - scale) ** 2) + scale**2 * np.sum(np.tanh(w / scale))

    def g(w, b):
        d = 2 * (3 * w + b - scale)
        return {"w": 3 * d + scale * (1 - np.tanh(w / scale) ** 2), "b": d}

    def wrong(w, b):
        return {**g(w, b), "b": g(w, b)["b"] * (1 + 1e-4)}

    values = {"w": scale * normal(6), "b": np.zeros(6)}
    assert all(one.ok and one.error < 1e-9 for one in examined(f, g, **values).values())
    assert [one.ok for one in examined(f, wrong, **values).values()] == [True, False]


def test_entries_of_another_order_are_measured_by_themselves():
    scales = np.array([1e8, 1.0, 1e-8])
    found = examined(
        lambda w: np.sum(np.tanh(w / scales)),
        lambda w: {"w": (1 - np.tanh(w / scales) ** 2) / scales},
        w=0.4 * scales,
        entries=True,
    )["w"]
    assert found.ok
    assert found.error < 1e-6


def test_a_large_sum_hides_small_slopes_and_says_so():
    def f(w):
        return 1e12 + np.sum(w**3)

    found = examined(f, lambda w: {"w": 3 * w**2}, w=normal(20), entries=True)["w"]
    assert found.ok
    assert found.resolution > 1e-6 or found.unclear


def test_beyond_the_domain_shorter_steps_are_taken():
    def f(w):
        return np.sum(np.log(w)) if np.all(w > 0) else nan

    values = np.array([1e-9, 1e-4, 1.0, 3.0])
    assert examined(f, lambda w: {"w": 1 / w}, w=values, entries=True)["w"].ok
    assert not examined(f, lambda w: {"w": 1.01 / w}, w=values, entries=True)["w"].ok


def test_an_empty_array_has_nothing_to_check():
    found = examined(lambda w: np.sum(w**2), lambda w: {"w": 2 * w}, w=np.zeros((0, 3)))["w"]
    assert (found.ok, found.directions, found.entries) == (True, 0, 0)


def test_trials_add_up_and_the_worst_stays():
    right = Agreement("dw", "3", directions=3, error=1e-9)
    wrong = Agreement("dw", "3", ok=False, directions=2, entries=3, error=1e-12,
                      worst=Entry((1,), 2.0, 1.0))  # fmt: skip
    found = merge([right, wrong, right])
    assert (found.ok, found.directions, found.entries) == (False, 8, 3)
    assert found.worst == wrong.worst
    assert found.error == 1e-9
