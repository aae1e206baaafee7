"""One line of a derivation at length: where it comes from, why it looks so, what it serves."""

from __future__ import annotations

from pathlib import PurePath

from backpass.language.errors import UnknownName, choices
from backpass.language.expr import ONE as ONE_TERM
from backpass.language.expr import Label, Read, reads
from backpass.language.program import Call, Step, Write, step_reads
from backpass.reading import presentation as show
from backpass.reading import tree
from backpass.reading.dims import dims
from backpass.reading.equations import as_words, equations, pieces
from backpass.reading.explanation import (
    Block,
    Display,
    Explanation,
    Heading,
    explanation_text,
    paragraph,
)
from backpass.reading.flow import Flow, flows
from backpass.reading.functions import CALLS_AT_LENGTH
from backpass.reading.local import local
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.plain import Pen
from backpass.reading.reason import flow_reason, reason, shared
from backpass.reading.reason_entry import is_constant
from backpass.reading.reason_product import ONE, core
from backpass.reading.spelling import spell_tree
from backpass.reading.why_entry import entry_blocks, needs
from backpass.reading.why_product import is_weight, product_blocks
from backpass.reading.words import Words, listed, words


def why(passes: Passes, name: str, *, ascii: bool = False) -> str:
    """The account of one quantity as text; an input stands for its gradient."""
    return explanation_text(explain(passes, name), Pen(passes.dialect, ascii))


def explain(passes: Passes, name: str) -> Explanation:
    """The account of one quantity; UnknownName if the derivation has none of that name."""
    backward = {step.name: step for step in passes.backward}
    forward = {step.name: step for step in passes.forward.steps}
    of_input = {of: gradient for gradient, of in passes.gradients.items()}
    if name in forward:
        return tuple(_forward(passes, forward[name]))
    if name in of_input and name not in backward:
        name = of_input[name]
    if name not in backward:
        known = choices(name, [*backward, *forward, *of_input], "ask for one of")
        raise UnknownName(f"{name} is no line of this derivation{known}")
    return tuple(_backward(passes, backward[name]))


def equation(passes: Passes, step: Step) -> Words:
    """A step as one formula, in matrix notation where that exists, else by entries."""
    parts = [as_words(one) for one in equations(passes, step)]
    return tuple(
        part for place, one in enumerate(parts) for part in ((", ",) if place else ()) + one
    )


def _title(passes: Passes, step: Step) -> Block:
    shapes = dims(matrix(step, passes.arrays), step.target, passes.dialect)
    return Heading((*equation(passes, step), f"     {shapes}"))


# ── backward lines ───────────────────────────────────────────────────────────────────────────


def _backward(passes: Passes, step: Step) -> list[Block]:
    parts = flows(passes, step)
    blocks = [_title(passes, step)]
    if not parts:
        return [*blocks, paragraph(sentence(reason(passes, step)))]
    if len(parts) > 1:
        blocks.append(
            paragraph(
                sentence(shared(parts)),
                words(
                    "A change of {a} reaches the loss on each of these ways.", a=parts[0].operand
                ),
            )
        )
    for part in parts:
        blocks += _flow(passes, part)
    kept = [needs(passes, part) for part in parts]
    ends = (_serves(passes, step), *_order(passes, step), _uphill(passes, step))
    return [*blocks, paragraph(*kept, *ends)]


def sentence(clause: Words) -> Words:
    """A clause as a sentence of its own."""
    first = clause[0]
    if isinstance(first, str) and " " in first:  # a lone word is a name, and keeps its letters
        clause = (first[:1].upper() + first[1:], *clause[1:])
    return (*clause, ".")


def _flow(passes: Passes, flow: Flow) -> list[Block]:
    blocks: list[Block] = [
        paragraph(words("{a} is used in", a=flow.operand)),
        _forward_line(passes, flow),
    ]
    if isinstance(flow.source.body, Call):
        return [*blocks, paragraph(*_call(passes, flow, flow.source.body))]
    entry = local(flow)
    if entry is None:
        told = sentence(flow_reason(passes, flow))
        return [*blocks, paragraph(told, *_constant_part(passes, flow))]
    product = core(flow.back)
    if isinstance(product, (tree.Matmul, tree.Outer)):
        told = _bias_row(passes, flow)
        bias = [paragraph(*told)] if told else []
        return blocks + product_blocks(passes, flow, product, entry) + bias
    return blocks + entry_blocks(passes, flow, entry, sentence(flow_reason(passes, flow)))


