"""Products that sum over a shared index: every one is a line of index notation, and no more.

Read `C[i,k] = A[i,j] * B[j,k]` as a loop nest: for every i, j and k, `C[i,k] += A[i,j] * B[j,k]`.
The derivative of such a line moves a factor to the left, and so is such a line again.
"""

from __future__ import annotations

import re
from functools import lru_cache

from backpass.calculus.elementwise import multiply
from backpass.calculus.op import Op, Operand, Steps, form, named, register, steps_of
from backpass.language.errors import ShapeError
from backpass.language.program import Array

# fmt: off
outer      = named("outer", form("C[i,j] = a[i] * b[j]",  "Every entry of a meets each of b."))
trace      = named("trace", form("t = A[i,i]",            "The diagonal, added up."))
DOT        = form("c          = a[j] * b[j]",             "Entry meets entry, and all is added up.")
VECTOR_ROW = form("C[...,k]   = a[j] * B[...,j,k]",       "A vector weighs the rows of B.")
ROW_VECTOR = form("C[...,i]   = A[...,i,j] * b[j]",       "Each row of A meets b.")
MATRICES   = form("C[...,i,k] = A[...,i,j] * B[...,j,k]", "Row i of A meets column k of B.")
# fmt: on


def _rank(operand: Operand) -> int:
    return len(operand.shape) if isinstance(operand, Array) else 0


# Matrix products: which of the lines above it is depends on the ranks alone.


def _matmul(a: Operand, b: Operand) -> Steps:
    match _rank(a), _rank(b):
        case (0, _) | (_, 0):
            raise ShapeError("a matrix product takes no scalar; use * to scale")
        case (1, 1):
            which = DOT
        case (1, _):
            which = VECTOR_ROW
        case (_, 1):
            which = ROW_VECTOR
        case _:
            which = MATRICES
    return steps_of(which, (a, b), ())


matmul = register(Op("matmul", "Row i of A meets column k of B.", _matmul))


def _dot(a: Operand, b: Operand) -> Steps:
    if _rank(a) == 0 or _rank(b) == 0:
        return steps_of(multiply, (a, b), ())
    if _rank(a) > 2 or _rank(b) > 2:
        raise ShapeError("dot of more than two axes: use @ (leading axes are a batch) or einsum")
    return _matmul(a, b)


dot = register(Op("dot", "The matrix product; a number scales.", _dot))


# Einsum: its letters are the labels.


def _einsum(*operands: Operand, subscripts: str) -> Steps:
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    parts, letters = left.split(","), re.sub(r"[,.]", "", left)
    if not arrow:  # then every letter that stands once is kept, in the order of the alphabet
        right = "..." if "..." in left else ""
        right += "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    kept = right.replace("...", "")
    if not (letters + kept).isalpha():
        raise ShapeError(f"'{subscripts}' cannot be read; subscripts are written like 'nk,kj->nj'")
    for letter in kept:
        if letter not in letters:
            raise ShapeError(f"in '{subscripts}' the {letter} of the result is in no operand")
        if kept.count(letter) > 1:
            raise ShapeError(f"in '{subscripts}' the result has {letter} twice")
    if len(parts) != len(operands):
        named = "1 operand" if len(parts) == 1 else f"{len(parts)} operands"
        raise ShapeError(f"'{subscripts}' names {named}, not {len(operands)}")
    text = " * ".join(f"a{place}[{_indices(part)}]" for place, part in enumerate(parts))
    return steps_of(_einsum_form(f"c[{_indices(right)}] = {text}"), operands, ())


@lru_cache(maxsize=256)
def _einsum_form(text: str) -> Op:
    return form(text, "Labels missing on the left are summed.")


def _indices(letters: str) -> str:
    return ",".join(["..."] * ("..." in letters) + list(letters.replace("...", "")))


einsum = register(Op("einsum", "Labels missing on the left are summed.", _einsum, ("subscripts",)))
