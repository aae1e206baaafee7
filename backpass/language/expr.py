"""The nodes of index notation: scalar terms, and the labels and reads they are made of.

An index is a term as well: `X[2*p+u]` reads at a sum, `E[ids[n]]` at another read. Build sums,
products and powers with `add`, `multiply` and `power`, which fold numbers and keep the order
in which factors were written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from math import prod
from operator import is_not
from typing import Any, Literal, NamedTuple

from backpass.language.shapes import Size, size

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


class Arithmetic:
    """Lets a rule be written as mathematics: `dy * (1 - y**2)`, `dy * (x > 0)`."""

    __slots__ = ("_parts",)  # what `parts` found; a term never changes
    _parts: Parts

    def __add__(self, other: Operand) -> Term:
        return add(term(self), term(other))

    def __radd__(self, other: Operand) -> Term:
        return add(term(other), term(self))

    def __sub__(self, other: Operand) -> Term:
        return add(term(self), negate(term(other)))

    def __rsub__(self, other: Operand) -> Term:
        return add(term(other), negate(term(self)))

    def __mul__(self, other: Operand) -> Term:
        return multiply(term(self), term(other))

    def __rmul__(self, other: Operand) -> Term:
        return multiply(term(other), term(self))

    def __truediv__(self, other: Operand) -> Term:
        return divide(term(self), term(other))

    def __rtruediv__(self, other: Operand) -> Term:
        return divide(term(other), term(self))

    def __pow__(self, other: Operand) -> Term:
        return power(term(self), term(other))

    def __neg__(self) -> Term:
        return negate(term(self))

    def __lt__(self, other: Operand) -> Term:
        return Bracket("<", term(self), term(other))

    def __le__(self, other: Operand) -> Term:
        return Bracket("<=", term(self), term(other))

    def __gt__(self, other: Operand) -> Term:
        return Bracket(">", term(self), term(other))

    def __ge__(self, other: Operand) -> Term:
        return Bracket(">=", term(self), term(other))


class Label(Arithmetic):
    """A loop variable: it runs from 0 to `size` − 1. As a term it is its own value.

    Equal labels are one and the same object, so they are compared, and hashed, by identity.
    """

    __slots__ = ("name", "size")
    name: str
    size: Size

    def __new__(cls, name: str, size: Size) -> Label:
        return _label(name, size)

    def __repr__(self) -> str:
        return f"Label(name={self.name!r}, size={self.size!r})"

    def __reduce__(self) -> tuple[type[Label], tuple[str, Size]]:
        return Label, (self.name, self.size)


@cache
def _label(name: str, size: Size) -> Label:
    new = object.__new__(Label)
    new.name, new.size = name, size
    return new


@dataclass(frozen=True, slots=True)
class Number(Arithmetic):
    """An exact rational: ½ stays ½, and 0.1 is one tenth."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class SizeTerm(Arithmetic):
    """A size used as a value, such as the n in `1/n`."""

    size: Size


