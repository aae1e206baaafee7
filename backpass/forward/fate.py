"""What becomes of a value: followed on the stack from the move that makes it to its place.

All of this is known before the code runs, and is worked out once for each place in it. What only
the running frame can tell (the value of a subscript, the length of a list) stands in a path as a
`Key` or a `Length`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from backpass.forward.bytecode import Move, Verb
from backpass.forward.flow import NOBODY, Flow, Stack, put, successors, top


@dataclass(frozen=True, slots=True)
class Key:
    """A subscript: the value of the slot `key`, in the container of the slot `of`."""

    key: object
    of: object


@dataclass(frozen=True, slots=True)
class Length:
    """The place that `append` gives in the list of the slot `of`."""

    of: object


UNKNOWN = Key(NOBODY, NOBODY)

# A place is said outside in: ("self", "cache", "Z1"), ("A", 3), ("A", None) for an element whose
# number is not known, as in a comprehension.
Word = str | int | None | Key | Length
Path = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a value ends."""

    end: Literal["stored", "returned", "yielded", "dropped"]
    path: Path = ()
    consumed: bool = False  # what ends there is only computed from the value
    within: bool = False  # it ends in a tuple, list or dict that is built on the way


@dataclass(frozen=True, slots=True)
class Maker:
    """An instruction that makes a value, and the value's fate."""

    verb: Verb
    source: object  # the slot of the function that is called, or of what a loop runs over
    fate: Fate
    onward: Path | None  # where the variable that keeps it stands in what the function returns
    fixed: bool  # nothing of the path has to be asked from a frame


def maker(flow: Flow, offset: int, path: Path = ()) -> Maker:
    """Tell what becomes of the value at `path` in what the instruction at `offset` makes."""
    found = flow.findings.get((offset, path))
    if found is None:
        found = flow.findings[offset, path] = _maker(flow, flow.listing.index(offset), path)
    return cast("Maker", found)


def _maker(flow: Flow, start: int, path: Path) -> Maker:
    verb, source = flow.move(start).verb, NOBODY
    if verb == "call":
        source = flow.callee(start)
    elif verb == "next":
        source = flow.iterable(start)
    end, fate = _follow(flow, start, path)
    onward = _onward(flow, end) if flow.move(end).verb == "store" and not fate.within else None
    fixed = not any(isinstance(word, Key | Length) for word in fate.path)
    return Maker(verb, source, fate, onward, fixed)


@dataclass(frozen=True, slots=True)
class _Ours:
    """The mark of the slot that is followed: the value is at `path` in it."""

    path: Path = ()
    consumed: bool = False


def _follow(flow: Flow, start: int, path: Path) -> tuple[int, Fate]:
    """Walk on from the move that makes the value, along every branch, to what takes it first."""
    if flow.move(start).verb not in ("attribute", "binary", "call", "compute", "item", "next"):
        return NOBODY, Fate("dropped")
    *_, first = successors(flow.listing, start, flow.before[start], (_Ours(path),))
    todo = [first]
    seen: set[int] = set()
    consumed = False
    while todo:
        here, stack = todo.pop()
        if here in seen or not any(isinstance(slot, _Ours) for slot in stack):
            continue
        seen.add(here)
        move = flow.move(here)
        taken = top(stack, move.pops)
        made: Stack = (here,) * move.pushes
        for place, ours in enumerate(taken):
            if isinstance(ours, _Ours):
                result = _take(flow, move, taken, place, ours)
                if isinstance(result, Fate):
                    return here, result
                consumed = consumed or any(isinstance(s, _Ours) and s.consumed for s in result)
                if move.verb in ("collect", "put"):
                    stack = put(stack, move.pops + move.depth, result[0])
                else:
                    made = result
        todo += successors(flow.listing, here, stack, made)
    return NOBODY, Fate("dropped", consumed=consumed)


