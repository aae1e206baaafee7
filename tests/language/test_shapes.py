import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpass.language.errors import NotationError, ShapeError
from backpass.language.shapes import (
    Size,
    bind,
    broadcast,
    divide,
    evaluate_size,
    names,
    product,
    show_shape,
    size,
)
from tests.language.terms import NAMES, sizes

known = st.fixed_dictionaries({name: st.integers(0, 50) for name in NAMES})


@given(sizes, sizes, known)
def test_arithmetic_of_sizes_is_arithmetic_of_what_they_stand_for(a, b, values):
    x, y = evaluate_size(a, values), evaluate_size(b, values)
    assert evaluate_size(a + b, values) == x + y
    assert evaluate_size(a - b, values) == x - y
    assert evaluate_size(a * b, values) == x * y
    assert evaluate_size(-a, values) == -x
    assert evaluate_size(3 + a * 2, values) == 3 + 2 * x
    assert evaluate_size(product([a, b, a]), values) == x * y * x


@given(sizes, sizes, sizes)
def test_equal_polynomials_are_one_object(a, b, c):
    assert a * (b + c) is a * b + c * a
    assert a - a is size(0)
    assert size(str(a)) is a
    assert copy.deepcopy(a) is a


@given(sizes, sizes)
def test_division_undoes_multiplication(a, b):
    if b.terms:
        assert divide(a * b, b) is a


@given(sizes, sizes)
def test_division_is_exact_or_refused(a, b):
    quotient = divide(a, b)
    assert quotient is None or quotient * b is a


@given(st.lists(st.lists(st.integers(0, 2), max_size=3).map(tuple), max_size=3))
def test_numbers_broadcast_as_in_numpy(shapes):
    try:
        expected = tuple(map(size, np.broadcast_shapes(*shapes)))
    except ValueError:
        expected = None
    assert broadcast([tuple(map(size, shape)) for shape in shapes]) == expected


def test_a_name_broadcasts_with_itself_and_with_1_alone():
    n, k = size("n"), size("k")
    assert broadcast([(n, k), (k,)]) == (n, k)
    assert broadcast([(size(1), k), (n, size(1))]) == (n, k)
    assert broadcast([(n,), (k,)]) is None
    assert broadcast([(n,), (size(3),)]) is None
    assert broadcast([(n,), (n + 0 * k,)]) == (n,)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("n", "n"),
        (" k + 1", "k+1"),
        ("2*h", "2*h"),
        ("2h", "2*h"),
        ("1+N_in", "N_in+1"),
        ("-1 + n*n", "n**2-1"),
        ("n·k", "k*n"),
        ("-n", "-n"),
        ("3", "3"),
        ("n-n", "0"),
    ],
)
def test_a_size_is_read_and_shown(text, shown):
    assert str(size(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "+", "n+", "n++k", "n k", "2.5", "n/2", "n*", "(n)", "9" * 99]
)
def test_what_is_no_size_is_quoted(text):
    with pytest.raises(NotationError) as caught:
        size(text)
    assert f"'{text}' is not a size" in str(caught.value)


def test_a_size_knows_its_name_and_its_number():
    assert size("n").is_name
    assert not any(size(text).is_name for text in ["2*n", "n+1", "n**2", "n*k", "3"])
    assert (size("7").number, size("n-n").number, size("n").number) == (7, 0, None)
    assert names(size("n*k+k-3")) == ("k", "n")


def test_shapes_are_shown_as_people_write_them():
    assert show_shape([size("n"), size("k+1")]) == "n×(k+1)"
    assert show_shape((3, 2)) == "3×2"
    assert show_shape([size("k+1")]) == "k+1"
    assert show_shape([]) == "scalar"


def declared(name: str, shape: str, *actual: int) -> tuple[str, tuple[Size, ...], tuple[int, ...]]:
    return name, tuple(map(size, shape.split())), actual


def test_sizes_are_found_in_the_arrays_whatever_their_order():
    arrays = [declared("Xb", "n k+1", 5, 4), declared("X", "n k", 5, 3), declared("w", "")]
    assert bind(arrays) == {"n": 5, "k": 3}


def test_what_stands_beside_known_sizes_is_told_by_the_rest():
    arrays = [
        declared("W", "a+1 b+1", 4, 6),
        declared("X", "n*k n", 6, 2),
        declared("Q", "s**2", 9),
    ]
    assert bind(arrays) == {"n": 2, "a": 3, "b": 5, "k": 3, "s": 3}
    chain = [declared("U", "b+c", 9), declared("V", "2*a-1 a*b", 5, 12)]
    assert bind(chain) == {"a": 3, "b": 4, "c": 5}


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            [declared("X", "n k", 5, 3), declared("y", "n", 4)],
            "y is n and was given 4, so n would be 4; but X already made it 5",
        ),
        (
            [declared("X", "n k", 5)],
            "X is declared n×k (2 axes) and was given 5 (1 axis)",
        ),
        (
            [declared("X", "n 3", 5, 4)],
            "X is n×3 and was given 5×4: 4 stands where 3 is declared",
        ),
        (
            [declared("X", "n", 5), declared("Xb", "n+1", 5)],
            "Xb is n+1 and was given 5: n+1 is 6, not 5",
        ),
        (
            [declared("X", "n 3", 3, 5)],
            "X is n×3 and was given 3×5: 5 stands where 3 is declared; did you mean X.T?",
        ),
        (
            [declared("X", "n k", 5, 4), declared("W", "k m", 2, 4)],
            "W is k×m and was given 2×4, so k would be 2; but X already made it 4; "
            "did you mean W.T?",
        ),
        ([declared("W", "a b+1", 3, 0)], "W is a×(b+1) and was given 3×0: b+1 is 0 for no b"),
        ([declared("X", "2*k", 5)], "X is 2*k and was given 5: 2*k is 5 for no k"),
        ([declared("X", "s**2", 8)], "X is s**2 and was given 8: s**2 is 8 for no s"),
        (
            [declared("V", "b+1 b+2", 4, 6)],
            "V is (b+1)×(b+2) and was given 4×6: b+2 is 5, not 6",
        ),
        (
            [declared("X", "a+b", 5)],
            "X is a+b and was given 5: that does not tell a and b, and no other axis does; "
            "declare the size as a number",
        ),
        (
            [declared("X", "n n*k", 0, 0)],
            "X is n×k*n and was given 0×0: k*n is 0 for every k",
        ),
    ],
)
def test_a_contradiction_names_both_sides(arrays, sentence):
    with pytest.raises(ShapeError) as caught:
        bind(arrays)
    assert str(caught.value) == sentence