def _bias_row(passes: Passes, flow: Flow) -> list[Words]:
    """Weights that meet a column of ones: the bias is among them. Others have none."""
    assert flow.write is not None
    place = _among_weights(flow.origin.read, flow.write)
    if flow.operand not in passes.wrt or place is None:
        return []
    row, meeting = ("row", "column")[place], flow.origin.read.index[place]
    told: list[Words] = []
    for read in reads(flow.write.term):
        if read.name == flow.operand or meeting not in read.index:
            continue
        if _ends_with_ones(passes, read.name, read.index.index(meeting)):
            told.append(
                words(
                    "The last {row} of {w} meets the ones in {o}: it is the bias, and its gradient "
                    "is added up like that of any other weight.",
                    row=(row,), w=flow.operand, o=read.name,
                )
            )  # fmt: skip
        elif isinstance(meeting, Label) and len(meeting.size.terms) > 1 and _has_ones(passes):
            told.append(
                words(
                    "No {row} of {w} is a bias: each of the {k} units of {o} is computed from the "
                    "inputs and varies with them.",
                    row=(row,), w=flow.operand, o=read.name, k=meeting.size,
                )
            )  # fmt: skip
    return told


def _among_weights(read: Read, write: Write) -> int | None:
    """Which axis of a matrix is summed in a product, if one is."""
    places = [place for place, label in enumerate(read.index) if label in write.summed]
    return places[0] if len(read.index) == 2 and len(places) == 1 else None


def _has_ones(passes: Passes) -> bool:
    """Whether an array of the forward pass has a row or column of ones beside the rest."""
    axes = ((step.name, place) for step in passes.forward.steps for place in range(2))
    return any(_ends_with_ones(passes, name, place) for name, place in axes)


def _ends_with_ones(passes: Passes, name: str, place: int) -> bool:
    """Whether the last part of an array along an axis is one row or column of ones."""
    step = next((one for one in passes.forward.steps if one.name == name), None)
    whole = None if step is None else matrix(step, passes.arrays)
    return (
        isinstance(whole, tree.Stacked) and whole.axis == place and _is_ones(whole.parts[-1], place)
    )


def _is_ones(part: tree.Node, axis: int) -> bool:
    """Whether a part of a stack is one row or column of ones."""
    return (
        isinstance(part, tree.Spread)
        and part.value == tree.Scalar(ONE_TERM)
        and part.axes[axis].size == ONE
    )


def _constant_part(passes: Passes, flow: Flow) -> list[Words]:
    """Ones beside an array, as for a bias: the part that nothing flows back to."""
    whole = matrix(flow.source, passes.arrays)
    if not isinstance(whole, tree.Stacked):
        return []
    constants = [part for part in whole.parts if is_constant(part)]
    if not constants:
        return []
    return [
        words(
            "The {one} beside it is a constant: nothing made it, so nothing is to be updated.",
            one=spell_tree(constants[0], passes.dialect),
        )
    ]  # fmt: skip


def _call(passes: Passes, flow: Flow, call: Call) -> list[Words]:
    target = call.args[-1].name
    told = CALLS_AT_LENGTH.get(call.function.name, ())
    short = sentence(flow_reason(passes, flow))
    return [*(words(text, z=flow.operand, y=target) for text in told), short]


def _forward_line(passes: Passes, flow: Flow) -> Display:
    line = flow.source.line
    source: Words = ()
    if line is not None and line.text and line.file != "formula":
        source = words(f"{PurePath(line.file).name}:{line.number}: {line.text.strip()}")
    rows = [(equation(passes, flow.source), source)]
    entry = local(flow)
    if entry is None and isinstance(matrix(flow.source, passes.arrays), tree.Stacked):
        rows += [(as_words(one), ()) for one in pieces(passes, flow.source)]
    if entry is not None and (flow.source.target.shape or entry.at):
        rows.append((as_words(entry.line), ()))
    return Display(tuple(rows if rows[-1][0] != rows[0][0] else rows[:1]))


def _serves(passes: Passes, step: Step) -> Words:
    """Which later lines read this one: computed once, used again."""
    users = [one.name for one in passes.backward if step.name in _names(one)]
    if len(users) < 2:
        return ()
    names = listed([words("{d}", d=user) for user in users])
    return words(
        "{d} is computed once and used again in {users}: this sharing is what backpropagation is.",
        d=step.name, users=names,
    )  # fmt: skip


def _names(step: Step) -> set[str]:
    return {read.name for read in step_reads(step)}


