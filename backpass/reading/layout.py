"""The chain rule as a product of Jacobians, in the layout that the reader is used to.

In **numerator** layout ∂a/∂z has a row for each entry of a, and chains run from the loss to the
quantity. In **denominator** layout it is the transpose, and chains grow to the left. In **mixed**
layout Jacobians are as in the first and the gradient of the loss has the shape of its variable,
as in code; so each Jacobian is transposed where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from backpass.language.program import Step, step_reads
from backpass.language.shapes import Shape, Size, product, size
from backpass.reading import presentation as show
from backpass.reading.component import as_derivatives, closed, component
from backpass.reading.dims import dims, multiplies, shape_text
from backpass.reading.explanation import (
    Block,
    Display,
    Explanation,
    Heading,
    explanation_text,
    formula,
    paragraph,
)
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.path import Link, Path, path, value
from backpass.reading.plain import Pen
from backpass.reading.presentation import Derivative, Equal, Name, Shown
from backpass.reading.sharing import MANY, gradient, shared
from backpass.reading.spelling import spell_tree
from backpass.reading.why import equation
from backpass.reading.words import Words, listed, words

Layout = Literal["mixed", "numerator", "denominator"]
Sizes = tuple[Size, Size]  # rows and columns


def chain(passes: Passes, name: str, layout: Layout = "mixed", *, ascii: bool = False) -> str:
    """The chain from the loss to `name` as text."""
    return explanation_text(chain_blocks(passes, name, layout), Pen("math", ascii))


def chain_blocks(passes: Passes, name: str, layout: Layout = "mixed") -> Explanation:
    """The chain from the loss to `name`: its Jacobians with their sizes, then as it is computed.

    Jacobians are mathematics, and vectors columns; the lines of the program stay in its dialect.
    """
    way = path(passes, name)
    if all(not passes.arrays[one].shape for one in (way.start, way.end)):
        return tuple(_scalar_chain(passes, way))
    inner, last = _split(way)
    blocks: list[Block] = [Heading(_title(passes, way, layout)), paragraph(_about(layout))]
    blocks += _batch(passes, way)
    blocks += _product(passes, way, inner, layout)
    blocks += _added_up(inner)
    if last is not None:
        blocks += _parameter(passes, way, inner, last, layout)
    return (*blocks, *_whole(passes, way, layout), *shared(passes, way))


def _split(way: Path) -> tuple[tuple[Link, ...], Link | None]:
    """The links between vectors, from the loss on, and the one that leads to a matrix."""
    links = way.links[::-1]
    if links and len(links[-1].rows) + len(links[-1].columns) > 2:
        return links[:-1], links[-1]
    return links, None


def _title(passes: Passes, way: Path, layout: Layout) -> Words:
    return words("{d}, {layout} layout", d=gradient(passes, way.start), layout=(layout,))


def _about(layout: Layout) -> Words:
    match layout:
        case "numerator":
            return words(
                "∂a/∂z has a row for each entry of a and a column for each of z; the gradient of "
                "the loss is a row. Chains run from the loss to the quantity."
            )
        case "denominator":
            return words(
                "∂a/∂z has a row for each entry of z and a column for each of a; the gradient of "
                "the loss is a column. Chains grow to the left."
            )
        case "mixed":
            return words(
                "∂a/∂z has a row for each entry of a and a column for each of z, but the gradient "
                "of the loss has the shape of its variable, as in code. So every Jacobian is "
                "transposed in the chain."
            )


def _batch(passes: Passes, way: Path) -> list[Block]:
    """Samples do not touch each other: one of them is written, and n left out."""
    labels = dict.fromkeys(label for one in way.links for label in (*one.batch, *one.summed))
    if not labels:
        return []
    n = listed([words("{n}", n=label) for label in labels])
    return [
        paragraph(
            words("{n} counts the samples, and what happens to one does not touch another:", n=n),
            words("every Jacobian is block-diagonal in {n}.", n=n),
            words("So this is written for each {row}{n}, without {n}.", n=n, row=_row(way)),
        )
    ]


def _row(way: Path) -> Words:
    """Whether a sample is a row or a column of the quantities on the way."""
    for one in way.links:
        if one.entry is not None and one.batch and len(one.entry.to) == 2:
            return (("row ", "column ")[one.entry.to.index(one.batch[0])],)
    return ()


# ── the Jacobians between vectors ────────────────────────────────────────────────────────────


def _product(passes: Passes, way: Path, inner: Sequence[Link], layout: Layout) -> list[Block]:
    """The chain with its sizes, each Jacobian, and the lines that compute it."""
    here = inner[-1].by if inner else way.end
    blocks: list[Block] = []
    if inner:
        blocks.append(_chain(passes, way, inner, gradient(passes, here), layout))
    rows = [_start(passes, way, layout), *(_jacobian(one, layout) for one in inner)]
    blocks.append(Display(tuple(_elided(rows, (("…",), ())))))
    blocks += _branches(passes, way)
    if any(one.diagonal and one.rows for one in inner):
        told = words(
            "A diagonal matrix times a vector is a product entry by entry: ⊙ in its place. So the "
            "program computes, from the loss on:"
        )
    elif inner:
        told = words("So the program computes, from the loss on:")
    else:
        return blocks
    lines = _lines(passes, (way.end, *(one.by for one in inner)))
    return [*blocks, paragraph(told), lines]


def _added_up(inner: Sequence[Link]) -> list[Block]:
    """Behind the lines of one sample, what the last of them adds up."""
    told = _sum(inner[-1]) if inner else []
    return [paragraph(*told)] if told else []


T = TypeVar("T")


def _elided(items: Sequence[T], dots: T) -> list[T]:
    """All of a few, the first and the last of many."""
    return list(items) if len(items) <= MANY else [*items[:4], dots, *items[-4:]]


def _chain(
    passes: Passes, way: Path, inner: Sequence[Link], target: Shown, layout: Layout,
    *last: tuple[Shown, Sizes],
) -> Block:  # fmt: skip
    """`∂L/∂z = …` with the sizes of every factor, in the order of the layout."""
    start: Shown = gradient(passes, way.end)
    factors: list[tuple[Shown, Sizes]] = [(start, (size(1), _length(passes, way, inner)))]
    factors += [(_derivative(one), one.sizes) for one in inner]
    factors += last
    if layout != "numerator":
        factors = [
            (_turned(shown, layout, shown == start), (columns, rows))
            for shown, (rows, columns) in reversed(factors)
        ]
    right = show.multiplied("matrix", *_elided([shown for shown, _ in factors], Name("…")))
    rows, columns = factors[0][1][0], factors[-1][1][1]
    shapes = "".join(_elided([f"({_two(sizes)})" for _, sizes in factors], "…"))
    result = "a number" if rows == columns == size(1) else _two((rows, columns))
    return formula(Equal(target, right), words(f"{shapes} → {result}"))


def _two(sizes: Sizes) -> str:
    """Two sizes, either perhaps a product: `3×2`, `(n·k)×1`."""
    return shape_text(sizes)


def _length(passes: Passes, way: Path, inner: Sequence[Link]) -> Size:
    """How many entries, for one sample, the quantity has at which the chain starts."""
    if inner:
        return inner[0].sizes[0]
    shape = passes.arrays[way.end].shape
    return product(axis for axis in shape if axis != passes.samples)


def _derivative(one: Link) -> Derivative:
    return Derivative(Name(one.of), Name(one.by))


def _turned(shown: Shown, layout: Layout, is_gradient: bool) -> Shown:
    return show.Transposed(shown) if layout == "mixed" and not is_gradient else shown


def _start(passes: Passes, way: Path, layout: Layout) -> tuple[Words, Words]:
    """The gradient that the chain starts from."""
    node = matrix(passes.step(passes.adjoints[way.end]), passes.arrays)
    left: Shown = gradient(passes, way.end)
    inner, _ = _split(way)
    sizes: Shape = (_length(passes, way, inner), size(1))
    told = ""
    if len(passes.arrays[way.end].shape) == 2 and (not way.links or (node and multiplies(node))):
        sizes = passes.arrays[way.end].shape  # a product says it of all samples at once
        counted = any(one.batch or one.summed for one in way.links)
        told = ", all rows at once" if counted else ""
    right = None if node is None else as_derivatives(passes, spell_tree(node, "math"))
    if layout == "numerator":
        right, sizes = right and show.Transposed(right), sizes[::-1]
    return (left if right is None else Equal(left, right),), words(shape_text(sizes) + told)


def _right_side(passes: Passes, name: str) -> Shown | None:
    """What the gradient of a quantity is, in matrix notation if that has a word for it."""
    node = matrix(passes.step(passes.adjoints[name]), passes.arrays)
    return None if node is None else spell_tree(node, "math")


def _jacobian(one: Link, layout: Layout) -> tuple[Words, Words]:
    """A Jacobian with its sizes, and whether it is diagonal."""
    found, sizes = value(one), one.sizes
    if layout == "denominator":
        sizes = (sizes[1], sizes[0])
        if found is not None and not one.diagonal:
            found = _transposed(found)
    left: Shown = _derivative(one)
    shape = _two(sizes) + (", diagonal" if one.diagonal and one.rows else "")
    return (left if found is None else Equal(left, found),), words(shape)


def _transposed(found: Shown) -> Shown:
    """The other layout's Jacobian."""
    match found:
        case show.Transposed(value=value):
            return value
        case show.Blocks(parts=parts, beside=beside):  # of I and 0
            return show.Blocks(parts, not beside)
        case _:
            return show.Transposed(found)


