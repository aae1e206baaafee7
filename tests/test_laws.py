"""What holds for every operation of the registry, whatever it is."""

import warnings
from typing import Any

import numpy as np
import pytest

from backpass.calculus.backward import reverse
from backpass.calculus.op import OPS
from backpass.calculus.whole import Rule, long_steps
from backpass.language.errors import ShapeError
from backpass.language.evaluate import evaluate
from backpass.language.notation import format_program, parse_program
from backpass.language.program import Call, Program
from backpass.language.shapes import evaluate_size
from backpass.running.runner import compile_numpy
from tests.registry import CASES, Case, along, fits, numbers

SIZES = {"n": 3, "k": 2, "m": 4}
SMALL = [{"n": 1, "k": 1, "m": 1}, {"n": 1, "k": 3, "m": 1}, {"n": 0, "k": 2, "m": 1}]
ALL = [case for cases in CASES.values() for case in cases]
every_case = pytest.mark.parametrize("case", ALL, ids=str)


def test_every_operation_is_tried():
    assert [name for name in OPS if not CASES.get(name)] == []


def result(program: Program, values: dict[str, Any], name: str) -> Any:
    with np.errstate(all="ignore"):
        return evaluate(program, values)[name]


def gradient(
    program: Program, of: str, wrt: list[str], prefix: str
) -> tuple[Program, dict[str, str]]:
    """The program with its backward pass."""
    steps, names = reverse(program.steps, program.arrays, of, wrt, name=lambda one: prefix + one)
    everything = (*program.steps, *steps)
    return Program(program.inputs, everything, (of, *names.values())), names


def finite(case: Case) -> list[dict[str, Any]]:
    """Operands for which the result is finite."""
    found = [numbers(case, SIZES, *ends) for ends in case.ranges]
    program = case.program
    return [values for values in found if np.isfinite(result(program, values, "out")).all()]


def shape_of(program: Program, name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(evaluate_size(axis, sizes) for axis in program.arrays[name].shape)


def directions(program: Program, names: list[str], seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=shape_of(program, name, SIZES)) for name in names}


def difference(program: Program, name: str, values: dict[str, Any], along: dict[str, Any]) -> float:
    """A central difference of one number in one direction."""
    h = 1e-5
    ahead, behind = ({**values, **{one: values[one] + sign * h * along[one] for one in along}}
                     for sign in (1, -1))  # fmt: skip
    return (result(program, ahead, name) - result(program, behind, name)) / (2 * h)


def dot(left: dict[str, Any], right: dict[str, Any]) -> float:
    return sum(float(np.sum(left[name] * right[name])) for name in left)


@every_case
def test_the_declared_shape_is_the_computed_one(case):
    assert finite(case)
    program = case.program
    for values in finite(case):
        found = evaluate(program, values)
        for step in program.steps:
            assert found[step.name].shape == shape_of(program, step.name, SIZES)


@every_case
def test_gradients_are_differences_to_the_second_order(case):
    first, names = gradient(along(case.program, {"out": "v"}, "s_"), "s_", case.reals, "d")
    for values in finite(case):
        v = directions(case.program, ["out"], 1)["out"]
        u = directions(case.program, list(names), 2)
        found = evaluate(first, values | {"v": v})
        slope = dot(u, {one: found[name] for one, name in names.items()})
        assert slope == pytest.approx(
            difference(first, "s_", values | {"v": v}, u), rel=1e-6, abs=1e-7
        )
        if not names:
            continue

        pairs = {name: f"w{one}" for one, name in names.items()}
        w = {f"w{one}": vector for one, vector in directions(case.program, list(names), 3).items()}
        second, again = gradient(along(first, pairs, "t_"), "t_", list(names), "h")
        everything = values | w | {"v": v}
        found = evaluate(second, everything)
        bend = dot({one: u[one] for one in again}, {one: found[h] for one, h in again.items()})
        assert bend == pytest.approx(difference(second, "t_", everything, u), rel=1e-6, abs=1e-7)


