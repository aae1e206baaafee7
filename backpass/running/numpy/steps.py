"""One step as NumPy statements: in matrix notation where that is recognised, else in general.

Writes that meet every entry of the target are one expression; the others are added into it after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backpass.language.expr import Label, labels
from backpass.language.program import Array, Call, Step, Write
from backpass.reading.affine import affine
from backpass.reading.entrywise import unspread
from backpass.reading.left import plain, plain_left
from backpass.reading.matrix import matrix, matrix_write
from backpass.reading.tree import Axes
from backpass.running.identifiers import assign
from backpass.running.numpy import code
from backpass.running.numpy.code import Code, Desk
from backpass.running.numpy.expression import (
    broadcast,
    expression,
    full,
    inserted,
    reshape,
    subscript,
    whole,
)
from backpass.running.numpy.index import parts, window_of
from backpass.running.numpy.sums import value
from backpass.running.numpy.terms import Grid, align, permuted, whole_numbers


def statements(step: Step, desk: Desk, *, own: bool) -> list[str]:
    """The lines that assign a step's target; `own` asks for memory that no other array has."""
    target = step.target
    if target.kind != "real":
        desk = desk.plain()
    node = matrix(step, desk.arrays)
    if node is not None:
        return _assign(target, whole(node, desk), own, desk)
    if isinstance(step.body, Call):
        raise AssertionError("the arguments of a call are whole arrays")
    found = [plain(write, target.shape, desk.arrays) for write in step.body]
    covering = [write for write in found if write is not None]
    later = [write for write, one in zip(step.body, found, strict=True) if one is None]
    counts = bool(later) and target.kind == "bool"  # several writes may meet in one entry
    held = replace(target, kind="int") if counts else target
    lines: list[str] = []
    if covering:
        lines += _assign(held, _covering(covering, held, desk), own or bool(later), desk)
    for write in later:
        lines += _scatter(write, held, desk, first=not lines)
    if counts:
        lines.append(f"{desk.names[target.name]} = {desk.names[target.name]} != 0")
    return lines


def _assign(target: Array, found: Code, own: bool, desk: Desk) -> list[str]:
    """The assignment, of the kind of numbers that the target holds."""
    name = desk.names[target.name]
    if target.kind == "real":
        found = code.cast(found, desk)
    text = found.text
    if found.holds == "number":
        dtype = f", {desk.dtype()}" if target.kind == "real" else ""
        text = f"np.array({text}{dtype})"
    elif target.kind == "bool" and found.holds != "bool":
        text = f"{found.at(code.ATOM)} != 0"
    elif target.kind == "int" and found.holds in ("bool", "real"):
        text = f"{found.at(code.ATOM)}.astype(int)"
    elif own and found.shared:
        text = f"{found.at(code.ATOM)}.copy()"
    elif found.terms and len(name) + len(text) > desk.width:
        return [f"{name} = (", *(f"    {term}" for term in found.terms), ")"]
    return [f"{name} = {text}"]


# ── writes that meet every entry ─────────────────────────────────────────────────────────────


def _covering(writes: Sequence[Write], target: Array, desk: Desk) -> Code:
    """Writes with distinct labels on the left, added."""
    found: list[Code] = []
    met: set[int] = set()
    rank = len(target.shape)
    for write in writes:
        left = plain_left(write)
        grid = _value(write, target, left, desk)
        if len(left) > rank:
            spread = align(grid, left) if grid.axes else grid.code
            if len(grid.axes) < len(left):
                spread = broadcast(spread, left, desk) if grid.axes else full(spread, left, desk)
            found.append(reshape(spread, target.shape, desk))
            met.update(range(rank))
        else:
            found.append(align(grid, left))
            met.update(left.index(axis) for axis in grid.axes)
    total = code.total(found, desk)
    axes = plain_left(writes[0])
    if len(met) == rank:
        return total
    axes = tuple(Label(str(place), axis) for place, axis in enumerate(target.shape))
    return broadcast(total, axes, desk) if met else full(total, axes, desk)


