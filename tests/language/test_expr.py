import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpass.language.expr import (
    ONE,
    ZERO,
    Apply,
    Bracket,
    Function,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    add,
    children,
    divide,
    labels,
    multiply,
    negate,
    number,
    power,
    reads,
    rebuild,
    rename,
    size_term,
    substitute,
    transform,
    walk,
)
from backpass.language.program import fresh
from backpass.language.shapes import size
from tests.language.terms import fractions, terms

i, j, n = Label("i", size("i")), Label("j", size("j")), Label("n", size("n"))
x, y, z = (Read(name, ()) for name in "xyz")
VALUES = {"x": Fraction(3, 2), "y": Fraction(-2), "z": Fraction(5)}


def value(term: Term, of: Mapping[str, Fraction] = VALUES) -> Fraction:
    match term:
        case Number(value=exact):
            return exact
        case Read(name=name):
            return of[name]
        case Sum(terms=parts):
            return sum((value(part, of) for part in parts), Fraction(0))
        case Product(factors=parts):
            return math.prod((value(part, of) for part in parts), start=Fraction(1))
        case Power(base=base, exponent=Number(value=exponent)):
            return value(base, of) ** int(exponent)
        case _:
            raise AssertionError(term)


FOLDS: list[tuple[Callable[..., Term], Callable[..., Fraction]]] = [
    (add, operator.add),
    (multiply, operator.mul),
    (divide, operator.truediv),
    (lambda a, b: add(a, negate(b), a), lambda a, b: a - b + a),
    (lambda a, b: power(multiply(a, b), number(-2)), lambda a, b: (a * b) ** -2),
    (lambda a, b: power(power(a, number(3)), number(-1)) * b, lambda a, b: a**-3 * b),
    (operator.sub, operator.sub),
    (lambda a, b: (2 - a) / (1 + b) * 0.5, lambda a, b: (2 - a) / (1 + b) / 2),
]

scalars = st.recursive(
    st.sampled_from([x, y, z]) | fractions.map(number),
    lambda inner: st.one_of(
        st.builds(add, inner, inner, inner),
        st.builds(multiply, inner, inner, inner),
        st.builds(power, inner, st.integers(0, 3).map(number)),
    ),
    max_leaves=6,
)


@given(scalars, scalars, st.sampled_from(FOLDS))
def test_folding_keeps_the_value(a, b, fold):
    build, expected = fold
    try:
        known = expected(value(a), value(b))
    except ZeroDivisionError:
        return
    assert value(build(a, b)) == known


@given(terms((i, j, n)))
def test_a_term_is_its_own_normal_form(term):
    assert transform(term, lambda node: None) is term
    for node in walk(term):
        assert rebuild(node, children(node)) == node
        match node:
            case Sum(terms=parts):
                assert len(parts) > 1
                assert sum(isinstance(part, Number) for part in parts) <= 1
                assert not any(isinstance(part, Sum) for part in parts)
            case Product(factors=(_, *rest)):
                assert rest
                assert not any(isinstance(part, Number | Product) for part in rest)
            case Power(exponent=exponent):
                assert exponent not in (ZERO, ONE)
            case _:
                pass


def test_numbers_are_exact_and_stand_where_the_first_stood():
    assert number(0.1).value == Fraction(1, 10)
    assert add(x, number(2), y, number(-3)) == Sum((x, number(-1), y))
    assert add(x, number(2), number(-2)) == x
    assert multiply(x, number(2), y, number(Fraction(1, 2))) == Product((x, y))
    assert multiply(x, number(0)) == ZERO
    assert add() == ZERO
    assert multiply() == ONE
    assert size_term(size("n") - size("n")) == ZERO
    assert size_term(size("n")) == SizeTerm(size("n"))


def test_factors_keep_the_order_in_which_they_were_written():
    assert y * x / z == Product((y, x, Power(z, number(-1))))
    assert x / (y * z) == Product((x, Power(y, number(-1)), Power(z, number(-1))))
    assert -(x + y) == Product((number(-1), Sum((x, y))))


def test_powers_fold_only_where_the_value_is_the_same_everywhere():
    half = number(Fraction(1, 2))
    assert power(power(x, number(2)), number(3)) == Power(x, number(6))
    assert 1 / (1 / x) == x
    assert 1 / power(x, half) == Power(x, number(Fraction(-1, 2)))
    assert power(power(x, number(2)), half) == Power(Power(x, number(2)), half)  # |x|
    assert power(ZERO, number(-1)) == Power(ZERO, number(-1))
    assert power(number(9), power(number(9), number(9))) == Power(number(9), number(9**9))


def test_substitution_happens_all_at_once():
    term = Read("A", (i, j)) * Bracket("<=", j, i)
    swapped = substitute(term, {i: j, j: i})
    assert swapped == Read("A", (j, i)) * Bracket("<=", i, j)
    assert substitute(term, {}) is term
    assert substitute(Read("A", (i + 1,)), {i: number(2)}) == Read("A", (number(3),))


def test_renaming_reaches_indices_and_keeps_the_rest():
    term = Read("E", (Read("ids", (n,)), j)) * Read("A", (n,))
    expected = Read("F", (Read("rows", (n,)), j)) * Read("A", (n,))
    assert rename(term, {"E": "F", "ids": "rows"}) == expected
    assert rename(x - y, {"x": "y", "y": "x"}) == y - x


def test_labels_and_reads_come_in_the_order_of_their_appearance():
    inner = Read("ids", (n,))
    outer = Read("E", (inner, j))
    term = Apply(Function("tanh"), (outer,)) + outer * i
    assert labels(term, Read("A", (n,))) == (n, j, i)
    assert reads(term) == (outer, inner, outer, inner)


@pytest.mark.parametrize(
    ("name", "taken", "found"), [("n", [], "n"), ("n", ["n"], "n′"), ("n", ["n′", "n"], "n′′")]
)
def test_a_fresh_name_is_primed(name, taken, found):
    assert fresh(name, iter(taken)) == found