def _lines(passes: Passes, names: Sequence[str]) -> Block:
    """The program's own lines for the gradients of these quantities."""
    rows: list[tuple[Words, Words]] = []
    for step in _with_helpers(passes, [passes.step(passes.adjoints[name]) for name in names]):
        shapes = dims(matrix(step, passes.arrays), step.target, passes.dialect)
        rows.append((equation(passes, step), words(shapes)))
    return Display(tuple(_elided(rows, (("…",), ()))), passes.dialect)


def _with_helpers(passes: Passes, steps: Sequence[Step]) -> list[Step]:
    """Steps, and before each those that prepare something for it and are no gradient."""
    found: list[Step] = []
    backward = {step.name: step for step in passes.backward if step.name not in passes.gradients}
    for step in steps:
        read = [backward[one.name] for one in step_reads(step) if one.name in backward]
        before = _with_helpers(passes, list(dict.fromkeys(read)))
        found += [one for one in before if one not in found]
        found.append(step)
    return found


def _branches(passes: Passes, way: Path) -> list[Block]:
    """Where the chain starts at a quantity that reaches the loss on several ways."""
    if len(way.sources) < 2:
        return []
    places = listed([words("{z}", z=one) for one in way.sources])
    told = words(
        "{a} is used in {places}: several ways lead on from there, and what comes back along them "
        "has been added up in {d}.",
        a=way.end, places=places, d=gradient(passes, way.end),
    )  # fmt: skip
    return [paragraph(told)]