def _value(write: Write, target: Array, left: Axes, desk: Desk) -> Grid:
    """What a plain write adds, as matrix notation if it can be."""
    whole_target = Array(target.name, tuple(label.size for label in left), target.kind)
    node = matrix_write(write, whole_target, desk.arrays)
    if node is None:
        return value(write, left, desk)
    node = unspread(node)
    return Grid(expression(node, desk), node.axes)


# ── writes that meet some entries, or some of them again ─────────────────────────────────────


def _scatter(write: Write, target: Array, desk: Desk, *, first: bool) -> list[str]:
    """Lines that add into parts of the target, which starts at zero if these are the first."""
    name = desk.names[target.name]
    loops = _looped(write)
    left = tuple(label for label in labels(*write.left) if label not in loops)
    grid = _value(replace(write, left=(*left, *loops)), target, (*left, *loops), desk)
    lines: list[str] = []
    if first:
        dtype = desk.dtype() if target.kind == "real" else "int"
        lines.append(f"{name} = np.zeros({desk.shape(target.shape)}, {dtype})")
    if not loops:
        return [*lines, _add_into(write, grid, target, desk, only=first)]
    variables = assign((label.name for label in loops), _taken(desk))
    inside = tuple(label for label in loops if label in grid.axes)
    held = grid.code
    if inside and not held.text.isidentifier():
        held = Code(assign(["parts"], {*_taken(desk), *variables.values()})["parts"])
        lines.append(f"{held.text} = {grid.code.text}")
    desk = replace(
        desk, loops={label: Code(variables[label.name], holds="number") for label in loops}
    )
    if inside:
        held = subscript(held, [Code("..."), *(desk.loops[label] for label in inside)])
    grid = Grid(held, tuple(axis for axis in grid.axes if axis not in inside))
    bounds = ", ".join(desk.size(label.size).text for label in loops)
    names = ", ".join(variables[label.name] for label in loops)
    ranges = f"range({bounds})" if len(loops) == 1 else f"np.ndindex({bounds})"
    added = _add_into(write, grid, target, desk, only=False)
    return [*lines, f"for {names} in {ranges}:", f"    {added}"]


def _taken(desk: Desk) -> set[str]:
    return {*desk.names.values(), *desk.size_names.values(), *code.SPELLINGS, "np", "dtype"}


def _looped(write: Write) -> tuple[Label, ...]:
    """The labels inside windows on the left, `dX[2*p+u]`: a loop over u adds slices."""
    found: dict[Label, None] = {}
    for part in write.left:
        form = affine(part)
        inner = window_of(form) if form and len(form.steps) > 1 else None
        if inner is not None:
            found[inner[0]] = None
    return tuple(found)


def _add_into(write: Write, grid: Grid, target: Array, desk: Desk, *, only: bool) -> str:
    """One line; `only` says that the target holds nothing but zeros so far."""
    name = desk.names[target.name]
    place = parts(write.left, target.shape, desk, whole_numbers)
    values = code.cast(grid.code, desk)
    if target.kind != "real" and values.holds == "real":
        values = Code(f"{values.at(code.ATOM)}.astype(int)", holds="int")
    grid = permuted(Grid(values, grid.axes), place.axes)
    added = align(grid, place.axes)
    into = subscript(Code(name), place.index).text
    if place.distinct and only:
        return f"{into} = {added.text}"
    if place.distinct:
        taken = added.text.startswith("-") and added.level in (code.SIGN, code.PRODUCT)
        return f"{into} -= {added.text[1:]}" if taken else f"{into} += {added.text}"
    if len(grid.axes) == 1 and len(place.axes) > 1:
        # NumPy's short cut for vectors pairs a vector of values with a matrix of indices wrongly
        added = inserted(grid.code, grid.axes, place.axes)
    index = into[len(name) + 1 : -1]
    if any(one.text != ":" for one in place.index[1:]):
        index = f"np.s_[{index}]"
    return f"np.add.at({name}, {index}, {added.text})"
