"""A line of index notation meets arrays: labels take their sizes, and `...` broadcasts."""

from __future__ import annotations

import pytest

from backpass.calculus.op import SCALARS
from backpass.calculus.template import instantiate
from backpass.language.errors import ShapeError
from backpass.language.expr import number
from backpass.language.notation import parse_step
from backpass.language.notation_text import format_step
from backpass.language.program import Array
from backpass.language.shapes import size


def operand(text):
    name, colon, shape = text.partition(":")
    return Array(name, tuple(map(size, shape.split()))) if colon else number(float(text))


def filled(template, *operands):
    step = instantiate(parse_step(template, functions=SCALARS), [*map(operand, operands)], "C")
    return format_step(step, {array.name: array for array in map(operand, operands)
                              if isinstance(array, Array)})  # fmt: skip


@pytest.mark.parametrize(
    ("template", "operands", "line"),
    [
        ("c[...] = a[...] + b[...]", ["x: n k", "b: k"], "C[n,k] = x[n,k] + b[k]"),
        ("c[...] = a[...] + b[...]", ["x: n k", "b: n 1"], "C[n,k] = x[n,k] + b[n,0]"),
        ("c[...] = a[...] + b[...]", ["x: n 1", "b: k"], "C[n,k] = x[n,0] + b[k]"),
        ("c[...] = a[...] * b[...]", ["2", "x: n"], "C[n] = 2 * x[n]"),
        ("c[...] = a[...] + b[...]", ["x: n", "0"], "C[n] = x[n]"),
        ("C[...,i,k] = A[...,i,j] * B[...,j,k]", ["A: n k", "B: k m"], "C[n,m] = A[n,k] * B[k,m]"),
        ("C[...,i,k] = A[...,i,j] * B[...,j,k]", ["A: b n k", "B: k m"],
         "C[b,n,m] = A[b,n,k] * B[k,m]"),
        ("C[...,i,k] = A[...,i,j] * B[...,j,k]", ["A: n n", "B: n n"],
         "C[n,n′] = A[n,n′′] * B[n′′,n′]"),
        ("t = A[i,i]", ["A: n n"], "C = A[n,n]"),
    ],
)  # fmt: skip
def test_a_line_over_arrays(template, operands, line):
    assert filled(template, *operands) == line


@pytest.mark.parametrize(
    ("template", "operands", "sentence"),
    [
        ("c[...] = a[...] + b[...]", ["x: n k", "y: n"], "n×k and n do not broadcast"),
        ("c[...] = a[...] + b[...]", ["x: n k"], "2 operands are needed here, not 1"),
        ("C[i,k] = A[i,j] * B[j,k]", ["A: n k", "B: m j"], "j is k in n×k and m in m×j"),
        ("C[i,k] = A[i,j] * B[j,k]", ["A: n k", "B: k"], "k stands where 2 axes are needed"),
        ("t = A[i,i]", ["A: n k"], "i is n in n×k and k in n×k"),
    ],
)
def test_what_does_not_meet_is_told_with_both_shapes(template, operands, sentence):
    with pytest.raises(ShapeError) as caught:
        filled(template, *operands)
    assert caught.value.message == sentence
