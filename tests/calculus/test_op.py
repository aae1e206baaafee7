"""An operation states itself, computes on arrays and hands itself over to a tracer."""

from __future__ import annotations

import numpy as np
import pytest

from backpass.calculus import elementwise, library
from backpass.calculus.op import OPS, SCALARS, comparison, form, register, scalar, steps_of
from backpass.language.errors import ShapeError
from backpass.language.expr import Apply, Label, Read, Term, number
from backpass.language.notation_text import format_step, format_term
from backpass.language.program import Array
from backpass.language.shapes import size

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(3, 4))


@pytest.mark.parametrize(
    ("name", "args", "params"),
    [
        *((name, (A,), {}) for name in ("exp", "tanh", "abs", "sum", "mean", "max", "transpose")),
        *((name, (A, B), {}) for name in ("maximum", "minimum", "logaddexp")),
        *((name, (A, B.T), {}) for name in ("matmul", "dot")),
        *((name, (A,), {"axis": 1}) for name in ("sum", "mean", "max", "min", "argmax", "argmin")),
        *((name, (A, 0), {}) for name in ("sum", "mean", "max", "min", "argmax", "argmin")),
        ("sum", (A,), {"axis": (0, 1), "keepdims": True}),
        ("var", (A,), {}),
        ("var", (A,), {"axis": 1, "keepdims": True}),
        ("where", (A > 0, A, 2.0), {}),
        ("clip", (A, -0.5, 0.5), {}),
        ("outer", (A[0], B[0]), {}),
        ("trace", (A[:, :3],), {}),
        ("tril", (A,), {}),
        ("concatenate", ([A, B],), {"axis": 1}),
        ("concatenate", ([A, B], 0), {}),
        ("stack", ((A, B),), {}),
        ("reshape", (A, (2, 6)), {}),
        ("reshape", (A, [4, -1]), {}),
        ("broadcast_to", (A[0], (2, 4)), {}),
    ],
)
def test_on_arrays_it_is_what_numpy_says(name, args, params):
    found = library.FUNCTIONS[name](*args, **params)
    np.testing.assert_allclose(found, getattr(np, name)(*args, **params), rtol=1e-14)


def test_one_number_comes_back_as_a_number():
    assert elementwise.sigmoid(0.0) == 0.5
    assert np.ndim(elementwise.sigmoid(0.0)) == 0
    assert library.FUNCTIONS["sum"](np.arange(4)) == 6


def test_on_terms_a_function_of_numbers_is_applied():
    x = Read("x", (Label("n", size("n")),))
    assert elementwise.tanh(x) == Apply(SCALARS["tanh"], (x,))
    assert elementwise.maximum(x, 0) == Apply(SCALARS["maximum"], (x, number(0)))


def test_on_what_answers_it_hands_itself_over():
    class Answering:
        def __backpass__(self, op, args, params):
            return op.name, args, params

    one = Answering()
    assert elementwise.tanh(one) == ("tanh", (one,), {})
    assert OPS["concatenate"]([A, one], axis=1) == ("concatenate", ([A, one],), {"axis": 1})


def test_a_form_is_its_line():
    weighed = form("s[...,i] = w[...,j] * A[i,j]", "Weighed rows.")
    operands = (Array("w", (size("n"), size("k"))), Array("A", (size("m"), size("k"))))
    (step,) = steps_of(weighed, operands, ())
    assert format_step(step) == "out[n,m] = w[n,k] * A[m,k]"
    np.testing.assert_allclose(weighed(A, B), A @ B.T)


def test_a_comparison_is_a_form_of_truth_values():
    near = comparison("c[...] = [a[...] <= b[...]]", "Close.")
    assert near(A, B).dtype == bool
    assert steps_of(near, (Array("a", ()), Array("b", ())), ())[-1].target.kind == "bool"


def test_a_body_is_a_slope_and_says_what_must_be_kept():
    try:

        @scalar("y = cube(x)", value=lambda x: x**3)
        def cube(x: Term, dy: Term) -> Term:
            """Steep."""
            return dy * 3 * x**2

        @scalar("y = own(x)", value=np.exp)
        def own(y: Term, dy: Term) -> Term:
            """Its own slope."""
            return dy * y

        x, y, dy = (Read(name, ()) for name in ("x", "y", "dy"))
        slopes = [SCALARS[name].slopes for name in ("cube", "own")]
        shown = [[format_term(one) for one in slope((x,), y, dy)] for slope in slopes if slope]
        assert shown == [["3 * dy * x**2"], ["dy * y"]]
        assert cube.doc == "Steep."
        np.testing.assert_allclose(cube(A), A**3)
        with pytest.raises(ValueError, match="the operation cube exists already"):
            register(cube)
    finally:
        for name in ("cube", "own"):
            OPS.pop(name, None)
            SCALARS.pop(name, None)


def test_every_operation_is_told_in_a_sentence():
    assert [op.name for op in OPS.values() if not op.doc.strip().endswith(".")] == []


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ShapeError, match="a matrix product takes no scalar"):
        OPS["matmul"](A, 2.0)
    with pytest.raises(ShapeError, match="dot of more than two axes"):
        OPS["dot"](A[None], B)
    with pytest.raises(ShapeError, match=r"j is 4 in 3×4 and 3 in 3×4"):
        OPS["matmul"](A, B)
    with pytest.raises(ShapeError, match=r"3×4 and 4×3 do not broadcast"):
        OPS["add"](A, B.T)
    with pytest.raises(ShapeError, match="2 operands are needed here, not 1"):
        OPS["add"](A)


def test_an_input_may_have_a_default():
    x = np.array([-1.0, 2.0])
    assert elementwise.leaky_relu(x).tolist() == [-0.01, 2.0]
    assert elementwise.leaky_relu(x, slope=0.5).tolist() == [-0.5, 2.0]
    with pytest.raises(TypeError, match="leak"):
        elementwise.leaky_relu(x, leak=0.5)