# ── the step to a matrix ─────────────────────────────────────────────────────────────────────


def _parameter(
    passes: Passes, way: Path, inner: Sequence[Link], last: Link, layout: Layout
) -> list[Block]:
    """The Jacobian with three labels: for one entry, and then all of them gathered."""
    entry = last.entry
    if entry is None:
        return [paragraph(words("The last step:")), _lines(passes, (way.start,))]
    labels = (*last.rows, *last.columns)
    count = {3: "three", 4: "four", 5: "five"}.get(len(labels), str(len(labels)))
    told = words(
        "{j} has the labels of {z} and of {w}, {count} in all: {shape}. For one entry of {w} it is "
        "a vector again:",
        j=_derivative(last), z=last.of, w=last.by, count=(count,),
        shape=(shape_text(tuple(label.size for label in labels)),),
    )  # fmt: skip
    one = Derivative(Name(last.of), entry.by)
    target = Derivative(Name(passes.loss), entry.by)
    rows = last.sizes[0]
    known, rest = _known(way, inner)
    chain = _chain(passes, known, rest, target, layout, (one, (rows, size(1))))
    place = _place(last)
    blocks: list[Block] = [paragraph(told), chain, paragraph(*place)]
    blocks.append(formula(Equal(target, as_derivatives(passes, entry.back.right))))
    blocks.append(paragraph(words("All entries, gathered where they belong:")))
    blocks.append(_lines(passes, (way.start,)))
    if layout == "numerator":
        turned = shape_text(tuple(label.size for label in last.columns[::-1]))
        note = "In strict numerator layout the gradient would be the transpose of this, " + turned
        blocks.append(paragraph(words(note + "; to update {w} one turns it over.", w=last.by)))
    return blocks


