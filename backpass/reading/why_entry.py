"""A backward line that acts entry by entry, at length: slopes, squares, copies."""

from __future__ import annotations

from fractions import Fraction

from backpass.language.expr import (
    MINUS_ONE,
    ZERO,
    Apply,
    Bracket,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Term,
    reads,
    walk,
)
from backpass.language.program import step_reads
from backpass.reading import tree
from backpass.reading.dims import shape_text
from backpass.reading.equations import as_words, fills
from backpass.reading.explanation import Block, Display, formula, paragraph
from backpass.reading.flow import Flow
from backpass.reading.functions import BOTH, mentions, slope_clause
from backpass.reading.local import Local
from backpass.reading.passes import Passes
from backpass.reading.presentation import Derivative, Dialect, Equal, whole
from backpass.reading.reason_entry import appearances, cancelled, enclosing, function_words
from backpass.reading.reason_product import core
from backpass.reading.signs import same_sign
from backpass.reading.spelling import spell_term
from backpass.reading.words import Words, listed, often, words


def entry_blocks(passes: Passes, flow: Flow, entry: Local, short: Words) -> list[Block]:
    """The account of a flow in which no product sums; `short` where there is no longer one."""
    blocks: list[Block] = []
    if flow.inflow:
        line = formula(Equal(Derivative(entry.of, entry.by), entry.slope))
        asks = words("How much does {z} move with {a}?", z=entry.of, a=entry.by)
        blocks += [paragraph(asks), line]
    told = [one for one in _told(passes, flow, entry) if one]
    if not told and not flow.inflow:
        told = [[short]]
    blocks += [paragraph(*sentences) for sentences in told]
    blocks.append(Display(((as_words(entry.back), ()),)))
    if not flow.inflow:
        blocks.append(paragraph(*_straight(passes, flow)))
    return blocks


def _told(passes: Passes, flow: Flow, entry: Local) -> list[list[Words]]:
    """What there is to say of slopes, squares, copies and moves, each a paragraph or nothing."""
    told: list[list[Words]] = []
    if (times := appearances(flow)) > 1:
        told.append([_several(flow, times)])
    else:
        applied = next((node for node in enclosing(flow) if isinstance(node, Apply)), None)
        told.append(_function(flow, entry, applied, passes.dialect) if applied else [])
        told.append(_halves(flow) if _square(flow) else [])
    if flow.summed:
        told.append(_copied(passes, flow, entry))
    if not fills(flow.writes[0].left, flow.step.target):
        text = "An entry of {a} may be read several times; what comes back to it is added up."
        told.append([words(text, a=flow.operand)])
    return told


def _several(flow: Flow, times: int) -> Words:
    """A quantity that stands several times in one line moves it at each of these places."""
    return words(
        "{a} stands there {times}: each time the others are held fast, and the slopes are added.",
        a=flow.operand, times=(often(times),),
    )  # fmt: skip


def _function(flow: Flow, entry: Local, applied: Apply, dialect: Dialect) -> list[Words]:
    function = applied.function
    known = slope_clause(function.name, tuple(map(spell_term, applied.args)))
    told = function_words(function) + words(" acts entry by entry")
    if known is not None:
        told += words(": ") + known
        if function.name in BOTH:
            pass  # it speaks of what stands above
        elif mentions(known, "a"):
            told += words(", where {a} is what comes out", a="a")
        elif mentions(known, "z"):
            told += words(", where {z} is what goes in", z="z")
    elif function.value is None:
        told += words(
            ": it was only declared, so its slope {g} stays a symbol", g=f"{function.name}′"
        )
    told += words(".")
    if flow.step.target.shape and not entry.to:
        names = listed([words("{n}", n=label) for label in entry.at])
        text = "{z} adds up one such term for each {n}, so {da} is the slope of its own term."
        return [told, words(text, z=entry.of, n=names, da=entry.back.left)]
    if not flow.step.target.shape or set(entry.to) != set(entry.at):
        return [told]
    return [
        told,
        words(
            "No other entry of {z} contains {a}: the Jacobian is diagonal, and multiplying by a "
            "diagonal matrix is multiplying entry by entry, ⊙.",
            z=flow.source.name, a=entry.by,
        ),
        *_same_shape(flow, dialect),
    ]  # fmt: skip


def _same_shape(flow: Flow, dialect: Dialect) -> list[Words]:
    """Nothing is copied here, so whatever ⊙ joins has as many rows and columns as the rest."""
    found = core(flow.back)
    if not isinstance(found, tree.Times):
        return []
    arrays = [part for part in found.factors if part.axes]
    if len(arrays) < 2 or any(isinstance(part, tree.Spread) for part in arrays):
        return []
    shape = shape_text(flow.step.target.shape, dialect)
    return [words(f"Entries meet entries: all that ⊙ joins has one shape, {shape}.")]