def _take(flow: Flow, move: Move, taken: Stack, place: int, ours: _Ours) -> Fate | Stack:
    """Tell what a move does with the value at `place` among its operands: its end, or results."""
    path, consumed = ours.path, ours.consumed
    match move.verb:
        case "store":
            base: Path = (str(move.word),)
        case "store attribute" if place == 0:
            base = (*_path(flow, taken[1]), str(move.word))
        case "store item" if place == 0:
            key = _key(flow, taken[2], taken[1]) if len(taken) == 3 else UNKNOWN  # a slice
            base = (*_path(flow, taken[1]), key)
        case "call" if place == 2 and _appends(flow, taken):
            receiver = flow.operands(taken[0])[0]
            base = (*_path(flow, receiver), Length(receiver))
        case "attribute" | "binary" | "call" | "compute" | "item":
            return (_Ours((), True),)
        case "sequence":
            return (_Ours((place, *path), consumed),)
        case "mapping" if move.word == "keys":
            keys = cast("tuple[object, ...]", flow.move(taken[-1]).word)
            return (_Ours((_word(keys[place]), *path), consumed),)
        case "mapping" if place % 2:
            return (_Ours((_key(flow, taken[place - 1]), *path), consumed),)
        case "collect":
            return (_Ours((None, *path), consumed),)
        case "put":
            return (_Ours((_key(flow, taken[0]), *path), consumed) if place else NOBODY,)
        case "unpack" if path and isinstance(path[0], int) and path[0] < move.depth:
            # the first element is on top
            return put((NOBODY,) * move.pushes, path[0] + 1, _Ours(path[1:], consumed))
        case "return":
            return Fate("returned", path, consumed)
        case "yield":
            return Fate("yielded", path, consumed)
        case _:
            return (NOBODY,) * move.pushes
    return Fate("stored", base + path, consumed, within=bool(path))


_REACH = 500  # moves are looked at on the way from a variable to the return; more is not a helper


def _onward(flow: Flow, start: int) -> Path | None:
    """Find where a function returns what it stores in a local variable, if it does on every way."""
    name = flow.move(start).word
    returns = _returns(flow)
    if name not in flow.own or not any(name in kept for kept in returns.values()):
        return None
    found: Path | None = None
    todo = [start + 1]
    seen: set[int] = set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        move = flow.move(here)
        if here in returns:
            path = returns[here].get(name)
            if path is None or found not in (None, path):
                return None
            found = path
        elif (move.verb == "store" and move.word == name) or len(seen) > _REACH:
            return None
        todo += (after for after, _ in successors(flow.listing, here, (), ()))
    return found


def _returns(flow: Flow) -> dict[int, dict[object, Path]]:
    """List, for each `return`, the variables that it returns: one alone, or several in a tuple."""
    found = flow.findings.get("returns")
    if found is None:
        found = flow.findings["returns"] = {
            start: _variables(flow, flow.operands(start)[0])
            for start, move in enumerate(flow.listing.moves)
            if move.verb == "return"
        }
    return cast("dict[int, dict[object, Path]]", found)


def _variables(flow: Flow, slot: object) -> dict[object, Path]:
    move = flow.move(slot)
    if move.verb == "local":
        return {move.word: ()}
    parts = enumerate(flow.operands(slot)) if move.verb == "sequence" else ()
    return {flow.move(part).word: (i,) for i, part in parts if flow.move(part).verb == "local"}


# ── places ───────────────────────────────────────────────────────────────────────────────────


def _appends(flow: Flow, taken: Stack) -> bool:
    """Tell `….append(value)` from other calls."""
    function = flow.move(taken[0])
    return len(taken) == 3 and (function.verb, function.word) == ("attribute", "append")


def _path(flow: Flow, slot: object) -> Path:
    """Say the place that an expression reads: `self.cache[i]` is ("self", "cache", Key)."""
    move = flow.move(slot)
    match move.verb:
        case "local" | "global" | "name":
            return (str(move.word),)
        case "attribute":
            return (*_path(flow, flow.operands(slot)[0]), str(move.word))
        case "item":
            container, key = flow.operands(slot)
            return (*_path(flow, container), _key(flow, key, container))
        case _:
            return ()


def _key(flow: Flow, slot: object, container: object = NOBODY) -> Word:
    """Say a subscript: as it is written, or as what the frame has to be asked for."""
    move = flow.move(slot)
    word = _word(move.word) if move.verb == "constant" else UNKNOWN
    asked = word is UNKNOWN or (isinstance(word, int) and word < 0)
    return Key(slot, container) if asked else word


def _word(constant: object) -> Word:
    """Take a constant that can stand in a path."""
    return constant if type(constant) is str or type(constant) is int else UNKNOWN
