"""A matrix product in a backward pass, at length: what is summed, what is turned, what fails."""

from __future__ import annotations

from itertools import chain

from backpass.language.expr import Label, reads
from backpass.reading import tree
from backpass.reading.dims import shape_text
from backpass.reading.equations import as_words
from backpass.reading.explanation import Block, Display, formula, paragraph
from backpass.reading.flow import Flow
from backpass.reading.local import Local
from backpass.reading.orders import Pair, other_orders, pair, silent, sizes, written
from backpass.reading.passes import Passes
from backpass.reading.presentation import Derivative, Entry, Equal, Name, Range, Shown
from backpass.reading.reason_product import (
    ONE,
    direction,
    is_sample,
    is_shared,
    standing,
    staying,
)
from backpass.reading.spelling import factors, spell_tree
from backpass.reading.words import Words, listed, words


def product_blocks(
    passes: Passes, flow: Flow, product: tree.Matmul | tree.Outer, entry: Local
) -> list[Block]:
    """The account of a flow whose backward line is a product of two factors."""
    blocks = _derivative(passes, flow, entry)
    if isinstance(product, tree.Matmul):
        blocks += _sum(passes, flow, product, entry)
        blocks += _as_matrices(passes, flow, product)
    else:
        blocks += _outer(passes, flow, product, entry)
    return blocks + _orders(passes, product)


def _derivative(passes: Passes, flow: Flow, entry: Local) -> list[Block]:
    line = formula(Equal(Derivative(entry.of, entry.by), entry.slope))
    others = _factors_of(flow)
    told: list[Words] = []
    if len(others) == 1 and is_weight(passes, flow.operand, others[0]):
        told.append(_weight(flow, entry, others[0]))
    elif len(others) == 1 and _reads(entry.slope, others[0], passes):
        told.append(
            words(
                "So {w} is itself the derivative of {z} with respect to {a}: that is why it stands "
                "here, where the chain rule asks for a derivative.",
                w=_part(entry.slope, others[0]),
                z=flow.source.name,
                a=flow.operand,
            )
        )
    asks = words("How much does {z} move with {a}?", z=entry.of, a=entry.by)
    blocks: list[Block] = [paragraph(asks), line]
    return [*blocks, paragraph(*told)] if told else blocks


def is_weight(passes: Passes, name: str, other: str) -> bool:
    """Whether a matrix is an input that other quantities go through, one sample after another.

    It has no label that counts samples; where no label does, what it meets is a vector.
    """
    array = passes.arrays[name]
    if array not in passes.forward.inputs or len(array.shape) != 2:
        return False
    if passes.samples == ONE:
        return name in passes.wrt
    if passes.samples is None:
        return len(passes.arrays[other].shape) == 1
    return passes.samples not in array.shape


def _reads(slope: Shown, name: str, passes: Passes) -> bool:
    """Whether a slope is nothing but an entry of a matrix that goes in."""
    given = passes.arrays[name] in passes.forward.inputs and len(passes.arrays[name].shape) == 2
    return given and isinstance(slope, Entry) and slope.name == Name(name)


def _part(slope: Shown, name: str) -> Shown:
    """The array that a slope is an entry of, or the part of it, such as `xs[2,:]`."""
    if not isinstance(slope, Entry) or all(isinstance(part, Name) for part in slope.index):
        return Name(name)
    return Entry(slope.name, tuple(Range() if isinstance(part, Name) else part
                                   for part in slope.index))  # fmt: skip


def _factors_of(flow: Flow) -> list[str]:
    """The other factors in the forward product."""
    assert flow.write is not None
    names = dict.fromkeys(read.name for read in reads(flow.write.term))
    return [name for name in names if name != flow.operand]


def _weight(flow: Flow, entry: Local, other: str) -> Words:
    """Which unit a weight leads from, and which it leads to."""
    if len(entry.at) != 2 or not entry.to:
        return ()
    row, column = entry.at
    first, second = ("from", "to") if column in entry.to else ("to", "from")
    source, sink = (row, column) if column in entry.to else (column, row)
    return words(
        "It is the weight from unit {i} of {a} to unit {j} of {z}: {w} has a row for each unit "
        f"that it leads {first}, and a column for each that it leads {second}.",
        i=source, a=other, j=sink, z=flow.source.name, w=flow.operand,
    )  # fmt: skip


def _sum(passes: Passes, flow: Flow, product: tree.Matmul, entry: Local) -> list[Block]:
    summed = product.summed
    if summed.size == ONE:
        told = [_one_term(passes, flow, summed)]
    elif not entry.to:
        text = "{a} stands in one term of {z} for each {n}, so what they give is summed over {n}."
        told = [words(text, a=entry.by, z=entry.of, n=summed)]
    elif is_shared(passes, flow, summed):
        place = direction(flow, summed)
        each = f"Every {place} {{n}}" if place else "Every {n}"
        told = [
            words(each + " of {z} used this same {w}.", n=summed, z=flow.source.name, w=entry.by),
            words("So each of them pulls on it, and the pulls add up: {n} is summed.", n=summed),
        ]
    else:
        told = [
            words(
                "{a} goes into {z} for every {m}, so what comes back is summed over {m}.",
                a=entry.by,
                z=entry.of,
                m=summed,
            )
        ]
    told += [
        words(
            "{n} is not summed: the part of {z} at one {n} is made from the part of {a} at that "
            "{n} alone.",
            n=label,
            z=flow.source.name,
            a=flow.operand,
        )
        for label in staying(flow, summed)
        if label.size == passes.samples != ONE
    ]
    return [paragraph(*told), Display(((as_words(entry.back), ()),))]


