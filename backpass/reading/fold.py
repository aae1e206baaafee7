"""Equal layers as one: which steps repeat, up to the number of the layer and its sizes.

Steps are gathered by layer: a forward step by the turn of the loop that made it or else by the
number at the end of its name, a backward step by the forward step that it belongs to. Two layers
are equal when their loop nests are the same after every number has been shifted; nothing is
taken to be equal because it looks so in print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise

from backpass.language.program import Step
from backpass.language.shapes import Size
from backpass.reading.passes import Passes, origins
from backpass.reading.renaming import Renaming, renamed
from backpass.reading.repeat import Match, called, numbered, substituted
from backpass.reading.roles import apart

FEWEST = 4  # fewer equal layers are shorter to read one by one


@dataclass(frozen=True)
class Layers:
    """Equal layers, from `first` to `last` in the order in which they run.

    `steps` are those of any one of them, over names such as Zₗ and Aₗ₋₁ that `passes` knows.
    `start` tells what stands for the quantity before the first layer, (A₀, X), and `sizes` how
    large each layer is, (d₀, 784), (d₁, 128), …, where the sizes have no names that count along.
    """

    first: int
    last: int
    steps: tuple[Step, ...]
    passes: Passes
    start: tuple[str, str] | None
    sizes: tuple[tuple[str, Size], ...]


@dataclass(frozen=True)
class _Group:
    """Neighbouring steps of one layer; None for steps that belong to no layer."""

    layer: int | None
    steps: tuple[Step, ...]


Parts = list[Step | Layers]


def folded(passes: Passes, fewest: int = FEWEST) -> tuple[Parts, Parts]:
    """Both passes, each run of at least `fewest` equal layers as one."""
    found = _both(passes, passes, {}, fewest)
    if any(axis.number for array in passes.arrays.values() for axis in array.shape):
        roles, numbers = apart(passes)
        general = _both(passes, roles, numbers, fewest)
        if sum(map(len, general)) < sum(map(len, found)):
            return general
    return found


def _both(
    passes: Passes, roles: Passes, numbers: Mapping[Size, Size], fewest: int
) -> tuple[Parts, Parts]:
    """Both passes folded; steps that stand alone are given back as they were."""
    layers = {step.name: _layer(step) for step in roles.forward.steps}

    def of_backward(step: Step) -> int | None:
        of = roles.gradients.get(step.name)
        if of in layers:
            return layers[of]
        origin = next(origins(step), None)
        return None if origin is None else layers[origin.step]

    forward = _groups(roles.forward.steps, lambda step: layers[step.name])
    backward = _groups(roles.backward, of_backward)
    one, other = (
        [passes.step(part.name) if isinstance(part, Step) else part for part in parts]
        for parts in (_fold(roles, side, numbers, fewest) for side in (forward, backward))
    )
    return one, other


def _layer(step: Step) -> int | None:
    parts = numbered(step.name)
    if step.layer is not None:
        return step.layer
    return None if parts is None else parts[1]


def _groups(steps: Sequence[Step], layer: Callable[[Step], int | None]) -> list[_Group]:
    return [_Group(number, tuple(group)) for number, group in groupby(steps, layer)]


def _fold(
    passes: Passes, groups: Sequence[_Group], numbers: Mapping[Size, Size], fewest: int
) -> Parts:
    found: Parts = []
    place = 0
    while place < len(groups):
        run = _run(passes, groups[place:])
        whole = _general(passes, run, numbers) if len(run) >= fewest else None
        if whole is None:
            found.extend(groups[place].steps)
            place += 1
        else:
            found.append(whole)
            place += len(run)
    return found


def _run(passes: Passes, groups: Sequence[_Group]) -> list[_Group]:
    """As many groups, from the first on, as count up or down by one and are equal."""
    run = [groups[0]]
    for group in groups[1:]:
        if not _follows(run, group):
            break
        if _match(passes, group, run[-1]) is None and _match(passes, run[-1], group) is None:
            break
        run.append(group)
    return run


def _follows(run: Sequence[_Group], group: _Group) -> bool:
    numbers = [one.layer for one in (*run[-2:], group) if one.layer is not None]
    steps = {after - before for before, after in pairwise(numbers)}
    return len(numbers) == min(len(run), 2) + 1 and steps in ({1}, {-1})


def _match(passes: Passes, ours: _Group, theirs: _Group) -> Match | None:
    if ours.layer is None or theirs.layer is None:
        return None
    found = Match(theirs.layer - ours.layer, passes.arrays)
    return found if found.steps(ours.steps, theirs.steps) else None


# ── one layer that stands for all ────────────────────────────────────────────────────────────


def _general(passes: Passes, run: Sequence[_Group], numbers: Mapping[Size, Size]) -> Layers | None:
    """The layer with the most sizes, its numbers turned into ₗ; None if it is not all of them."""
    widest = sorted(run, key=lambda group: -len(_sizes(passes, group)))
    for group in widest:
        matches = {other.layer: _match(passes, group, other) for other in run}
        found = {layer: match for layer, match in matches.items() if layer is not None and match}
        if len(found) == len(run) and not found[_number(group)].aliases:
            return _layers(passes, run, group, found, numbers)
    return None


def _sizes(passes: Passes, group: _Group) -> set[Size]:
    return {axis for step in group.steps for axis in step.target.shape}


def _number(group: _Group) -> int:
    assert group.layer is not None
    return group.layer


def _layers(
    passes: Passes,
    run: Sequence[_Group],
    group: _Group,
    matches: Mapping[int, Match],
    numbers: Mapping[Size, Size],
) -> Layers | None:
    aliases = {name: of for match in matches.values() for name, of in match.aliases.items()}
    sizes = _named_sizes(group, matches, numbers)
    if len(aliases) > 1 or sizes is None:
        return None
    moving = {name for match in matches.values() for name in match.moving}
    moving |= {passes.gradients[name] for name in moving if name in passes.gradients}
    bases = {parts[0] for name in moving if (parts := numbered(name))}

    def new(name: str) -> str:
        parts = numbered(name)
        if parts is None or parts[0] not in bases:
            return name
        return parts[0] + low(parts[1] - _number(group))

    @cache
    def size_of(value: Size) -> Size:
        return substituted(value, sizes.new)

    general = renamed(
        passes,
        Renaming(
            new,
            lambda _, __, value: size_of(value),
            lambda _, __, label: size_of(label.size),
            size_of,
        ),
    )
    chosen = {new(step.name) for step in group.steps}
    steps = tuple(
        step for step in (*general.forward.steps, *general.backward) if step.name in chosen
    )
    start = next(((_digits(name), of) for name, of in aliases.items()), None)
    return Layers(_number(run[0]), _number(run[-1]), steps, general, start, sizes.table)


def low(offset: int) -> str:
    """The subscript of a layer: ₗ, ₗ₋₁ or ₗ₊₂."""
    return "ₗ" + (("₊" if offset > 0 else "₋") + _small(abs(offset)) if offset else "")


def _small(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _digits(name: str) -> str:
    """A0 as A₀."""
    parts = numbered(name)
    return name if parts is None else parts[0] + _small(parts[1])


@dataclass(frozen=True)
class _Sizes:
    """What each size of the chosen layer is called in general, and the sizes layer by layer."""

    new: Mapping[Size, Size]
    table: tuple[tuple[str, Size], ...]


def _named_sizes(
    group: _Group, matches: Mapping[int, Match], numbers: Mapping[Size, Size]
) -> _Sizes | None:
    """Call the sizes that change with the layer dₗ, dₗ₋₁ …; None if they do not fit together."""
    known = {one for match in matches.values() for one in match.sizes}
    values = {one: {layer: match.sizes[one] for layer, match in matches.items()} for one in known}
    varying = {one: by for one, by in values.items() if len(set(by.values())) > 1}
    fixed = {one: numbers[one] for one in known if one in numbers and one not in varying}
    alike = {one: {numbers.get(size, size) for size in by.values()} for one, by in varying.items()}
    if all(len(sizes) == 1 for sizes in alike.values()):  # other roles, and the same number
        return _Sizes(fixed | {one: sizes.pop() for one, sizes in alike.items()}, ())
    first = next((axis for axis in group.steps[0].target.shape if axis in varying), None)
    if first is None:
        return None
    along = dict(varying[first])  # the size of each layer, and of those just outside the run
    offsets: dict[Size, int] = {}
    for one, by in varying.items():
        offset = next((o for o in (0, -1, 1, -2, 2) if _shifted(by, along, o)), None)
        if offset is None:
            return None
        offsets[one] = offset
        along |= {layer + offset: value for layer, value in by.items()}
    letter = None if numbers.keys() & set(along.values()) else _letter(along)
    base, ahead = letter or ("d", 0)
    new = {one: called(base + low(offset + ahead)) for one, offset in offsets.items()}
    if letter is not None:
        return _Sizes(fixed | new, ())
    real = {layer: numbers.get(value, value) for layer, value in along.items()}
    return _Sizes(fixed | new, tuple((base + _small(one), real[one]) for one in sorted(real)))


def _shifted(by: Mapping[int, Size], along: Mapping[int, Size], offset: int) -> bool:
    """Whether a size is that of the layer `offset` further on, wherever that is known."""
    common = [layer for layer in by if layer + offset in along]
    return bool(common) and all(by[layer] == along[layer + offset] for layer in common)


def _letter(along: Mapping[int, Size]) -> tuple[str, int] | None:
    """The letters of sizes that are called d1, d2 … already, and how far they count ahead."""
    found: set[tuple[str, int]] = set()
    for layer, value in along.items():
        parts = numbered(str(value)) if value.is_name else None
        if parts is None:
            return None
        found.add((parts[0], parts[1] - layer))
    return found.pop() if len(found) == 1 else None
