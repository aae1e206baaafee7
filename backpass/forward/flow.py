"""The stack before every move of a code object, with the moves that fill its slots for values."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

from backpass.forward.bytecode import Listing, Move, decode

# The top of the stack, as far as it is known. A slot is the index of the move that filled it, or
# a mark of whoever follows a value through the moves.
Stack = tuple[object, ...]
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Flow:
    """A code object, read once."""

    own: frozenset[str]  # the variables that nobody else writes
    listing: Listing
    before: list[Stack]
    findings: dict[object, object] = field(default_factory=dict[object, object])  # of its readers

    def move(self, slot: object) -> Move:
        """Find the move that filled a slot; one that does nothing stands for an unknown one."""
        return self.listing.moves[index(slot)]

    def operands(self, slot: object) -> Stack:
        """Find the slots that a move takes, in the order of the code."""
        return top(self.before[index(slot)], self.move(slot).pops)

    def callee(self, slot: object) -> object:
        """Find the function that a call calls; an absent object stands beside it on the stack."""
        function, other = self.operands(slot)[:2]
        return other if self.move(function).verb == "null" else function

    def iterable(self, slot: object) -> object:
        """Find what the loop runs over that takes its next element here."""
        iterator = at(self.before[index(slot)], 1)
        return self.operands(iterator)[0] if self.move(iterator).verb == "iterate" else iterator


# By identity: hashing a code object reads its constants, and equal code has equal flow anyway.
_flows: dict[int, Flow] = {}


def flow(code: CodeType) -> Flow:
    """Read a code object, or remember it; it is forgotten together with the code."""
    known = _flows.get(id(code))
    if known is None:
        known = _flows[id(code)] = _read(code)
        weakref.finalize(code, _flows.pop, id(code), None).atexit = False
    return known


def _read(code: CodeType) -> Flow:
    """Run the moves on slots instead of values until nothing new is learned."""
    listing = decode(code)
    known: dict[int, Stack] = {}
    # what the entry does not reach is an exception's handler: nothing is known of its stack
    for start in range(len(listing.moves)):
        todo: list[tuple[int, Stack]] = [] if start in known else [(start, ())]
        while todo:
            here, stack = todo.pop()
            seen = known.get(here)
            if seen is not None:
                stack = _common(seen, stack)
                if stack == seen:
                    continue
            known[here] = stack
            move = listing.moves[here]
            made = (NOBODY if move.verb == "unpack" else here,) * move.pushes
            todo += successors(listing, here, stack, made)
    own = frozenset(code.co_varnames).difference(code.co_cellvars)
    return Flow(own, listing, [known[each] for each in range(len(listing.moves))])


def _common(one: Stack, other: Stack) -> Stack:
    """Keep what two ways to the same move agree upon."""
    if one == other:
        return one
    depth = min(len(one), len(other))
    pairs = zip(top(one, depth), top(other, depth), strict=True)
    return tuple(a if a == b else NOBODY for a, b in pairs)


# ── one move ─────────────────────────────────────────────────────────────────────────────────


def successors(
    listing: Listing, here: int, stack: Stack, made: Stack
) -> Iterator[tuple[int, Stack]]:
    """Carry out one move that makes `made`: what may follow it, the move next in order last."""
    move = listing.moves[here]
    if move.jump is not None:
        after = drop(stack, move.jump.pops) + (NOBODY,) * move.jump.pushes
        yield listing.index(move.jump.offset), () if move.verb == "unknown" else after
    match move.verb:
        case "return" | "stop" | "jump":
            return
        case "unknown":
            after = ()
        case "copy":
            after = (*stack, at(stack, move.depth))
        case "swap":
            after = put(put(stack, 1, at(stack, move.depth)), move.depth, at(stack, 1))
        case _:
            after = drop(stack, move.pops) + made
    yield here + 1, after


def index(slot: object) -> int:
    """Read a slot as the index of a move."""
    return slot if isinstance(slot, int) else NOBODY


def at(stack: Stack, depth: int) -> object:
    """Read the slot at a depth; the top has depth 1."""
    return stack[-depth] if depth <= len(stack) else NOBODY


def top(stack: Stack, depth: int) -> Stack:
    """Read the slots down to a depth."""
    missing = depth - len(stack)
    return (NOBODY,) * missing + stack if missing > 0 else stack[len(stack) - depth :]


def drop(stack: Stack, depth: int) -> Stack:
    """Take the slots down to a depth away."""
    return stack[: max(0, len(stack) - depth)]


def put(stack: Stack, depth: int, slot: object) -> Stack:
    """Exchange the slot at a depth."""
    stack = top(stack, max(depth, len(stack)))
    return (*stack[: len(stack) - depth], slot, *stack[len(stack) - depth + 1 :])