def _one_term(passes: Passes, flow: Flow, summed: Label) -> Words:
    """A sum that could be left out, were the axis of length 1 not there."""
    if is_sample(passes, flow, summed):
        return words(
            "There is one sample, so the sum over {i} has one term, a column times a row; with n "
            "samples it would be a sum over n.",
            i=summed,
        )
    return words("{k} takes one value, so the sum over it has one term.", k=summed)


def _as_matrices(passes: Passes, flow: Flow, product: tree.Matmul) -> list[Block]:
    """From the sum to `A.T @ B`: where the summed label stands, and what is turned for it."""
    rule = words(
        "A matrix product sums the last label of its left factor with the first label of its "
        "right factor."
    )
    sides = factors(product, passes.dialect)
    stands = [
        words(
            "{place} in {a} ({shape})",
            place=(standing(_bare(side), product.summed, passes.dialect),),
            a=spell_tree(_bare(side), passes.dialect),
            shape=_shape(_bare(side), passes),
        )
        for side in sides
    ]
    turned = [side for side in sides if isinstance(side, tree.Transpose)]
    where = words("{n} stands ", n=product.summed) + listed(stands)
    if turned:
        where += words(", so ") + listed(
            [words("{a} is transposed", a=spell_tree(_bare(t), passes.dialect)) for t in turned]
        )
    else:
        where += words(", so nothing is transposed")
    found = pair(product, passes.dialect)
    blocks: list[Block] = [paragraph(rule, where + words("."))]
    target = shape_text(tuple(label.size for label in product.axes), passes.dialect)
    if found is not None:
        blocks.append(formula(written(found), words(f"{sizes(found)} → {target}")))
    else:
        shapes = (words("(") + _shape(side, passes) + words(")") for side in sides)
        shown = spell_tree(product, passes.dialect)
        blocks.append(formula(shown, (*chain.from_iterable(shapes), f" → {target}")))
    blocks.append(
        paragraph(
            words("That is the shape of {w}, as it must be of a gradient.", w=flow.operand),
            words("The shapes fit because the right label is summed, and not the other way round."),
        )
    )
    return blocks


def _bare(node: tree.Node) -> tree.Node:
    return node.value if isinstance(node, tree.Transpose) else node


def _shape(node: tree.Node, passes: Passes) -> Words:
    return words(shape_text(tuple(label.size for label in node.axes), passes.dialect))


def _outer(passes: Passes, flow: Flow, product: tree.Outer, entry: Local) -> list[Block]:
    left, right = (spell_tree(side, passes.dialect) for side in (product.left, product.right))
    alone = "No other entry of {z} contains {w}" if entry.to else "{w} stands in one term of {z}"
    one = words(
        alone + ", so nothing is summed: each entry of the gradient is one product.",
        z=flow.source.name, w=entry.by,
    )  # fmt: skip
    blocks: list[Block] = [paragraph(one), Display(((as_words(entry.back), ()),))]
    found = pair(product, passes.dialect)
    if found is None:
        blocks.append(
            paragraph(
                words(
                    "All products of two entries are the outer product of the two vectors, also "
                    "written {a} ⊗ {b}.",
                    a=left,
                    b=right,
                )
            )
        )
        return blocks
    told = words(
        "All products of an entry of {a} with an entry of {b}: a column times a row, also "
        "written {a} ⊗ {b}. {b} lies down "
        "because its label, {j}, is the second one of {w}; that the sizes then fit is the "
        "consequence, not the reason.",
        a=left, b=right, j=product.axes[1], w=flow.operand,
    )  # fmt: skip
    target = shape_text(tuple(label.size for label in product.axes))
    shapes = words(f"{sizes(found)} → {target}")
    return [*blocks, paragraph(told), formula(written(found), shapes)]


def _orders(passes: Passes, product: tree.Matmul | tree.Outer) -> list[Block]:
    found = pair(product, passes.dialect)
    others = other_orders(found) if found is not None else []
    if not others:
        return []
    lead = words("Other orders, and what becomes of them:")
    return [paragraph(lead), Display(tuple(others)), paragraph(_luck(product, found))]


def _luck(product: tree.Matmul | tree.Outer, found: Pair | None) -> Words:
    """Two names may stand for the same number, and then no shape warns."""
    axes = {label for side in (product.left, product.right) for label in side.axes}
    sizes = {label.size for label in axes}
    named = sum(one.number is None for one in sizes)
    if found is not None and silent(found):
        more = " Should more of them be equal one day, so would others." if named > 1 else ""
        return words("Sizes are equal here, so a wrong order runs in silence." + more)
    if named < 2:
        return ()
    which = "more" if len(sizes) < len(axes) else "two"
    return words(
        f"Should {which} of these sizes be equal one day, a wrong order would run in silence."
    )
