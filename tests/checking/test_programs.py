"""A derivation is checked against the function that its user wrote."""

from dataclasses import replace

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import DerivationError, ShapeError, UnknownName
from backpass.language.expr import number


def loss(X, Y, W, b):
    return 0.5 * np.sum((np.tanh(X @ W + b) - Y) ** 2)


LAYER = bp.derive(loss, "X: n k, Y: n m, W: k m, b: m", wrt="W b")


def test_a_derivation_agrees_at_several_sizes_one_of_them_1():
    check = LAYER.check()
    assert check, check
    assert [one.name for one in check.gradients] == ["dW", "db"]
    assert [one.shape for one in check.gradients] == ["k×m", "m"]
    assert all(one.directions + one.entries >= 3 for one in check.gradients)
    assert len(set(check.points)) == 3
    assert "=1" in check.points[1]
    assert {law.step for law in check.laws} == {step.name for step in LAYER.program.steps}
    assert check.value < 1e-12


def test_the_same_seed_gives_the_same_check():
    assert LAYER.check(seed=3) == LAYER.check(seed=3)
    assert LAYER.check(seed=3).points != LAYER.check(seed=4).points


def test_sizes_may_be_fixed():
    check = LAYER.check(sizes={"n": 12, "k": 3}, times=2)
    assert all(point.startswith("n=12 k=3 ") for point in check.points)
    with pytest.raises(UnknownName, match="there is no size j"):
        LAYER.check(sizes={"j": 3})
    with pytest.raises(DerivationError, match="the size n is a whole number, and cannot be -1"):
        LAYER.check(sizes={"n": -1})


def test_given_arrays_are_tried_too_and_stay_as_they_are():
    random = np.random.default_rng(0)
    args = [
        random.standard_normal(shape).astype(np.float32) for shape in [(9, 4), (9, 2), (4, 2), 2]
    ]
    before = [arg.copy() for arg in args]
    check = LAYER.check(*args[:3], b=args[3])
    assert check, check
    assert check.points[0] == "n=9 k=4 m=2 (given)"
    assert len(check.points) == 4
    assert all(np.array_equal(one, two) for one, two in zip(args, before, strict=True))
    assert LAYER.check(*args, times=0).points == check.points[:1]


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError):
        LAYER.check(np.ones((9, 4)), np.ones((9, 2)), np.ones((3, 2)), np.ones(2))
    with pytest.raises(DerivationError, match="there is nothing to check"):
        LAYER.check(times=0)
    with pytest.raises(DerivationError, match="returns nan at these arguments"):
        bp.derive("L = sum(log(x))", "x: n").check(-np.ones(3))


def test_every_entry_on_request():
    check = LAYER.check(sizes={"n": 5, "k": 4, "m": 3}, entries=True, times=2)
    assert [one.entries for one in check.gradients] == [24, 6]


# ── what can go wrong ────────────────────────────────────────────────────────────────────────


def changed(d, name, factor):
    """The derivation with one step multiplied by a number, forwards or backwards."""

    def change(step):
        writes = tuple(replace(w, term=number(factor) * w.term) for w in step.writes)
        return replace(step, body=writes) if step.name == name else step

    forward = replace(d.forward, steps=tuple(map(change, d.forward.steps)))
    return replace(d, forward=forward, backward=tuple(map(change, d.backward)))


def test_a_wrong_step_of_the_backward_pass_is_found():
    check = changed(LAYER, "dW", 1.0001).check()
    assert not check
    assert [one.name for one in check.gradients if not one.ok] == ["dW"]
    assert check.failures[0].startswith("dW differs from central differences by ")
    assert "here" in str(check)
    assert "(at n=" in str(check)


def test_a_recording_that_is_not_the_function_is_found():
    check = changed(LAYER, "L", 1.5).check()
    assert "what was recorded is not what the function computes" in check.failures[0]
    assert not check


def test_a_runner_that_is_not_the_program_is_found():
    class Loose:
        source = LAYER.runner.source

        def __call__(self, values, functions=None):
            value, gradients = LAYER.runner(values, functions)
            return value, gradients | {"b": gradients["b"] * (1 + 1e-6)}

    d = replace(LAYER)
    d.__dict__["runner"] = Loose()
    check = d.check()
    assert not check
    assert "db as it runs differs from its loop nests by 1e-6 of its size" in check.failures[0]
    assert all(one.ok for one in check.gradients)