@every_case
def test_the_backward_pass_is_the_transpose_of_the_forward_slope(case):
    first, names = gradient(along(case.program, {"out": "v"}, "s_"), "s_", case.reals, "d")
    pairs = {name: f"u{one}" for one, name in names.items()}
    second, pushed = gradient(along(first, pairs, "t_"), "t_", ["v"], "J")
    for values in finite(case):
        v = directions(case.program, ["out"], 1)["out"]
        u = directions(case.program, list(names), 2)
        found = evaluate(second, values | {"v": v} | {f"u{one}": u[one] for one in u})
        pulled = dot(u, {one: found[name] for one, name in names.items()})
        slope = found[pushed["v"]] if pushed else np.zeros_like(v)
        assert np.sum(v * slope) == pytest.approx(pulled, rel=1e-11, abs=1e-11)
        # and that slope is the forward one
        ahead = difference(first, "s_", values | {"v": v}, u)
        assert np.sum(v * slope) == pytest.approx(ahead, rel=1e-6, abs=1e-7)


@every_case
def test_both_passes_read_back_as_they_were_written(case):
    first, names = gradient(along(case.program, {"out": "v"}, "s_"), "s_", case.reals, "d")
    pairs = {name: f"w{one}" for one, name in names.items()}
    second, _ = gradient(along(first, pairs, "t_"), "t_", list(names), "h")
    text = format_program(second)
    assert parse_program(text) == second, text


@every_case
def test_every_runner_computes_the_same(case):
    first, _ = gradient(along(case.program, {"out": "v"}, "s_"), "s_", case.reals, "d")
    program = Program(first.inputs, first.steps, ("out", *first.outputs))
    run = compile_numpy(program)
    for values in finite(case):
        values = values | directions(program, ["v"], 1)
        with np.errstate(all="ignore"):
            wanted, found = evaluate(program, values), run(values)
        for name, value in zip(program.outputs, found, strict=True):
            np.testing.assert_allclose(value, wanted[name], rtol=1e-11, atol=1e-11, err_msg=name)
            assert np.shape(value) == wanted[name].shape


@pytest.mark.parametrize(("case", "sizes"), [(c, s) for c in ALL for s in SMALL if fits(c, s)],
                         ids=str)  # fmt: skip
def test_axes_of_length_1_and_empty_axes(case, sizes):
    first, names = gradient(along(case.program, {"out": "v"}, "s_"), "s_", case.reals, "d")
    program = Program(first.inputs, first.steps, ("out", *first.outputs))
    values = numbers(case, sizes)
    values["v"] = np.ones(shape_of(program, "v", sizes))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, found = evaluate(program, values), compile_numpy(program)(values)
    for name, value in zip(program.outputs, found, strict=True):
        assert np.shape(value) == shape_of(program, name, sizes)
        # the mean of nothing is a sum that is 0, divided by 0: either value will do
        either = np.nan_to_num(value), np.nan_to_num(wanted[name])
        np.testing.assert_allclose(*either, rtol=1e-11, atol=1e-11, err_msg=name)
    for one, name in names.items():
        assert wanted[name].shape == values[one].shape


@pytest.mark.parametrize("function", ["argmax", "max", "softmax", "logsumexp"])
def test_what_needs_an_entry_refuses_an_empty_axis(function):
    program = Case(OPS[function], ("n",)).program
    values = {"X0": np.ones(0), "known": np.ones((0, 1, 1))}
    for run in (lambda: evaluate(program, values), lambda: compile_numpy(program)(values)):
        with pytest.raises(ShapeError, match="runs over n, which is 0 here"):
            run()


def calls() -> list[Case]:
    """The cases that are one call with a definition in elementary steps."""
    found: list[Case] = []
    for case in ALL:
        body = case.program.steps[-1].body
        if isinstance(body, Call) and isinstance(body.function.rule, Rule):
            found.append(case)
    return found


@pytest.mark.parametrize("case", calls(), ids=str)
def test_the_long_way_gives_the_same(case):
    short = case.program
    (step,) = short.steps
    steps = tuple(long_steps(step, short.arrays))
    long = Program(short.inputs, steps, (steps[-1].name,))
    for values in finite(case):
        values = values | directions(short, ["out"], 1)
        passes = []
        for program, name in ((short, "out"), (long, steps[-1].name)):
            whole, names = gradient(along(program, {name: "v"}, "s_"), "s_", case.reals, "d")
            v = {"v": values["out"]}
            found = evaluate(whole, {k: x for k, x in values.items() if k != "out"} | v)
            passes.append([found["s_"], *(found[one] for one in names.values())])
        for one, other in zip(*passes, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