def _order(passes: Passes, step: Step) -> list[Words]:
    """A weight that a gradient flows through must be the one that the forward pass used."""
    if passes.gradients.get(step.name) in {array.name for array in passes.forward.inputs}:
        return []
    operand = passes.gradients.get(step.name, step.name)
    weights = [name for name in passes.wrt if name in _names(step)]
    weights = [name for name in weights if is_weight(passes, name, operand)]
    if not weights:
        return []
    told = words(
        "This must still be the {w} of the forward pass: update {w} only when everything has "
        "flowed back.",
        w=weights[0],
    )  # fmt: skip
    return [told, *_damage(passes, step, weights[0])]


def _damage(passes: Passes, step: Step, weight: str) -> list[Words]:
    """What a gradient would be off by, had its weight moved: a product is linear in it."""
    node = matrix(step, passes.arrays)
    uses = sum(read.name == weight for read in step_reads(step))
    if not isinstance(node, tree.Matmul) or uses != 1:
        return []
    bare = [
        one.value if isinstance(one, tree.Transpose) else one for one in (node.left, node.right)
    ]
    if not any(isinstance(one, tree.Name) and one.name == weight for one in bare):
        return []
    moved = passes.adjoints[weight]
    off = show.substitute(
        spell_tree(node, passes.dialect),
        lambda part: show.Name(moved) if part == show.Name(weight) else None,
    )
    return [
        words(
            "With {w} already moved to {w} − lr · {dw}, {d} would be off by −lr · {off}: half the "
            "rate, half the damage, never none.",
            w=weight, dw=moved, d=step.name, off=off,
        )
    ]  # fmt: skip


def _uphill(passes: Passes, step: Step) -> Words:
    """The sign of an update, for a gradient that somebody asked for in order to make one."""
    of = passes.gradients.get(step.name)
    if of not in passes.wrt or passes.arrays[passes.loss].shape:
        return ()
    return words(
        "{d} points uphill: a small step against it, {w} ← {w} − lr · {d}, lowers {l}.",
        d=step.name, w=of, l=passes.loss,
    )  # fmt: skip


# ── forward lines ────────────────────────────────────────────────────────────────────────────


def _forward(passes: Passes, step: Step) -> list[Block]:
    blocks = [_title(passes, step)]
    if isinstance(step.body, Call):
        return blocks
    if step.target.shape and matrix(step, passes.arrays) is not None:
        blocks.append(Display(tuple((as_words(one), ()) for one in pieces(passes, step))))
    return [*blocks, *_product_of(passes, step), *_pointer(passes, step)]


def _product_of(passes: Passes, step: Step) -> list[Block]:
    """What a matrix product of the forward pass does to the rows."""
    node = matrix(step, passes.arrays)
    terms = node.terms if isinstance(node, tree.Add) else (node,)
    product = next((term for term in terms if isinstance(term, tree.Matmul)), None)
    if product is None or not step.target.shape:
        return []
    stays = [label for label in product.axes if label.size == passes.samples != ONE]
    told = [
        words("{k} is summed; ", k=product.summed),
        listed([words("{n}", n=a) for a in product.axes]),
    ]
    first = told[0] + told[1] + words(" stay." if len(product.axes) > 1 else " stays.")
    rows = [
        words(
            "{z} has one {part} for each {n}, as many as there are samples: with a batch of {n} it "
            "has {n} of them, and with a single sample one.",
            z=step.name, n=label, part=(_part(product.axes, label),),
        )
        for label in stays
    ]  # fmt: skip
    rows += [
        words(
            "{z} has one {part}, because there is one sample; of a batch of n it would have n.",
            z=step.name, part=(_part(product.axes, label),),
        )
        for label in _lone(passes, product)
    ]  # fmt: skip
    return [paragraph(first, *rows)]


def _lone(passes: Passes, product: tree.Matmul) -> list[Label]:
    """The axis of the only sample, if a sample is laid out as a row or a column."""
    weights = {label for side in (product.left, product.right) for label in side.axes
               if isinstance(side, tree.Name) and side.name in passes.wrt}  # fmt: skip
    return [one for one in product.axes if weights and one.size == ONE and one not in weights]


def _part(axes: tree.Axes, label: Label) -> str:
    """What an array has one of for each value of a label."""
    return ("row", "column")[axes.index(label)] if len(axes) == 2 else "part"


def _pointer(passes: Passes, step: Step) -> list[Block]:
    gradient = next((d for d, of in passes.gradients.items() if of == step.name), None)
    if gradient is None:
        return []
    return [paragraph(words("Its gradient is {d}.", d=show.Name(gradient)))]
