"""The readable form of a write: what a reader would cross out is crossed out.

Every rule here keeps the value; the laws run each program before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd

from backpass.language.expr import (
    MINUS_ONE,
    ZERO,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    SizeTerm,
    Sum,
    Term,
    add,
    labels,
    multiply,
    number,
    power,
    size_term,
    substitute,
)
from backpass.language.program import Array, Step, Write, canonical
from backpass.language.shapes import Size


def tidy(write: Write) -> tuple[Write, ...]:
    """Drop what is zero, count what is only repeated, follow what is picked; split sums."""
    if write.term == ZERO:
        return ()
    write = count(pick(write))
    return tuple(replace(one, term=cancel(one.term)) for one in split(write))


def count(write: Write) -> Write:
    """A loop that neither side mentions repeats the same addition: multiply by its length."""
    used = (*write.left, *labels(write.term))
    idle = [label for label in write.labels if label not in used]
    if idle:
        used = labels(*write.left, write.term)
        idle = [label for label in idle if label not in used]
    if not idle:
        return write
    term = multiply(*(size_term(label.size) for label in idle), write.term)
    return replace(write, term=term, labels=tuple(one for one in write.labels if one in used))


def pick(write: Write) -> Write:
    """A sum over k that carries `[k == e]` has one term: the one where k is e."""
    if not isinstance(write.term, Product):
        return write
    factors = write.term.factors
    for factor in factors:
        if isinstance(factor, Bracket) and (tie := _tie(factor, write)) is not None:
            rest = multiply(*(one for one in factors if one is not factor))
            loops = tuple(label for label in write.labels if label not in tie)
            return pick(replace(write, term=substitute(rest, tie), labels=loops))
    return write


def _tie(bracket: Bracket, write: Write) -> dict[Label, Term] | None:
    """The summed label that a bracket ties to another label of the same size."""
    match bracket:
        case Bracket(relation="==", left=Label() as one, right=Label() as other):
            if one.size == other.size and one != other:
                for label, value in ((one, other), (other, one)):
                    if label in write.summed:
                        return {label: value}
            return None
        case _:
            return None


def cancel(term: Term) -> Term:
    """What leads a term and is a factor of a size below the line: 2·x/(2n) is x/n."""
    if not isinstance(term, Product) or not isinstance(term.factors[0], Number):
        return term
    lead = term.factors[0].value
    for place, factor in enumerate(term.factors):
        match factor:
            case Power(base=SizeTerm(size=below), exponent=exponent) if exponent == MINUS_ONE:
                common = gcd(lead.numerator, *(times for _, times in below.terms))
                if common > 1:
                    less = Size((names, times // common) for names, times in below.terms)
                    rest = (*term.factors[1:place], *term.factors[place + 1 :])
                    new = multiply(number(lead / common), *rest, power(size_term(less), MINUS_ONE))
                    return cancel(new)
            case _:
                pass
    return term


def split(write: Write) -> tuple[Write, ...]:
    """A sum at the top is several writes, when every loop stands on the left."""
    if isinstance(write.term, Sum) and not write.summed:
        return tuple(
            Write(write.left, part, write.labels, write.origin, write.notes)
            for part in write.term.terms
        )
    return (write,)


def merge(writes: Sequence[Write], target: Array) -> tuple[Write, ...]:
    """Add up writes that differ only in a number: dC·A + dC·A is 2·dC·A."""
    if len(writes) < 2:
        return tuple(writes)
    step = canonical(Step(target, tuple(writes)))
    merged: dict[tuple[tuple[Term, ...], tuple[Label, ...], Term], tuple[Term, Write]] = {}
    for write in step.writes:
        coefficient, rest = coefficient_of(write.term)
        key = (write.left, write.labels, _unordered(rest))
        before = merged.get(key)
        total = add(before[0], coefficient) if before else coefficient
        merged[key] = (total, before[1] if before else replace(write, term=rest))
    return tuple(
        replace(write, term=cancel(multiply(total, write.term)))
        for total, write in merged.values()
        if total != ZERO
    )


def _unordered(term: Term) -> Term:
    """A product with its factors in one fixed order, to compare by."""
    if isinstance(term, Product):
        return Product(tuple(sorted(term.factors, key=repr)))
    return term


def coefficient_of(term: Term) -> tuple[Number, Term]:
    """The number that leads a term, and the rest."""
    if isinstance(term, Number):
        return term, number(1)
    if isinstance(term, Product) and isinstance(term.factors[0], Number):
        return term.factors[0], multiply(*term.factors[1:])
    return number(1), term
