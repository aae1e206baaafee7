"""Every operation of the registry, compiled, beside the literal runner."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backpass.language.errors import ShapeError
from backpass.language.evaluate import evaluate
from backpass.language.notation import parse_program
from backpass.language.program import Array, Program, rename_step
from backpass.running.compiled.program import CompiledProgram
from tests.registry import CASES, Case, fits, numbers

SIZES = {"n": 3, "k": 4, "m": 2}
PARTS = 5  # programs that the cases are put into: compiling takes a moment each time
EACH = 1  # case of an operation: `test_source.py` has many
ALL = [one for cases in CASES.values() for one in [c for c in cases if fits(c, SIZES)][:EACH]]


def together(cases: list[Case]) -> tuple[Program, dict[str, Any]]:
    """Many cases as one program, the names of each apart from the others'."""
    inputs: list[Array] = []
    steps, outputs, values = [], [], {}
    for place, case in enumerate(cases):
        program = case.program
        new = {name: f"{name}_{place}" for name in program.arrays if name != "known"}
        inputs += [replace(array, name=new[array.name]) for array in program.inputs[:-1]]
        steps += [rename_step(step, new) for step in program.steps]
        outputs += [new[name] for name in program.outputs]
        values |= {
            new.get(name, name): one for name, one in numbers(case, SIZES, *case.ranges[0]).items()
        }
    known = cases[0].program.arrays["known"]
    return Program((*inputs, known), tuple(steps), tuple(outputs)), values


@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_runs_compiled(part: int) -> None:
    dtype, near = (np.float32, 1e-5) if part % 3 == 2 else (np.float64, 1e-12)
    chosen = ALL[part::PARTS]
    program, values = together(chosen)
    found = CompiledProgram(program, dtype)(values)
    wanted = evaluate(program, values)
    for name, case in zip(program.outputs, chosen, strict=True):
        assert found[name].shape == np.shape(wanted[name]), case
        np.testing.assert_allclose(found[name], wanted[name], near, near, err_msg=str(case))


def test_integers_that_only_their_entries_hold_within_an_axis_are_asked() -> None:
    text = """
    E: n k
    ids: m int<9
    F[m,k] = E[ids[m],k]
    return F
    """
    run, E = CompiledProgram(parse_program(text)), np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(run({"E": E, "ids": [3, 0]})["F"], E[[3, 0]])
    with pytest.raises(ShapeError, match="an entry that is read does not exist here"):
        run({"E": E, "ids": [3, 4]})
