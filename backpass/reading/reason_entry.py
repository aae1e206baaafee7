"""Why a line that acts entry by entry looks as it does: slopes, copies, sums and moves."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from backpass.language.expr import (
    MINUS_ONE,
    Apply,
    Bracket,
    Function,
    Label,
    Number,
    Power,
    Product,
    Read,
    Sum,
    Term,
    children,
    labels,
    multiply,
    reads,
)
from backpass.reading import tree
from backpass.reading.called import called
from backpass.reading.flow import Flow
from backpass.reading.functions import slope_clause
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import (
    ONE,
    TWO,
    Name,
    Over,
    Raised,
    Root,
    Signed,
    leading,
    multiplied,
    negated,
)
from backpass.reading.reason_product import core, direction
from backpass.reading.spelling import spell_term, spell_tree
from backpass.reading.words import Words, listed, words


def cancelled(flow: Flow) -> Words | None:
    """The numbers that met on the way back and left nothing, if the calculus noted any."""
    note = next((note for note in flow.notes if note.kind == "cancelled"), None)
    if note is None:
        return None
    values = [abs(value) for value in note.data if isinstance(value, Fraction)]
    values = [value for value in values if value != 1]
    if sorted(values) == [Fraction(1, 2), Fraction(2)] and _squared(flow):
        told = words("the 2 of the square meets the ½")
    else:
        told = listed([words("{x}", x=spell_term(Number(value))) for value in values])
        told += words(" meet")
    if _turned(flow):
        return told + words("; ") + _minus(flow)
    return told + words(": no factor is left")


def _squared(flow: Flow) -> bool:
    return any(isinstance(n, Power) and n.exponent == Number(Fraction(2)) for n in enclosing(flow))


def _turned(flow: Flow) -> bool:
    """Whether the signs around the read come to a minus."""
    leads = [one.factors[0] for one in enclosing(flow) if isinstance(one, Product)]
    return sum(isinstance(lead, Number) and lead.value < 0 for lead in leads) % 2 == 1


def _minus(flow: Flow) -> Words:
    """Where the minus of a slope comes from."""
    if not _subtracted(flow):
        return words("the minus in front stays")
    alone = any(one == multiply(MINUS_ONE, flow.origin.read) for one in enclosing(flow))
    subject = words("{a}", a=flow.operand) if alone else words("its term")
    return subject + words(" is subtracted, so the sign turns")


def appearances(flow: Flow) -> int:
    """How often the read stands in its forward line, where a change of it can be felt."""
    return sum(_count(write.term, flow.origin.read) for write in flow.source.writes)


def _count(term: Term, read: Read) -> int:
    match term:
        case Read():
            return int(term == read)
        case Bracket():
            return 0
        case _:
            return sum(_count(part, read) for part in children(term))


def enclosing(flow: Flow) -> list[Term]:
    """The nodes around the read in its forward term, from the outside in."""
    if flow.write is None:
        return []
    trail: list[Term] = []
    node = flow.write.term
    while node != flow.origin.read:
        trail.append(node)
        node = next(part for part in children(node) if flow.origin.read in reads(part))
    return trail


def entrywise_reason(passes: Passes, flow: Flow) -> Words:
    """Everything that stands between the operand and the result, one clause each."""
    slopes = _slopes(flow)
    if slopes and _subtracted(flow) and _turned(flow):
        slopes.append(_minus(flow))
    clauses = [*slopes, *_moves(passes, flow), *_copies(flow), *_sums(flow)]
    if not clauses:
        clauses = [_identity(flow)]
    return tuple(
        part
        for place, clause in enumerate(clauses)
        for part in (words("; ") + clause if place else clause)
    )


def _slopes(flow: Flow) -> list[Words]:
    """What the functions, powers and factors around the read say."""
    clauses: list[Words] = []
    found = core(flow.back)
    product = isinstance(found, tree.Times) and sum(bool(one.axes) for one in found.factors) > 1
    for node in enclosing(flow):
        match node:
            case Apply():
                clauses.append(_function(node, product, bool(flow.step.target.shape)))
            case Power(exponent=Number(value=value)):
                clauses.append(_power(value, not _leads_with_number(flow)))
            case Power(base=base):
                clauses.append(_any_power(flow.origin.read in reads(base)))
            case Product(factors=parts) if others := _others(parts, flow.origin.read):
                clauses.append(_product(others))
            case _:
                pass
    return list(dict.fromkeys(clauses))


def _others(parts: tuple[Term, ...], read: Read) -> int:
    """How many other factors of a product read anything."""
    held = next(part for part in parts if read in reads(part))
    return sum(bool(reads(part)) for part in parts if part is not held)


def _product(others: int) -> Words:
    if others == 1:
        return words("each factor is the other one's slope")
    return words("the slope for one factor is the product of the others")


def _function(node: Apply, product: bool, array: bool) -> Words:
    function = node.function
    known = slope_clause(function.name, tuple(map(spell_term, node.args)))
    if known is None and function.value is None:
        known = words("its slope {slope} stays a symbol", slope=f"{function.name}′")
    first = function_words(function)
    if array or known is None:
        first += words(" acts entry by entry" + (", so ⊙" if product else ""))
    return first if known is None else first + words("; " if array else ": ") + known


def function_words(function: Function) -> Words:
    """A function inside a sentence; one that was only declared is a symbol."""
    return words("{f}", f=function.name) if function.value is None else (called(function.name),)


def _leads_with_number(flow: Flow) -> bool:
    """Whether a number is left in front, such as the 2 of a square."""
    if flow.back is None:
        return True
    shown = spell_tree(flow.back)
    terms = [term for _, term in shown.terms] if isinstance(shown, Signed) else [shown]
    above = [term.above if isinstance(term, Over) else term for term in terms]
    return any(leading(term)[0] != 1 for term in above)


def _power(exponent: Fraction, met: bool) -> Words:
    x = Name("x")
    if exponent == 2:
        return words("the slope of a square is twice its base" + (", and the 2 cancels" * met))
    if exponent == -1:
        above, below = Over(ONE, x), Over(ONE, Raised(x, TWO))
        return words("the slope of {f} is {s}", f=above, s=negated(below))
    if exponent == Fraction(1, 2):
        below = multiplied("scaling", TWO, Root(x))
        return words("the slope of {f} is {s}", f=Root(x), s=Over(ONE, below))
    return words("the slope of a power is the exponent times the next lower power")


def _any_power(base: bool) -> Words:
    """What moves in a power whose exponent is no number."""
    if base:
        return words("the slope of a power is the exponent times the next lower power")
    return words("the slope by an exponent is the power itself times the log of its base")


def _copies(flow: Flow) -> list[Words]:
    """Labels along which the operand was used again and again are added up."""
    summed = flow.summed
    if not summed:
        return []
    alone = flow.write is not None and not any(
        read != flow.origin.read for read in reads(flow.write.term)
    )
    used = "was copied to" if alone else "was used for"
    if alone and _subtracted(flow):
        used = "was subtracted from"
    rank = len(flow.source.target.shape)
    if len(summed) == rank > 1:
        return [words("{b} " + used + " every entry, so all are added up", b=flow.operand)]
    if len(summed) == 1 and (place := direction(flow, summed[0])):
        minus = ", with a minus" if "subtracted" in used else ""
        text = f"{used} every {place}, so the {place}s are added up{minus}"
        return [words("{b} " + text, b=flow.operand)]
    labels = listed([words("{n}", n=label) for label in summed])
    verb = "is" if len(summed) == 1 else "are"
    text = f"{{b}} {used} every {{n}}, so {{n}} {verb} summed"
    return [words(text, b=flow.operand, n=labels)]


def _subtracted(flow: Flow) -> bool:
    """Whether a minus stands in front of a term with the read, inside a sum."""
    trail = enclosing(flow)
    return any(
        _is_negative(one) and isinstance(around, Sum) for around, one in pairwise(trail)
    ) or (len(flow.source.writes) > 1 and bool(trail) and _is_negative(trail[0]))


def _is_negative(term: Term) -> bool:
    return isinstance(term, Product) and term.factors[0] == MINUS_ONE


def _sums(flow: Flow) -> list[Words]:
    """Labels that the forward pass summed over: every entry gets what flows into the sum."""
    if flow.write is None or not all(isinstance(node, Product) for node in enclosing(flow)):
        return []
    mine = labels(*flow.origin.read.index)
    summed = [label for label in flow.write.summed if label in mine]
    if not summed or any(read != flow.origin.read for read in reads(flow.write.term)):
        return []
    over = listed([words("{n}", n=label) for label in summed])
    if isinstance(flow.write.term, Product):  # a mean, or another number times the sum
        return [words("every {n} was summed with the same weight and gets that share", n=over)]
    return [words("every {n} was added up once, so each gets the same", n=over)]


def _moves(passes: Passes, flow: Flow) -> list[Words]:
    """What became of an index that is not plain labels: moved entries go back where they were."""
    a, z = flow.operand, flow.source.name
    if any(reads(part) for part in flow.origin.read.index):
        rows = listed([words("{i}", i=one.name) for one in reads(*flow.origin.read.index)])
        return [words("{a} is read at {ids}: what is read often collects a sum", a=a, ids=rows)]
    match matrix(flow.source, passes.arrays):
        case tree.Transpose():
            return [words("{z} is {a} with its axes exchanged; this exchanges them back", z=z, a=a)]
        case tree.Reshaped():
            return [
                words("{z} holds the entries of {a} in another shape; this turns back", z=z, a=a)
            ]
        case tree.Stacked(parts=parts):
            told = words("{a} is one part of {z} and takes its part of what flows in", z=z, a=a)
            fixed = [part for part in parts if is_constant(part)]
            if fixed:
                one = spell_tree(fixed[0], passes.dialect)
                told += words("; the {one} beside it takes its own and drops it", one=one)
            return [told]
        case tree.Picked():
            return [words("only these entries of {a} were used; the others get 0", a=a)]
        case tree.Diagonal():
            return [words("only the diagonal of {a} was used; the rest gets 0", a=a)]
        case None if not all(isinstance(part, Label) for part in flow.origin.read.index):
            return [words("an entry of {a} that is read several times collects a sum", a=a)]
        case _:
            return []


def is_constant(part: tree.Node) -> bool:
    """Whether a part of a stack is a number, such as the ones that a bias meets."""
    return isinstance(part, tree.Scalar) or (
        isinstance(part, tree.Spread) and isinstance(part.value, tree.Scalar)
    )


def _identity(flow: Flow) -> Words:
    """Nothing but a sign or a number stands between the operand and the result."""
    a, z = flow.operand, flow.source.name
    factor = next((f for f in enclosing(flow) if isinstance(f, Product)), None)
    if factor is not None:
        if factor.factors[0] == MINUS_ONE and len(factor.factors) == 2:
            text = "{a} is subtracted in {z}" if _subtracted(flow) else "{z} is {a} with a minus"
            return words(text + ", so the sign turns", a=a, z=z)
        return words("a factor in front stays in front")
    if len(flow.source.writes) > 1:
        return words("{a} is added as it is: its slope in {z} is 1", a=a, z=z)
    return words("{z} is {a} itself, so the factor is 1", z=z, a=a)
