"""Index terms and matrix trees, spelled as formulas: minus signs drawn out, quotients gathered."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from backpass.language import expr
from backpass.language.program import Write
from backpass.language.shapes import Size, size
from backpass.reading import presentation as show
from backpass.reading import tree
from backpass.reading.called import called
from backpass.reading.presentation import Dialect, Shown
from backpass.reading.primes import unprimed, without_prime


def spell_size(value: Size) -> Shown:
    """A size as a formula: `n·k`, `k + 1`, `3`."""
    terms: list[Shown] = []
    # as in str(size): what is added first, names before numbers
    for monomial, count in sorted(value.terms, key=lambda part: (part[1] < 0, part[0] == (), part)):
        factors: list[Shown] = []
        for name, power in monomial:
            base = show.Name(name)
            exponent = show.Numeral(Fraction(power))
            factors.append(base if power == 1 else show.Raised(base, exponent))
        if factors:
            terms.append(show.scaled(Fraction(count), show.multiplied("scaling", *factors)))
        else:
            terms.append(_number(Fraction(count)))
    return show.total(*terms) if terms else show.Numeral(Fraction(0))


def _number(value: Fraction) -> Shown:
    return show.Numeral(value) if value >= 0 else show.negated(show.Numeral(-value))


# ── index terms ──────────────────────────────────────────────────────────────────────────────


def spell_term(term: expr.Term) -> Shown:
    """A term of index notation as a formula about entries."""
    match term:
        case expr.Label(name=name):
            return show.Name(name)
        case expr.Number(value=value):
            return _number(value)
        case expr.SizeTerm(size=value):
            return spell_size(value)
        case expr.Read(name=name, index=index):
            return spell_entry(name, index)
        case expr.Bracket(relation=relation, left=left, right=right):
            return show.Indicator(relation, spell_term(left), spell_term(right))
        case expr.Apply(function=function, args=args):
            return spell_function(called(function.name), tuple(map(spell_term, args)))
        case expr.Sum(terms=terms):
            return show.total(*map(spell_term, terms))
        case expr.Product(factors=factors):
            return _product(factors)
        case expr.Power(base=base, exponent=exponent):
            return spell_power(spell_term(base), exponent)
        case _:
            assert_never(term)


def spell_entry(name: str, index: Sequence[expr.Term]) -> Shown:
    """`A[n,j]`, and the bare name of a scalar."""
    if not index:
        return show.Name(name)
    return show.Entry(show.Name(name), tuple(map(spell_term, index)))


def spell_function(name: str, args: tuple[Shown, ...]) -> Shown:
    """A function applied, with √ and |x| for the two that have signs of their own."""
    if name == "sqrt":
        return show.Root(args[0])
    if name == "abs":
        return show.Magnitude(args[0])
    return show.Of(name, args)


def spell_power(base: Shown, exponent: expr.Term) -> Shown:
    """A power; a negative one is a quotient, and ½ a root."""
    if not isinstance(exponent, expr.Number):
        return show.Raised(base, spell_term(exponent))
    if exponent.value < 0:
        return show.Over(show.ONE, spell_power(base, expr.Number(-exponent.value)))
    if exponent.value == 1:
        return base
    if exponent.value == Fraction(1, 2):
        return show.Root(base)
    return show.Raised(base, show.Numeral(exponent.value))


def _product(factors: Sequence[expr.Term], *more: Shown) -> Shown:
    """Numbers lead, and whatever has a negative power goes below the line."""
    coefficient = Fraction(1)
    count, per = size(1), size(1)
    above: list[Shown] = []
    below: list[Shown] = []
    for factor in factors:
        match factor:
            case expr.Number(value=value):
                coefficient *= value
                continue
            case expr.SizeTerm(size=value):
                count *= value
                continue
            case expr.Power(base=expr.SizeTerm(size=value), exponent=expr.MINUS_ONE):
                per *= value
                continue
            case _:
                shown = spell_term(factor)
        if isinstance(shown, show.Over) and shown.above == show.ONE:
            below.append(shown.below)
            continue
        sign, positive = show.signed(shown)
        coefficient *= sign
        above.append(positive)
    if count != size(1):
        above.insert(0, spell_size(count))
    if per != size(1):
        below.insert(0, spell_size(per))
    return quotient(coefficient, [*above, *more], below)


def quotient(coefficient: Fraction, above: list[Shown], below: list[Shown]) -> Shown:
    """`coefficient · above / below` in the fewest signs."""
    if not below:
        if not above:
            return _number(coefficient)
        return show.scaled(coefficient, show.multiplied("scaling", *above))
    number = abs(coefficient)
    lead: list[Shown] = []
    if show.short(number):
        lead = [show.Numeral(number)] if number != 1 or not above else []
    else:
        lead = (
            [show.Numeral(Fraction(number.numerator))] if number.numerator != 1 or not above else []
        )
        below = [show.Numeral(Fraction(number.denominator)), *below]
    over = show.Over(show.multiplied("scaling", *lead, *above), show.multiplied("scaling", *below))
    return over if coefficient > 0 else show.negated(over)


def spell_write(write: Write) -> Shown:
    """The right side of one loop nest, its sums written out: `Σⱼ A[i,j] · B[j,k]`.

    A summed label that the term does not mention only counts, so its size becomes a factor.
    """
    write = unprimed(write)
    mentioned = set(expr.labels(write.term))
    summed = tuple(label for label in write.summed if label in mentioned)
    counts = [expr.size_term(label.size) for label in write.summed if label not in mentioned]
    term = expr.multiply(*counts, write.term)
    if not summed:
        return spell_term(term)
    factors = term.factors if isinstance(term, expr.Product) else (term,)
    fixed = [factor for factor in factors if not (expr.reads(factor) or expr.labels(factor))]
    inside = [factor for factor in factors if factor not in fixed]
    body = show.Summed(tuple(label.name for label in summed), spell_term(expr.multiply(*inside)))
    return _product(fixed, body)


# ── matrix trees ─────────────────────────────────────────────────────────────────────────────


def spell_tree(node: tree.Node, dialect: Dialect = "code") -> Shown:
    """A matrix tree as a formula about whole arrays."""

    def spell(part: tree.Node) -> Shown:
        return spell_tree(part, dialect)

    match node:
        case tree.Name(name=name):
            return show.Name(name)
        case tree.Scalar(value=value):
            return spell_term(value)
        case tree.Ramp(axes=axes):
            return show.Of("arange", (spell_size(axes[0].size),))
        case tree.Transpose(value=value, axes=axes):
            return show.Transposed(spell(value), stack=len(axes) > 2)
        case tree.Matmul():
            left, right = factors(node, dialect)
            return show.multiplied("matrix", spell(left), spell(right))
        case tree.Outer(left=left, right=right):
            if dialect == "code":
                return show.multiplied("outer", spell(left), spell(right))
            return show.multiplied("matrix", spell(left), show.Transposed(spell(right)))
        case tree.Add(terms=terms):
            return show.total(*map(spell, terms))
        case tree.Negative(value=value):
            return show.negated(spell(value))
        case tree.Times(factors=parts):
            return _times([(bool(part.axes), spell(part)) for part in parts])
        case tree.Quotient(above=above, below=below):
            return _quotient(spell(above), spell(below))
        case tree.Powered(base=base, exponent=exponent):
            if isinstance(exponent, tree.Scalar):
                return spell_power(spell(base), exponent.value)
            return show.Raised(spell(base), spell(exponent))
        case tree.Applied(function=function, args=args):
            return spell_function(called(function.name), tuple(map(spell, args)))
        case tree.Compared(relation=relation, left=left, right=right):
            return show.Indicator(relation, spell(left), spell(right))
        case tree.Total(value=value, over=over, axes=axes):
            taken = {label.name for label in value.axes}
            names = tuple(without_prime(label, taken) for label in over)
            return show.Summed(names if axes else (), spell(value))
        case tree.Spread():
            return _spread(node, dialect)
        case tree.Picked(value=value, index=index):
            picks = (
                _slice(one, axis.size) if isinstance(one, tree.Slice) else spell(one)
                for one, axis in zip(index, value.axes, strict=True)
            )
            return show.Entry(show.Name(value.name), tuple(picks))
        case tree.Thin(value=value, axes=axes):
            first = show.Numeral(Fraction(0))
            thin = tuple(show.Range() if axis in axes else first for axis in value.axes)
            return show.Entry(show.Name(value.name), thin)
        case tree.OneHot(value=value, hot=hot, axes=axes):
            return show.Of("onehot", (spell(value),), () if hot == axes[-1] else (hot.name,))
        case tree.Diagonal(value=value) | tree.DiagonalMatrix(value=value):
            return show.Of("diag", (spell(value),))
        case tree.Stacked(parts=parts, axis=axis, axes=axes):
            beside = axis == len(axes) - 1 and len(axes) > 1
            return show.Blocks(tuple(map(spell, parts)), beside)
        case tree.Reshaped(value=value, axes=axes):
            sizes = tuple(spell_size(label.size) for label in axes)
            return show.Of("reshape", (spell(value), *sizes))
        case tree.Called(function=function, args=args, over=over, axes=axes):
            last = args[0].axes[len(args[0].axes) - len(over) :]
            along = () if over == last else tuple(label.name for label in over)
            return show.Of(called(function.name), tuple(map(spell, args)), along)
        case _:
            assert_never(node)


def factors(node: tree.Matmul, dialect: Dialect) -> tuple[tree.Node, tree.Node]:
    """The two factors as the dialect writes them: where vectors are columns, `x W` is `Wᵀ x`."""
    left, right = node.left, node.right
    if dialect == "code" or len(left.axes) != 1:
        return left, right
    if len(right.axes) == 1:
        return tree.Transpose(left, left.axes), right
    if isinstance(right, tree.Transpose):
        return right.value, left
    return tree.Transpose(right, right.axes[::-1]), left


def _spread(node: tree.Spread, dialect: Dialect) -> Shown:
    value = node.value
    if isinstance(value, tree.Thin) and node.trailing:
        return show.Name(value.value.name)
    shown = spell_tree(value, dialect)
    if node.keeps:  # a Σ is written without its axes, kept or not
        return shown
    kept = tuple(axis in value.axes for axis in node.axes)
    if dialect == "math" and len(kept) == 2 and all(axis.size == tree.ONE for axis in node.along):
        return shown if kept[0] else show.Transposed(shown)  # a column has that axis anyway
    return show.Copied(shown, kept) if any(kept) and not all(kept) else shown


def _times(factors: Sequence[tuple[bool, Shown]]) -> Shown:
    """Numbers and scalars first, then the arrays, entry by entry."""
    coefficient = Fraction(1)
    scalars: list[Shown] = []
    arrays: list[Shown] = []
    for is_array, factor in factors:
        sign, shown = show.signed(factor)
        coefficient *= sign
        if isinstance(shown, show.Numeral):
            coefficient *= shown.value
        else:
            (arrays if is_array else scalars).append(shown)
    if arrays:
        scalars.append(show.multiplied("entrywise", *arrays))
    return quotient(coefficient, scalars, [])


def _quotient(above: Shown, below: Shown) -> Shown:
    sign, over = show.signed(above)
    other, under = show.signed(below)
    if isinstance(over, show.Over):
        over, under = over.above, show.multiplied("scaling", over.below, under)
    (one, above), (two, below) = show.leading(over), show.leading(under)
    if one != 1 and two != 1:  # 2 x / (2 n) is x / n
        share = one / two
        over, under = _led(share.numerator, above), _led(share.denominator, below)
    result = over if under == show.ONE else show.Over(over, under)
    return result if sign == other else show.negated(result)


def _led(number: int, rest: Shown) -> Shown:
    if rest == show.ONE:
        return show.Numeral(Fraction(number))
    return rest if number == 1 else show.multiplied("scaling", show.Numeral(Fraction(number)), rest)


def _slice(part: tree.Slice, axis: Size) -> Shown:
    """`1:4`, `::2`; an end that is the axis's own is left out."""
    if part.whole:
        return show.Range()
    stop = part.start + part.count * part.step
    start = None if part.step > 0 and part.start.number == 0 else spell_size(part.start)
    if part.step > 0:
        beyond = (stop - axis).number
        ends = beyond is not None and 0 <= beyond < part.step
    else:
        ends = stop.number is not None and stop.number < 0
    return show.Range(start, None if ends else spell_size(stop), part.step)
