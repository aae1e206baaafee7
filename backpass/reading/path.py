"""The way from a quantity to the loss: one local Jacobian for each forward line in between."""

from __future__ import annotations

from dataclasses import dataclass

from backpass.language.errors import UnknownName, choices
from backpass.language.expr import Label
from backpass.language.program import bare, fresh
from backpass.language.shapes import Size, product, size
from backpass.reading import presentation as show
from backpass.reading.flow import Flow, flows
from backpass.reading.local import Local, local
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes, origins
from backpass.reading.presentation import Shown
from backpass.reading.tree import Axes, Name, Stacked

ONE = size(1)


@dataclass(frozen=True, slots=True)
class Link:
    """∂of/∂by, the Jacobian of one forward line.

    `rows` are the labels of `of` and `columns` those of `by`, without those that count samples:
    in `batch` it is block-diagonal, and `summed` are lost, because `by` does not have them. It is
    diagonal when rows and columns are the same. `entry` tells the slope; None where the line does
    not share plain labels with what comes back.
    """

    of: str
    by: str
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    batch: tuple[Label, ...]
    summed: tuple[Label, ...]
    flow: Flow
    entry: Local | None
    laid: Shown | None = None  # ∂[A | 1]/∂A of a line that lays arrays end to end

    @property
    def diagonal(self) -> bool:
        return self.entry is not None and self.rows == self.columns

    @property
    def sizes(self) -> tuple[Size, Size]:
        """How many rows and columns the Jacobian has, a row for each entry of `of`."""
        return _count(self.rows), _count(self.columns)


@dataclass(frozen=True, slots=True)
class Path:
    """Links from a quantity on, and the last quantity, whose gradient starts the chain.

    `end` meets the loss directly, or branches: then several ways lead on from it.
    """

    start: str
    links: tuple[Link, ...]
    end: str
    sources: tuple[str, ...]  # the forward lines that read the end


def path(passes: Passes, name: str) -> Path:
    """The way from `name`, which may be called by its gradient, as far as there is only one."""
    gradients = passes.adjoints
    name = passes.gradients.get(name, name)
    if name not in gradients:
        known = choices(name, [*gradients, *passes.gradients], "gradients flow to")
        raise UnknownName(f"no gradient flows to {name} here{known}")
    links: list[Link] = []
    here = name
    while True:
        sources = leads(passes, here)
        if len(sources) != 1 or sources[0] not in gradients:
            break
        (flow,) = flows(passes, passes.step(gradients[here]))
        links.append(link(passes, flow, passes.samples))
        here = sources[0]
    if _mixes(links, passes.samples):
        links = [link(passes, one.flow, None) for one in links]
    return Path(name, tuple(links), here, tuple(dict.fromkeys(sources)))


def _mixes(links: list[Link], samples: Size | None) -> bool:
    """Whether a line on the way sums over samples, or shares a quantity that is computed."""
    summing = any(label.size == samples for one in links for label in one.columns)
    return summing or any(one.summed for one in links[1:])


def leads(passes: Passes, name: str) -> list[str]:
    """The forward lines that read a quantity and send something back, once for each appearance."""
    found = {(one.step, one.read) for one in origins(passes.step(passes.adjoints[name]))}
    return sorted(step for step, _ in found)


def link(passes: Passes, flow: Flow, counts: Size | None) -> Link:
    """The local Jacobian of a flow; labels of the size that counts samples are set apart."""
    entry = local(flow)
    of, by = flow.source.target, passes.arrays[flow.operand]
    laid = None
    if entry is not None and len(entry.to) == len(of.shape) and len(entry.at) == len(by.shape):
        to, at = entry.to, entry.at
    elif (found := _end_to_end(passes, flow)) is not None:
        entry, (to, at, laid) = None, found
    else:
        to = tuple(Label(f"{axis}", axis) for axis in of.shape)
        at = tuple(Label(f"{axis}", axis) for axis in by.shape)
        return Link(of.name, by.name, to, at, (), (), flow, None)
    samples = [label for label in to if label.size == counts]
    batch = tuple(label for label in samples if label in at)
    summed = tuple(label for label in samples if label not in at)
    rows = tuple(label for label in to if label not in samples)
    columns = tuple(label for label in at if label not in batch)
    if len(rows) == len(columns) == 2 and by not in passes.forward.inputs:
        # a single sample laid out as a row: its axis of length 1 is on both sides, and says nothing
        single = [one for one in rows if one in columns and one.size == ONE][:1]
        rows, columns = (
            tuple(one for one in side if one not in single) for side in (rows, columns)
        )
    simple = len(rows) == len(columns) == 1
    return Link(
        of.name, by.name, rows, columns, batch, summed, flow, entry, laid if simple else None
    )


def _end_to_end(passes: Passes, flow: Flow) -> tuple[Axes, Axes, Shown] | None:
    """The labels of both sides and the Jacobian, where a line lays an array beside others.

    It is the identity over the array's own entries and 0 over those of the others: `[I; 0]`.
    """
    whole = matrix(flow.source, passes.arrays)
    at = bare(flow.origin.read.index)
    if not isinstance(whole, Stacked) or flow.write is None or at is None:
        return None
    own = [isinstance(part, Name) and part.name == flow.operand for part in whole.parts]
    if flow.write.term != flow.origin.read or sum(own) != 1:
        return None
    to = list(flow.write.left)
    axis = flow.source.target.shape[whole.axis]
    to[whole.axis] = Label(fresh("o", (label.name for label in at)), axis)
    rows = bare(tuple(to))
    if rows is None:
        return None
    blocks = tuple(show.Name("I") if mine else show.ZERO for mine in own)
    return rows, at, show.Blocks(blocks, beside=False)


def _count(labels: tuple[Label, ...]) -> Size:
    return product(label.size for label in labels)


def value(one: Link) -> Shown | None:
    """The Jacobian with a row for each entry of `of`: W, Wᵀ or a diagonal; None for any other."""
    entry = one.entry
    if entry is None:
        return one.laid
    if one.diagonal:
        if not all(_covers(node, one.rows) for node in _entries(entry.slope)):
            return None
        if not one.rows:
            return entry.slope
        if entry.slope == show.ONE:
            return show.Name("I")
        return show.Of("diag", (show.whole(entry.slope),))
    match entry.slope:
        case show.Entry(name=name, index=index):
            names = tuple(part.name for part in index if isinstance(part, show.Name))
            rows, columns = (
                tuple(label.name for label in side) for side in (one.rows, one.columns)
            )
            if names == rows + columns:
                return name
            if names == columns + rows and len(names) == 2:
                return show.Transposed(name)
        case _:
            pass
    return None


def _entries(slope: Shown) -> list[show.Entry]:
    """Every entry that a slope reads."""
    found: list[show.Entry] = []

    def note(node: Shown) -> None:
        if isinstance(node, show.Entry):
            found.append(node)

    show.substitute(slope, note)
    return found


def _covers(entry: show.Entry, labels: tuple[Label, ...]) -> bool:
    names = {part.name for part in entry.index if isinstance(part, show.Name)}
    return all(label.name in names for label in labels)
