"""What a reader would cross out is crossed out, and nothing else."""

from __future__ import annotations

import pytest

from backpass.calculus.op import SCALARS
from backpass.calculus.simplify import coefficient_of, merge, tidy
from backpass.language.expr import number
from backpass.language.notation import parse_program
from backpass.language.notation_text import format_program
from backpass.language.program import Program, Step

INPUTS = "A: n k\nB: n k\nx: n\ny: n int<k\nD: n\nW: k k\n"


def rewritten(line, change):
    """A line after its writes went through `change`, as index notation again."""
    program = parse_program(f"{INPUTS}{line}\nreturn C", functions=SCALARS)
    (step,) = program.steps
    writes = tuple(new for new in change(step))
    after = Program(program.inputs, (Step(step.target, writes),), ("C",))
    return format_program(after).splitlines()[6:-1]


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("C[n] = 0 * x[n]", ["C[n] = 0 for n"]),
        ("C[n] = (A[n,k] - x[n])", ["C[n] = (A[n,k] - x[n])"]),
        ("C[n,k] = (A[n,k] - x[n])", ["C[n,k] = A[n,k] - x[n]"]),
        ("C[n] = x[n] for n, k", ["C[n] = k * x[n]"]),
        ("C[n] = 2 * x[n] * 1/(2*n)", ["C[n] = x[n] / n"]),
        ("C[n] = -6 * x[n] / (4*n + 2*k)", ["C[n] = -3 * x[n] / (k+2*n)"]),
        ("C[n] = 3 * x[n] / (2*n)", ["C[n] = 3 * x[n] / (2*n)"]),
        ("C[n] = A[n,k] * [k==y[n]]", ["C[n] = A[n,k] * [k==y[n]]"]),
        ("C[k] = W[k,k′] * [k′==k]", ["C[k] = W[k,k]"]),
        ("C[k,k′] = W[k,j] * W[k,k′] * [j==k′]", ["C[k,k′] = W[k,k′] * W[k,k′]"]),
    ],
)
def test_a_write_is_tidied(line, after):
    assert rewritten(line, lambda step: [one for w in step.writes for one in tidy(w)]) == after


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("C[n,k] = A[n,k] + A[n,k]", ["C[n,k] = 2 * A[n,k]"]),
        ("C[n,k] = A[n,k] * x[n] - x[n] * A[n,k]", ["C[n,k] = 0 for n, k"]),
        ("C[n,k] = 3 * A[n,k] * x[n] - x[n] * A[n,k]", ["C[n,k] = 2 * A[n,k] * x[n]"]),
        ("C[n,k] = A[n,k] + B[n,k]", ["C[n,k] = A[n,k] + B[n,k]"]),
        ("C[k,k′] = W[k,k′] + W[k′,k]", ["C[k,k′] = W[k,k′] + W[k′,k]"]),
    ],
)
def test_writes_that_differ_in_a_number_are_added_up(line, after):
    assert rewritten(line, lambda step: merge(step.writes, step.target)) == after


def test_a_term_has_one_number_in_front():
    assert coefficient_of(number(3)) == (number(3), number(1))