def needs(passes: Passes, flow: Flow) -> Words:
    """Which of the two the slope needs: what went in, or what came out."""
    function = next((n for n in enclosing(flow) if isinstance(n, Apply)), None)
    if function is None or appearances(flow) > 1:
        return ()
    used = {read.name for write in flow.writes for read in reads(write.term)}
    took, gave = flow.operand, flow.source.name
    if took in used and same_sign(passes, took) == gave:
        return _sign(passes, flow, function)
    if gave in used and took not in used:
        return words(
            "The output {a} is enough for the slope, so {z} need not be kept.", a=gave, z=took
        )
    if took in used:
        f = function_words(function.function)
        inside = next(one for one in function.args if flow.origin.read in reads(one))
        if isinstance(inside, Read):
            text = "The slope needs {z}, what went into {f}: it must be kept from the forward pass."
        else:
            text = (
                "The slope needs {inside}, what went into {f}, so {z} must be kept from the "
                "forward pass."
            )
        return words(text, z=took, f=f, inside=whole(spell_term(inside)))
    return ()


def _sign(passes: Passes, flow: Flow, function: Apply) -> Words:
    """Either side of a relu tells which entries were let through; one of them has to be kept."""
    readers = (one for one in passes.backward if one is not flow.step)
    kept = any(read.name == flow.source.name for one in readers for read in step_reads(one))
    told = words(
        "The slope needs the sign of {z}, what went into {f}, and {a} is above zero in the same "
        "places: ",
        z=flow.operand, f=function_words(function.function), a=flow.source.name,
    )  # fmt: skip
    if kept:
        return told + words(
            "{a} is kept anyway, so with {test} in its place {z} need not be.",
            a=flow.source.name, z=flow.operand,
            test=spell_term(Bracket(">", Read(flow.source.name, ()), ZERO)),
        )  # fmt: skip
    return told + words("one of the two must be kept from the forward pass.")


def _square(flow: Flow) -> bool:
    two = Number(Fraction(2))
    return any(isinstance(node, Power) and node.exponent == two for node in enclosing(flow))


def _halves(flow: Flow) -> list[Words]:
    """What the factor in front of a square does, and what it does not."""
    told = [words("The slope of a square is twice its base.")]
    assert flow.write is not None
    if len(flow.source.writes) > 1:  # a factor in front of one term does more than to scale
        halved = words("The ½ in front takes the 2 away.")
        return [*told, halved] if cancelled(flow) is not None else told
    counts = [node for node in walk(flow.write.term) if _divides(node)]
    if cancelled(flow) is not None:
        told.append(
            words(
                "The ½ in front takes the 2 away. Without the ½ the gradient would be twice as "
                "long and point the same way: half the learning rate would then take the same "
                "steps."
            )
        )
    elif counts:
        told.append(
            words("What divides it makes it an average, which does not grow with the batch.")
        )
    else:
        told.append(
            words(
                "With a ½ in front of the square the 2 would be gone; the gradient would point "
                "the same way, and twice the learning rate would take the same steps."
            )
        )
    return told


def _divides(node: Term) -> bool:
    """Whether a node is a size below the line, as in a mean."""
    return (
        isinstance(node, Power) and isinstance(node.base, SizeTerm) and node.exponent == MINUS_ONE
    )


def _straight(passes: Passes, flow: Flow) -> list[Words]:
    """Where a linear output meets the loss: no activation, no slope."""
    if flow.operand not in {step.name for step in passes.forward.steps}:
        return []
    source = passes.forward.step(flow.operand)
    applied = any(isinstance(node, Apply) for write in source.writes for node in walk(write.term))
    bent = any(isinstance(node, Apply) for node in enclosing(flow))
    compared = any(coefficient(write.term) < 0 for write in source.writes)
    if applied or bent or compared or not source.writes:
        return []  # a difference is an error, and no output
    return [
        words(
            "{z} goes into {l} without an activation, so no slope stands between them: a linear "
            "output has the factor 1.",
            z=flow.operand, l=flow.source.name,
        )
    ]  # fmt: skip


def coefficient(term: Term) -> Fraction:
    """The number in front of a term."""
    lead = term.factors[0] if isinstance(term, Product) else term
    return lead.value if isinstance(lead, Number) else Fraction(1)


def _copied(passes: Passes, flow: Flow, entry: Local) -> list[Words]:
    """A bias, and whatever else was used again and again."""
    assert flow.write is not None
    names = listed([words("{n}", n=label) for label in flow.summed])
    goes = "goes" if len(flow.summed) == 1 else "go"
    told = [
        words(
            "One and the same {b} went into {z} for every {n}, so what comes back is added up: "
            "that is where {n} " + goes + ".",
            b=entry.by, z=flow.source.name, n=names,
        )
    ]  # fmt: skip
    factors = flow.write.term.factors if isinstance(flow.write.term, Product) else ()
    is_bias = not factors and flow.operand in {array.name for array in passes.forward.inputs}
    if is_bias and len(flow.source.writes) > 1 and len(flow.summed) == 1:
        told.append(
            words(
                "A bias is a weight whose input is always 1: written as one more row of the "
                "weights, it would meet a column of ones, and that column is a constant, which "
                "nothing ever updates.",
            )
        )
    return told