def _known(way: Path, inner: Sequence[Link]) -> tuple[Path, Sequence[Link]]:
    """Without a first diagonal link: what it gives is known by then, such as ∂L/∂z3."""
    if inner and inner[0].diagonal:
        return replace(way, end=inner[0].by), inner[1:]
    return way, inner


def _place(last: Link) -> list[Words]:
    """Which entries of the vector one entry of the matrix touches."""
    entry = last.entry
    assert entry is not None
    told: list[Words] = []
    shared = [label for label in last.rows if label in last.columns]
    if len(shared) == len(last.rows) == 1:
        text = "{w} goes into {z} alone, so the vector is {a} in place {i} and 0 elsewhere."
        told.append(words(text, w=entry.by, z=entry.of, a=entry.slope, i=shared[0]))
    return told + _sum(last)


def _sum(last: Link) -> list[Words]:
    """Where the samples go that a weight or a bias does not have."""
    if not last.summed:
        return []
    n = listed([words("{n}", n=label) for label in last.summed])
    text = "{w} has no {n}: every sample adds its part, so {n} is summed."
    return [words(text, w=last.by, n=n)]


# ── the whole in one formula ─────────────────────────────────────────────────────────────────

SHORT = 6  # a formula of more links is no help to anyone


def _whole(passes: Passes, way: Path, layout: Layout) -> list[Block]:
    """Everything put in: with all the sums, and over whole arrays."""
    if not 0 < len(way.links) <= SHORT:
        return []
    found = [form(passes, way.start) for form in (component, closed)]
    if layout == "numerator" and isinstance(found[1], Equal) and not way.links[-1].batch:
        found[1] = Equal(show.Transposed(found[1].left), found[1].right)  # ∂L/∂a is a row there
    lines = tuple(((shown,), ()) for shown in found if shown is not None)
    if not lines:
        return []
    kinds = ("by entries", "as a whole")
    told = listed([words(kind) for kind, shown in zip(kinds, found, strict=True) if shown])
    return [paragraph(words("In one formula, ") + told + words(":")), Display(lines)]


# ── chains of numbers ────────────────────────────────────────────────────────────────────────


def _scalar_chain(passes: Passes, way: Path) -> list[Block]:
    """A chain without matrices, and beside it those of the other wanted gradients."""
    ways = [way, *(path(passes, other) for other in passes.wrt if other != way.start)]
    blocks: list[Block] = [Heading((gradient(passes, way.start),))]
    scalar = [one for one in ways if all(not passes.arrays[link.by].shape for link in one.links)]
    blocks += [Display(tuple(_numbers(passes, one))) for one in scalar]
    return [*blocks, *shared(passes, way)]


def _numbers(passes: Passes, way: Path) -> list[tuple[Words, Words]]:
    """`∂y/∂w = ∂y/∂z · ∂z/∂w`, and below it the slopes."""
    target = gradient(passes, way.start)
    links = way.links[::-1]
    start = gradient(passes, way.end)
    first = _right_side(passes, way.end)
    slopes = [value(one) or _derivative(one) for one in links]
    if first is None:
        first = start
    if not links:
        return [((Equal(target, first),), ())]
    chain = show.multiplied("scaling", start, *map(_derivative, links))
    return [
        ((Equal(target, chain),), ()),
        ((Equal(target, show.multiplied("scaling", first, *slopes)),), ()),
    ]
