"""Products and sums of columns, rows and matrices, against NumPy with every axis written out."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpass.forward.formula import run
from backpass.forward.quantity import Misfit, Quantity, entrywise, negative, product, transpose
from backpass.language.errors import NotationError, ShapeError

random = np.random.default_rng(7)
SHAPES = {"a": (3,), "b": (3,), "c": (2,), "W": (2, 3), "M": (3, 3), "s": ()}
VALUES = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
FUNCTIONS = {"outer": np.outer, "sum": np.sum}


def written_out(name: str) -> np.ndarray:
    """A column as n×1, a number as it is."""
    value = np.asarray(VALUES[name])
    return value[:, None] if value.ndim == 1 else value


def times(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    if not a.ndim or not b.ndim:
        return a * b
    if a.shape[1] != b.shape[0]:
        return None
    value = a @ b
    return value[0, 0] if value.shape == (1, 1) else value


def plus(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    return a + b if not a.ndim or not b.ndim or a.shape == b.shape else None


Truth = tuple[str, Any]
leaves = st.sampled_from([*SHAPES]).map(lambda name: (name, written_out(name)))


def grown(parts: st.SearchStrategy[Truth]) -> st.SearchStrategy[Truth]:
    turned = parts.map(lambda x: (f"({x[0]})ᵀ", x[1] if x[1] is None else x[1].T))
    minus = parts.map(lambda x: (f"(-{x[0]})", x[1] if x[1] is None else -x[1]))

    def both(drawn: tuple[Truth, str, Truth]) -> Truth:
        (left, a), sign, (right, b) = drawn
        if a is None or b is None:
            return f"({left} {sign} {right})", None
        is_sum = sign in "+⊙" and sign
        # A vector beside a matrix goes to rows or columns by its size, which has a test below.
        if is_sum and {a.shape, b.shape} - {()} and (1 in a.shape) != (1 in b.shape):
            return (left, a)
        if sign == "⊙":
            value = a * b if plus(a, b) is not None else None
        else:
            value = plus(a, b) if sign == "+" else times(a, b)
        return f"({left} {sign} {right})", value

    pairs = st.tuples(parts, st.sampled_from(["+", "⊙", "·", ""]), parts).map(both)
    return turned | minus | pairs


@given(st.recursive(leaves, grown, max_leaves=8))
def test_every_formula_is_the_one_with_all_axes_written_out(drawn: Truth):
    text, truth = drawn
    if truth is None:
        with pytest.raises(ShapeError, match=r"meets|go together|is a (row|column)"):
            run(text, VALUES, FUNCTIONS)
        return
    (result,) = run(text, VALUES, FUNCTIONS)
    value = np.asarray(result.value)
    if value.ndim == 1:
        value = value[None, :] if result.row else value[:, None]
    assert value.shape == np.shape(truth)
    np.testing.assert_allclose(value, truth, rtol=1e-9, atol=1e-9)


def computed(text: str) -> Any:
    (result,) = run(text, VALUES, FUNCTIONS)
    return result.value, result.row


def test_a_vector_goes_to_every_row_or_to_every_column_of_a_matrix():
    weights, rows, columns = VALUES["W"], VALUES["a"], VALUES["c"]
    np.testing.assert_array_equal(computed("W + a")[0], weights + rows)
    np.testing.assert_array_equal(computed("W - aᵀ")[0], weights - rows)
    np.testing.assert_array_equal(computed("W - c")[0], weights - columns[:, None])
    np.testing.assert_array_equal(computed("c / W")[0], columns[:, None] / weights)
    np.testing.assert_array_equal(computed("M + aᵀ")[0], VALUES["M"] + rows)


def test_an_outer_product_takes_its_vectors_as_they_come():
    expected = np.outer(VALUES["a"], VALUES["c"])
    for text in ("a ⊗ c", "aᵀ ⊗ c", "outer(a, cᵀ)", "a cᵀ", "a @ c.T", "c.T.T.T ⊗ a"):
        value = computed(text)[0]
        np.testing.assert_array_equal(value, expected.T if text.endswith("a") else expected)
    np.testing.assert_array_equal(computed("s ⊗ a")[0], VALUES["s"] * VALUES["a"])


def test_sizes_of_one_meet_as_in_a_matrix_product():
    one, wide, tall = np.array([2.0]), np.array([[1.0, 2.0, 3.0]]), np.array([[1.0], [2.0]])
    values = {"o": one, "wide": wide, "tall": tall, "a": np.array([5.0, 6.0])}

    def value(text: str) -> Any:
        return run(text, values, FUNCTIONS)[-1]

    assert value("a o").value.tolist() == [10, 12]
    assert value("o aᵀ").value.tolist() == [[10, 12]]
    assert (value("oᵀ aᵀ").value.tolist(), value("oᵀ aᵀ").row) == ([10, 12], True)
    assert value("a wide").value.tolist() == [[5, 10, 15], [6, 12, 18]]
    assert value("tall aᵀ").value.tolist() == [[5, 6], [10, 12]]
    assert value("wide + o").value.tolist() == [[3, 4, 5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("W @ c", "W @ c is (2×3)(2×1): 3 meets 2; did you mean W.T @ c?"),
        ("W.T @ a", "W.T @ a is (3×2)(3×1): 2 meets 3; did you mean W @ a?"),
        ("W Wᵀ W cᵀ", "(2×3)(1×2): 3 meets 1; did you mean cᵀ (W Wᵀ W)?"),
        ("a b", "a b is (3×1)(3×1): 1 meets 3; did you mean a.T b or a b.T or a ⊙ b?"),
        ("a c", "1 meets 2; did you mean a c.T?"),
        ("(a + b) W", "1 meets 2; did you mean W (a + b)?"),
        ("c W a", "c W is (2×1)(2×3): 1 meets 2; did you mean c.T W?"),
        ("W + M", "W is 2×3 and M is 3×3, which do not go together entry by entry"),
        ("W ⊙ W.T", "did you mean W ⊙ W?"),
        ("a + c", "a is 3×1 and c is 2×1"),
        ("W + cᵀ", "cᵀ is 1×2 and W is 2×3"),
        ("a + bᵀ", "a is a column and bᵀ a row; write b for bᵀ, or @ for a product"),
        ("a.T - b", "a.T is a row and b a column; write b.T for b"),
        ("M + a", "a fits the rows and the columns of M; write a.T to have it in every row"),
        ("M @ s", "@ multiplies arrays, and one side is a number; write M * s"),
        ("W ⊗ a", "outer product of two vectors, and W is 2×3; write @ or ⊙"),
    ],
)
def test_sizes_that_do_not_meet_are_named_with_a_way_out(text, message):
    with pytest.raises(ShapeError, match=re.escape(message)) as refusal:
        run(text, VALUES, FUNCTIONS)
    assert refusal.value.line


def test_a_cross_scales_and_leaves_open_which_product_of_arrays_it_is():
    np.testing.assert_array_equal(computed("2 × a")[0], 2 * VALUES["a"])
    with pytest.raises(NotationError, match="write W @ M or W ⊙ M"):
        computed("W × M")


def test_stacks_of_matrices_multiply_and_turn_only_by_mT():
    stack = random.normal(size=(4, 2, 3))
    values = {"S": stack, "a": VALUES["a"], "c": VALUES["c"]}

    def value(text: str) -> Any:
        return run(text, values, FUNCTIONS)[-1].value

    np.testing.assert_allclose(value("S @ S.mT"), stack @ stack.mT)
    np.testing.assert_allclose(value("S a"), stack @ VALUES["a"])
    np.testing.assert_allclose(value("cᵀ S"), VALUES["c"] @ stack)
    np.testing.assert_allclose(value("S + S"), 2 * stack)
    with pytest.raises(ShapeError, match=re.escape("4×2×3; .mT transposes each")):
        value("Sᵀ")
    with pytest.raises(ShapeError, match="3 meets 1"):
        value("S aᵀ")


def test_plain_numbers_stay_small_finite_and_whole():
    def number(sign: str, a: float, b: float) -> Any:
        return entrywise(Quantity(a, "a"), Quantity(b, "b"), sign, "").value

    assert (number("+", 2, 3), type(number("+", 2, 3))) == (5, int)
    assert (number("/", 4, 2), type(number("/", 4, 2))) == (2.0, float)
    assert (number("**", 2, -1), number("**", 2, 60)) == (0.5, 2.0**60)
    assert type(number("**", 2, 60)) is float
    assert number("<", 1, 2) is True or number("<", 1, 2) == 1
    for sign, a, b in [("**", 9, 9**9), ("/", 1, 0), ("**", -8, 0.5), ("*", 1e200, 1e200)]:
        with pytest.raises(NotationError, match="no finite real number"):
            number(sign, a, b)
    with pytest.raises(NotationError, match="no finite real number"):
        number("+", 10**400, 1)
    assert math.isinf(entrywise(Quantity(np.float64(np.inf), "a"), Quantity(2, "b"), "*", "").value)


def test_a_misfit_speaks_of_sizes_that_may_get_names():
    a, b = Quantity(np.ones((2, 3)), "A"), Quantity(np.ones((2, 3)), "B")
    with pytest.raises(Misfit, match=re.escape("A @ B is (2×3)(2×3): 3 meets 2;")) as refusal:
        product(a, b, "@", "A @ B", np.outer)
    named = refusal.value.sentence(lambda size: {2: "n", 3: "k"}[size])
    assert named.startswith("A @ B is (n×k)(n×k): k meets n; did you mean A.T @ B")


def test_rows_and_columns_are_kept_by_what_keeps_them():
    column = Quantity(np.ones(3), "a")
    row = transpose(column, "aᵀ", of_stack=False)
    assert (column.form, row.form) == ("column", "row")
    assert negative(row, "-aᵀ").form == "row"
    assert transpose(row, "aᵀᵀ", of_stack=False).form == "column"
    assert entrywise(row, Quantity(2.0, "2"), "*", "2aᵀ").form == "row"
    assert entrywise(Quantity(2.0, "2"), row, "**", "2^aᵀ").form == "row"
    assert entrywise(row, row, "+", "aᵀ + aᵀ").form == "row"
