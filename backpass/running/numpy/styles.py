"""The styles of NumPy source that write equal layers once: `loop` and `recursive`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Literal

from backpass.language.errors import DerivationError
from backpass.language.program import Program
from backpass.reading.passes import Passes
from backpass.running.numpy.entry import worded, written_out
from backpass.running.numpy.frame import Nest
from backpass.running.numpy.rolled.composition import Wanted, composed
from backpass.running.numpy.rolled.loop import loop
from backpass.running.numpy.rolled.recursion import Carried, carried, recursion
from backpass.running.numpy.rolled.rolling import rollings
from backpass.running.numpy.rolled.shelf import shelves
from backpass.running.numpy.rolled.statement import drafted

Style = Literal["unrolled", "loop", "recursive"]
NAME = "forward_backward"


def styled(
    style: Literal["loop", "recursive"],
    passes: Passes,
    program: Program,
    arguments: Mapping[str, Nest],
    gradients: Mapping[str, str],
) -> str:
    """The source of both passes, equal layers written once.

    `arguments` are nests of names and `gradients` those of the leaves. Raises DerivationError
    when no layers are equal, or when a recursion cannot hand on what they need.
    """
    draft = drafted(passes, program, {passes.loss, *gradients.values()}, NAME)
    words, made = draft.desk.names, written_out(program)
    wanted = Wanted(
        NAME,
        words[passes.loss],
        {name: worded(nest, words) for name, nest in arguments.items()},
        {words[leaf]: words[gradient] for leaf, gradient in gradients.items()},
        [words[array.name] for array, _ in program.constants if array.name not in made],
        {words[name]: value for name, value in made.items()},
    )
    kept = shelves(wanted.arguments)
    apart: list[tuple[str, ...]] = []
    reason = ""
    for rolled in rollings(draft, kept, apart):
        whole = composed(draft, rolled, kept, wanted)
        if style == "loop":
            return loop(whole)
        handed = carried(whole)
        if isinstance(handed, Carried) and rolled.count <= _deepest():
            return recursion(whole, handed)
        reason = reason or (handed if isinstance(handed, str) else _too_deep(rolled.count))
    if reason:
        raise DerivationError(f'{reason}; style="loop" applies')
    if apart:
        *others, last = apart[0]
        raise DerivationError(
            f"the layers are alike, but nothing counts {', '.join(others)} and {last} along; "
            'number their names, as W1 and W2 are, or pass a list; style="unrolled" applies'
        )
    raise DerivationError('no two layers are alike here, so only style="unrolled" applies')


def _deepest() -> int:
    """How many calls may stand in one another, with room for those of the caller."""
    return sys.getrecursionlimit() // 2


def _too_deep(count: int) -> str:
    return f"{count} layers are more calls in one another than Python allows"