@dataclass(frozen=True, slots=True)
class Read(Arithmetic):
    """One entry of an array, `A[i,j]`."""

    name: str
    index: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Bracket(Arithmetic):
    """1 where the comparison holds and 0 elsewhere, `[k == y[n]]`."""

    relation: Comparison
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Function:
    """A function of numbers, applied entry by entry.

    `value` computes it on arrays; it is None for a function that was only declared.
    `slopes` gives the derivative for each argument; the language carries it and never asks.
    """

    name: str
    value: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    slopes: Callable[..., tuple[Term, ...]] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Apply(Arithmetic):
    """A function applied to terms, `tanh(Z[n,j])`."""

    function: Function
    args: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Sum(Arithmetic):
    """Two or more terms added; built by `add`."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Product(Arithmetic):
    """Two or more factors, a number first if there is one; built by `multiply`."""

    factors: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Power(Arithmetic):
    """`base ** exponent`; a quotient is a product with a power of −1. Built by `power`."""

    base: Term
    exponent: Term


Operand = Arithmetic | Fraction | float
Term = Label | Number | SizeTerm | Read | Bracket | Apply | Sum | Product | Power

ZERO, ONE, MINUS_ONE = Number(Fraction(0)), Number(Fraction(1)), Number(Fraction(-1))


def number(value: Fraction | float) -> Number:
    """The exact number behind a Python or NumPy number: 0.1 becomes 1/10."""
    if isinstance(value, Fraction):
        return Number(value)
    return _whole(value) if isinstance(value, int) else Number(Fraction(repr(float(value))))


@lru_cache(maxsize=256)
def _whole(value: int) -> Number:
    return Number(Fraction(value))


def term(value: Operand) -> Term:
    """A term as it is, and a plain number as a term."""
    if isinstance(value, Arithmetic):
        assert isinstance(value, Term)
        return value
    return number(value)


def size_term(value: Size | int) -> Term:
    """A size as a value; a plain number when no name occurs in it."""
    value = size(value)
    return SizeTerm(value) if value.number is None else number(value.number)


def add(*terms: Term) -> Term:
    """The sum, flat, with its numbers folded into one, where the first of them stood."""
    flat: list[Term] = []
    constant, place = Fraction(0), None
    for term in terms:
        for part in term.terms if isinstance(term, Sum) else (term,):
            if isinstance(part, Number):
                constant += part.value
                place = len(flat) if place is None else place
            else:
                flat.append(part)
    if constant and place is not None:
        flat.insert(place, Number(constant))
    if len(flat) == 1:
        return flat[0]
    return Sum(tuple(flat)) if flat else ZERO


def multiply(*factors: Term) -> Term:
    """The product, flat, with its numbers folded into one that leads."""
    flat: list[Term] = []
    numbers: list[Fraction] = []
    for factor in factors:
        for part in factor.factors if type(factor) is Product else (factor,):
            if type(part) is Number:
                numbers.append(part.value)
            else:
                flat.append(part)
    if numbers:
        coefficient = prod(numbers, start=Fraction(1)) if len(numbers) > 1 else numbers[0]
        if not coefficient:
            return ZERO
        if coefficient != 1:
            flat.insert(0, Number(coefficient))
    if not flat:
        return ONE
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def negate(term: Term) -> Term:
    """`-term`, as a product with −1; a sum keeps its brackets."""
    return multiply(MINUS_ONE, term)


def power(base: Term, exponent: Term) -> Term:
    """`base ** exponent`, with the cases 0, 1 and short whole powers of numbers folded."""
    if isinstance(exponent, Number):
        if exponent.value == 1:
            return base
        if exponent.value == 0 or base == ONE:
            return ONE
        whole = exponent.value.denominator == 1
        if isinstance(base, Number) and whole and (base.value or exponent.value > 0):
            bits = base.value.numerator.bit_length() + base.value.denominator.bit_length()
            if bits * abs(exponent.value) <= 1024:  # 9**9**9 has more digits than memory
                return Number(base.value ** int(exponent.value))
        if isinstance(base, Power) and isinstance(base.exponent, Number) and whole:
            inner = base.exponent.value
            if inner.denominator == 1 or exponent.value == -1:  # (x^a)^b is x^(ab) for whole b
                return power(base.base, Number(inner * exponent.value))
    return Power(base, exponent)


def divide(above: Term, below: Term) -> Term:
    """`above / below`, kept as a product with powers of −1."""
    if isinstance(below, Product):
        return multiply(above, *(power(factor, MINUS_ONE) for factor in below.factors))
    return multiply(above, power(below, MINUS_ONE))


def children(term: Term) -> tuple[Term, ...]:
    """The terms directly below this one."""
    match term:
        case Label() | Number() | SizeTerm():
            return ()
        case Read():
            return term.index
        case Product():
            return term.factors
        case Sum():
            return term.terms
        case Power():
            return (term.base, term.exponent)
        case Apply():
            return term.args
        case Bracket():
            return (term.left, term.right)


def rebuild(term: Term, below: tuple[Term, ...]) -> Term:
    """The same node over other children, folded again."""
    match term:
        case Label() | Number() | SizeTerm():
            return term
        case Read(name=name):
            return Read(name, below)
        case Bracket(relation=relation):
            return Bracket(relation, *below)
        case Apply(function=function):
            return Apply(function, below)
        case Sum():
            return add(*below)
        case Product():
            return multiply(*below)
        case Power():
            return power(*below)


def walk(term: Term) -> Iterator[Term]:
    """Every node of a term, from the outside in, left to right."""
    stack = [term]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node)[::-1])


def transform(term: Term, change: Callable[[Term], Term | None]) -> Term:
    """Replace nodes from the outside in; where `change` answers None, look below."""
    new = change(term)
    if new is not None:
        return new
    below = children(term)
    if not below:
        return term
    changed = tuple([transform(child, change) for child in below])
    return rebuild(term, changed) if any(map(is_not, below, changed)) else term


def substitute(term: Term, labels: Mapping[Label, Term]) -> Term:
    """Put terms in the place of labels."""
    if isinstance(term, Label):
        return labels.get(term, term)
    if labels.keys().isdisjoint(parts(term).labels):
        return term
    return rebuild(term, tuple([substitute(child, labels) for child in children(term)]))


def rename(term: Term, names: Mapping[str, str]) -> Term:
    """Read other arrays in the same places."""
    if names.keys().isdisjoint([read.name for read in parts(term).reads]):
        return term
    below = tuple([rename(child, names) for child in children(term)])
    if isinstance(term, Read):
        return Read(names.get(term.name, term.name), below)
    return rebuild(term, below)


class Parts(NamedTuple):
    """What a term is made of: its reads, its labels and the sizes in it."""

    reads: tuple[Read, ...]  # once for each appearance, outer before inner
    labels: tuple[Label, ...]  # each once, in the order of their first appearance
    sizes: tuple[Size, ...]


def parts(term: Term) -> Parts:
    """The reads, labels and sizes of a term; looked for once and kept with it."""
    try:
        return term._parts  # pyright: ignore[reportPrivateUsage]
    except AttributeError:
        pass
    if isinstance(term, Label):
        found = Parts((), (term,), ())
    elif isinstance(term, Number):
        found = NOTHING
    elif isinstance(term, SizeTerm):
        found = Parts((), (), (term.size,))
    else:
        reads: tuple[Read, ...] = (term,) if isinstance(term, Read) else ()
        labels: tuple[Label, ...] = ()
        sizes: tuple[Size, ...] = ()
        for child in children(term):
            below = parts(child)
            reads += below.reads
            labels += below.labels
            sizes += below.sizes
        found = Parts(reads, tuple(dict.fromkeys(labels)), sizes)
    object.__setattr__(term, "_parts", found)
    return found


NOTHING = Parts((), (), ())


def labels(*terms: Term) -> tuple[Label, ...]:
    """The labels that occur, each once, in the order of their first appearance."""
    if len(terms) == 1:
        return parts(terms[0]).labels
    return tuple(dict.fromkeys([label for term in terms for label in parts(term).labels]))


def reads(*terms: Term) -> tuple[Read, ...]:
    """Every read, once for each appearance, outer before inner."""
    return tuple([read for term in terms for read in parts(term).reads])
