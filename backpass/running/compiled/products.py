"""Which sums are matrix products, and which updates a product can make by itself.

A sum of a product of two factors is one if every label stands in just two of left, first and
second factor, or in all three (then a product is made for each of its values). Labels that stand
side by side in both places count as one. `W = W - lr * dW` with `dW` a product that nobody else
reads is one product with `alpha = -lr` and `beta = 1`: no gradient is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from backpass.language.expr import (
    ONE,
    ZERO,
    Label,
    Read,
    Sum,
    Term,
    add,
    labels,
    multiply,
    reads,
)
from backpass.language.expr import (
    Product as Times,
)
from backpass.language.program import Array
from backpass.language.shapes import Size
from backpass.running.compiled.desk import Desk
from backpass.running.compiled.nest import Check, Cut, Labels, Product, Statement

SMALL = 64  # below so many entries of a factor, loops are done before a product has begun


def with_products(cut: Cut) -> Cut:
    """The same statements, with matrix products where they can be."""
    desk = Desk(cut.arrays)
    for one in cut.statements:
        if isinstance(one, Statement) and one.operation == "+" and one.summed:
            _sum(one, desk, cut.samples)
        else:
            desk.statements.append(one)
    found = _merged(desk.statements, cut.kept | cut.results)
    used = {read.name for one in found for read, _ in one.accesses()}
    arrays = {name: one for name, one in desk.arrays.items() if name in used | cut.kept}
    return replace(cut, statements=tuple(found), arrays=arrays)


def _sum(one: Statement, desk: Desk, samples: Size | None) -> None:
    """A sum as a product, its composed factors made first; as it is where that cannot be."""
    factors = one.term.factors if isinstance(one.term, Times) else (one.term,)
    alpha = [factor for factor in factors if not labels(factor)]
    rest = [factor for factor in factors if labels(factor)]
    groups = _groups(rest, one)
    if groups is not None:
        operands = [_operand(group, desk) for group in groups]
        a, b = (read for read, _ in operands)
        found = product(one, a, b, multiply(*alpha), desk.arrays, samples)
        if found is not None:
            desk.statements += [made for _, made in operands if made is not None]
            desk.statements.append(found)
            return
        for read, made in operands:
            if made is not None:
                del desk.arrays[read.name]
    desk.statements.append(one)


def _groups(factors: Sequence[Term], one: Statement) -> list[list[Term]] | None:
    """The factors in two groups, of which each has all the labels that its members have."""
    summed = set(one.summed)
    if any(not summed & set(labels(factor)) for factor in factors):
        return None
    groups: list[tuple[set[Label], list[Term]]] = []
    for factor in sorted(factors, key=lambda factor: -len(labels(factor))):
        own = set(labels(factor))
        for held, members in groups:
            if own <= held:
                members.append(factor)
                break
        else:
            groups.append((own, [factor]))
    if len(groups) != 2:
        return None
    order = {id(factor): place for place, factor in enumerate(factors)}
    for _, members in groups:
        members.sort(key=lambda factor: order[id(factor)])
    return [members for _, members in groups]


def _operand(group: Sequence[Term], desk: Desk) -> tuple[Read, Statement | None]:
    """A factor that is an array as it stands, or else the statement that makes it one."""
    term = multiply(*group)
    if isinstance(term, Read) and len(set(term.index)) == len(term.index):
        return term, None
    axes = labels(term)
    read = desk.array("factor", axes)
    return read, Statement(read.name, axes, term, axes)


# ── the pattern ──────────────────────────────────────────────────────────────────────────────


def product(
    one: Statement, a: Read, b: Read, alpha: Term, arrays: dict[str, Array], samples: Size | None
) -> Product | None:
    """The matrix product that a sum of a times b is, if it can be done in one call or a few."""
    axes = [_whole(read, arrays) for read in (Read(one.target, one.left), a, b)]
    if any(axis is None for axis in axes):
        return None
    to, of_a, of_b = (axis or () for axis in axes)
    if any(arrays[name].kind != "real" for name in (one.target, a.name, b.name)):
        return None
    batch = tuple(label for label in to if label in of_a and label in of_b)
    depth = len(batch)
    if any(axis[:depth] != batch for axis in (to, of_a, of_b)):
        return None
    to, of_a, of_b = to[depth:], of_a[depth:], of_b[depth:]
    rows = tuple(label for label in to if label in of_a)
    columns = tuple(label for label in to if label in of_b)
    summed = tuple(label for label in of_a if label in of_b)
    if (*columns, *rows) == to and rows and columns:
        a, b, of_a, of_b, rows, columns = b, a, of_b, of_a, columns, rows
        summed = tuple(label for label in of_a if label in of_b)
    groups = (rows, columns, summed)
    fits = (
        all(groups)
        and (*rows, *columns) == to
        and of_a in ((*rows, *summed), (*summed, *rows))
        and of_b in ((*summed, *columns), (*columns, *summed))
        and len(to) + len(of_a) + len(of_b) == 2 * sum(map(len, groups))
        and not any(samples in _sizes(group)[1:] for group in groups)
    )
    if not fits or _is_small(groups):
        return None
    beta = ZERO if one.fresh else ONE
    left = (*batch, *rows, *columns)
    return Product(one.target, left, a, b, rows, columns, summed, batch, alpha, beta)


def _whole(read: Read, arrays: dict[str, Array]) -> Labels | None:
    """The labels of a read that runs along whole axes, one label each."""
    found = tuple(part for part in read.index if isinstance(part, Label))
    whole = len(set(found)) == len(read.index) and _sizes(found) == arrays[read.name].shape
    return found if whole else None


def _sizes(group: Labels) -> tuple[Size, ...]:
    return tuple(label.size for label in group)


def _is_small(groups: Sequence[Labels]) -> bool:
    """Whether the axes that are known make so small a factor that a call is not worth it."""
    known = [prod(label.size.number or 1 for label in group) for group in groups]
    open_ends = [any(label.size.number is None for label in group) for group in groups]
    if any(length == 1 for length, open_end in zip(known, open_ends, strict=True) if not open_end):
        return True
    return prod(known) < SMALL or (not any(open_ends) and prod(known) < SMALL * 16)


# ── updates ──────────────────────────────────────────────────────────────────────────────────

Line = Statement | Product | Check


def _merged(lines: Sequence[Line], kept: frozenset[str]) -> list[Line]:
    """Products that make the update of which they are a part."""
    found = list(lines)
    for at in range(len(found) - 1, -1, -1):
        one = found[at]
        if isinstance(one, Product) and one.beta == ZERO and one.target not in kept:
            _merge(at, one, found)
    return found


def _merge(at: int, one: Product, lines: list[Line]) -> None:
    users = [
        place for place, line in enumerate(lines) if place != at and _touches(line, one.target)
    ]
    if len(users) != 1 or users[0] < at:
        return
    user = lines[users[0]]
    if not isinstance(user, Statement) or user.operation != "=":
        return
    if [label.size for label in labels(*user.left)] != [label.size for label in one.left]:
        return  # only a part of the product is wanted
    between = {read.name for line in lines[at + 1 : users[0]] for read, w in line.accesses() if w}
    if between & {one.a.name, one.b.name} or user.target in (one.a.name, one.b.name):
        return
    parts = linear(user)
    if parts is None or Read(one.target, user.left) not in parts:
        return
    share = parts.pop(Read(one.target, user.left))
    made = replace(one, target=user.target, alpha=multiply(share, one.alpha))
    own = Read(user.target, user.left)
    if set(parts) == {own}:
        lines[users[0]] = replace(made, beta=parts[own])
    elif parts:
        rest = add(*(multiply(factor, read) for read, factor in parts.items()))
        lines[users[0]] = replace(user, term=rest)
        lines.insert(users[0] + 1, replace(made, beta=ONE))
    else:
        lines[users[0]] = made
    del lines[at]


def _touches(line: Line, name: str) -> bool:
    return any(read.name == name for read, _ in line.accesses())


def linear(one: Statement) -> dict[Read, Term] | None:
    """A term as a sum of arrays, each read where the left stands, times what has no label."""
    found: dict[Read, Term] = {}
    for part in _expanded(one.term):
        factors = part.factors if isinstance(part, Times) else (part,)
        moving = [factor for factor in factors if labels(factor)]
        if len(moving) != 1 or not isinstance(moving[0], Read) or moving[0].index != one.left:
            return None
        if any(read.name == one.target for f in factors if f is not moving[0] for read in reads(f)):
            return None
        rest = multiply(*(factor for factor in factors if factor is not moving[0]))
        found[moving[0]] = add(found.get(moving[0], ZERO), rest)
    return found


def _expanded(term: Term) -> Iterator[Term]:
    """The terms of a sum, with brackets that hold sums multiplied out."""
    if isinstance(term, Sum):
        for part in term.terms:
            yield from _expanded(part)
        return
    factors = term.factors if isinstance(term, Times) else (term,)
    for place, factor in enumerate(factors):
        if isinstance(factor, Sum) and labels(factor):
            for part in factor.terms:
                yield from _expanded(multiply(*factors[:place], part, *factors[place + 1 :]))
            return
    yield term