# ── inputs and sizes that a forward pass asks for ────────────────────────────────────────────


@pytest.mark.parametrize(
    "formula", ["L = sum(log(p) + log(1 - p))", "L = sum(sqrt(p))", "L = sum(p ** p)"]
)
def test_positive_inputs_are_drawn_where_others_give_no_number(formula):
    check = bp.derive(formula, "p: n k").check()
    assert check, check
    assert "so inputs between 0.1 and 0.9 were drawn" in check.advice[-1]


def test_longer_axes_are_drawn_where_short_ones_do_not_reach():
    check = bp.derive(lambda X: np.sum(X[4] ** 2) + np.sum(X[:, 3] ** 3), "X: n k").check()
    assert check, check
    assert all(int(point.split()[0][2:]) > 4 for point in check.points)


def test_labels_stay_in_their_range():
    d = bp.derive(lambda X, W, y: bp.cross_entropy(X @ W, y), "X: n k, W: k m, y: n int<m")
    assert d.check(times=5)


def test_no_finite_value_anywhere_is_said():
    d = bp.derive("L = sum(log(x)) + sum(log(-x))", "x: n")
    with pytest.raises(DerivationError, match="is no finite number at random inputs"):
        d.check()


def test_a_function_that_takes_no_arrays_is_said():
    def fails(x):
        if isinstance(x, np.ndarray):
            raise RuntimeError("not today")
        return np.sum(x)

    with pytest.raises(DerivationError, match="raises RuntimeError: not today, at random inputs"):
        bp.derive(fails, "x: n").check()


def test_large_fixed_sizes_leave_the_literal_runner_out():
    def wide(X, W):
        return np.sum((X @ W) ** 2)

    check = bp.derive(wide, "X: 300 200, W: 200 100", wrt="W").check(times=1)
    assert check, check
    assert not check.laws
    assert check.points == ("the declared sizes",)
    assert "the literal one takes too long" in check.advice[-1]


# ── other statements of the same function ────────────────────────────────────────────────────


def test_columns_are_checked_against_the_same_function():
    columns = LAYER.columns()
    check = columns.check()
    assert check, check
    assert [one.shape for one in check.gradients] == ["m×k", "m"]
    assert not changed(columns, "L", 1.5).check()


def test_the_long_way_is_checked_against_the_same_function():
    d = bp.derive("L = cross_entropy(X @ W, y)", "X: n k, W: k m, y: n int<m").unfused()
    assert d.check()


def test_declared_functions_are_replaced_or_given():
    d = bp.derive("L = C(g(W @ x))", "W: j k, x: k", functions="g: elementwise, C: scalar")
    check = d.check()
    assert check, check
    assert "g and C: declared without a body" in check.advice[-1]

    def slope(z):
        return 1 - np.tanh(z) ** 2

    given = {
        "g": np.tanh,
        "g_prime": slope,
        "C": lambda y: np.sum(y**3),
        "grad_C": lambda y: 3 * y**2,
    }
    assert d.check(**given)
    assert not d.check(**given).advice
    assert not d.check(**{**given, "g_prime": lambda z: slope(z) * 1.01})


def test_gradients_of_nests_are_called_as_the_leaves():
    def net(params, X):
        return np.sum((X @ params["W"][0] + params["b"]) ** 2)

    d = bp.derive(net, {"params": {"W": ["k m"], "b": "m"}, "X": "n k"}, wrt="params")
    check = d.check()
    assert check, check
    assert len(check.gradients) == 2


def test_kinks_are_advice_and_name_the_choice():
    d = bp.derive(lambda X: np.sum(np.maximum(X, 0)) + np.sum(np.max(X, axis=1)), "X: n k")
    check = d.check(np.array([[0.0, -1.0], [2.0, 2.0]]))
    assert check, check
    assert check.advice[0] == (
        "dX[0,0]: not differentiable here: the slope is 1 to the left and 2 to the right, "
        "backpass uses 1 (0 at a kink, the first of tied maxima)"
    )
