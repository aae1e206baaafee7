"""Why a matrix product of a backward pass looks as it does: what is summed, and what is turned."""

from __future__ import annotations

from backpass.language.expr import Label, reads
from backpass.language.shapes import size
from backpass.reading import tree
from backpass.reading.flow import Flow
from backpass.reading.passes import Passes
from backpass.reading.presentation import Dialect, Name, Shown
from backpass.reading.spelling import factors, spell_size, spell_tree
from backpass.reading.words import Words, listed, words

ONE = size(1)


def core(node: tree.Node | None) -> tree.Node | None:
    """The product inside scalings, signs and quotients."""
    match node:
        case tree.Negative(value=value) | tree.Spread(value=value):
            return core(value)
        case tree.Quotient(above=above):
            return core(above)
        case tree.Times(factors=parts):
            found = [core(part) for part in parts]
            products = [part for part in found if is_product(part)]
            return products[0] if len(products) == 1 else node
        case _:
            return node


def is_product(node: tree.Node | None) -> bool:
    """Whether a node multiplies whole matrices or vectors."""
    return isinstance(node, (tree.Matmul, tree.Outer))


def matmul_reason(passes: Passes, flow: Flow, product: tree.Matmul) -> Words:
    """Why a label is summed, and which factor had to be transposed for that."""
    summed = product.summed
    name = called(summed, product)
    if summed.size == ONE:
        first = _single(passes, flow, summed)
    elif is_shared(passes, flow, summed):
        place = direction(flow, summed)
        first = words(
            "every {place}{n} used the same {w}, so {n} is summed",
            place=(f"{place} ",) if place else (), n=name, w=flow.operand,
        )  # fmt: skip
    else:
        stay = [words("{n}", n=label) for label in staying(flow, summed)]
        verb = "stays" if len(stay) == 1 else "stay"
        first = words("{m} is summed", m=name)
        if stay:
            first += words(" ({stay} " + verb + ")", stay=listed(stay))
    return first + words("; ") + listed(_turns(passes, product))


def _single(passes: Passes, flow: Flow, summed: Label) -> Words:
    """A sum over one sample, or along an axis of length 1."""
    if is_sample(passes, flow, summed):
        return words("one sample, so the sum over {i} has one term", i=summed)
    return words("the axis that is summed has length 1, so the sum has one term")


def _turns(passes: Passes, product: tree.Matmul) -> list[Words]:
    """For each transposed factor, where the summed label stood in it."""
    sides = factors(product, passes.dialect)
    text = "{a} has {n} {place}, hence {mark}"
    turned = [
        words(
            text,
            a=spell_tree(side.value, passes.dialect),
            n=called(product.summed, product),
            place=(standing(side.value, product.summed, passes.dialect),),
            mark=(mark(side, passes),),
        )
        for side in sides
        if isinstance(side, tree.Transpose)
    ]
    if turned:
        return turned
    left, right = (spell_tree(side, passes.dialect) for side in sides)
    text = "{a} has {n} last and {b} has it first: nothing to transpose"
    return [words(text, a=left, b=right, n=called(product.summed, product))]


def called(label: Label, product: tree.Matmul) -> Shown:
    """A label by the size that the shapes show, where no other axis has it."""
    axes = {*product.left.axes, *product.right.axes}
    alone = sum(other.size == label.size for other in axes) == 1
    plain = label.size.is_name or label.size.number is not None
    return spell_size(label.size) if alone and plain else Name(label.name)


def mark(factor: tree.Transpose, passes: Passes) -> str:
    """How a transpose is written, after `hence`."""
    if len(factor.axes) > 2:
        return ".mT"
    return ".T" if passes.dialect == "code" else "ᵀ"


def standing(node: tree.Node, label: Label, dialect: Dialect) -> str:
    """Where a label stands among the axes of a factor; a column has it first, and then a 1."""
    if len(node.axes) == 1:
        return "first" if dialect == "math" else "alone"
    return "last" if node.axes[-1] == label else "first"


def direction(flow: Flow, label: Label) -> str:
    """Whether a label counts rows or columns of what flows in; "" where neither word fits."""
    for write in flow.writes:
        for read in reads(write.term):
            if read.name == flow.inflow and label in read.index and len(read.index) == 2:
                return ("row", "column")[read.index.index(label)]
    return ""


def staying(flow: Flow, summed: Label) -> list[Label]:
    """The labels that what flows in shares with the gradient."""
    here = [part for part in flow.writes[0].left if isinstance(part, Label)]
    inflow = [
        label
        for write in flow.writes
        for read in reads(write.term)
        if read.name == flow.inflow
        for label in read.index
    ]
    return [label for label in here if label in inflow and label != summed]


def is_shared(passes: Passes, flow: Flow, summed: Label) -> bool:
    """Whether the sum runs over samples, which all used the same operand."""
    samples = passes.samples
    if samples is None:
        return any(flow.operand == array.name for array in passes.forward.inputs)
    return summed.size == samples


def is_sample(passes: Passes, flow: Flow, label: Label) -> bool:
    """Whether a label of length 1 counts the only sample: nothing that is wanted has it."""
    wanted = [
        read for write in flow.writes for read in reads(write.term) if read.name in passes.wrt
    ]
    return (
        label.size == ONE
        and flow.operand in passes.wrt
        and not any(label in read.index for read in wanted)
    )


def others(flow: Flow) -> Words:
    """The other factors of a product that holds the read."""
    assert flow.write is not None
    names = dict.fromkeys(read.name for read in reads(flow.write.term) if read.name != flow.operand)
    return listed([words("{a}", a=name) for name in names])
