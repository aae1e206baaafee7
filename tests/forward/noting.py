"""An array whose every operation notes which name the user's code gives to the result."""

from __future__ import annotations

import sys
from textwrap import dedent
from types import CodeType, FrameType, SimpleNamespace
from typing import Any, ClassVar

from backpass.forward.names import Binding, binding


class Array:
    """Knows no numbers, but which arrays it was computed from."""

    outermost: ClassVar[CodeType]
    noted: ClassVar[list[tuple[Array, Binding]]]

    def __init__(self, *sources: object) -> None:
        arrays = [each for each in sources if isinstance(each, Array)]
        self.sources: set[Array] = set(arrays).union(*(each.sources for each in arrays))

    def _note(self, *others: object, **_: object) -> Array:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_globals is globals():
            frame = frame.f_back
        assert frame is not None
        result = Array(self, *others)
        self.noted.append((result, binding(frame, self.outermost)))
        return result

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = _note
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = __abs__ = __getitem__ = __lt__ = _note
    dot = sum = _note
    __iter__ = None

    @property
    def T(self) -> Array:
        return self._note()


def tanh(array: Array, **options: object) -> Array:
    """Stand for a function of the library."""
    return array._note(**options)


def bindings(source: str, **more: object) -> list[Binding]:
    """Run the function f of a source text that no file holds, and list what was noted."""
    run(source, **more)
    return [bound for _, bound in Array.noted]


def run(source: str, **more: object) -> None:
    """Run the function f of a source text, with some arrays and functions at hand."""
    w, names = Array(), SimpleNamespace
    known: dict[str, Any] = {"x": w, "w": w, "b": w, "y": w, "Ws": [w, w], "tanh": tanh}
    known |= {"np": names(tanh=tanh, sum=tanh), "names": names} | more
    exec(compile(dedent(source), "<nowhere>", "exec"), known)
    Array.outermost, Array.noted = known["f"].__code__, []
    known["f"]()


def annotated(source: str, **more: object) -> str:
    """Write the names of the values that a line computes behind it, in place of the comment.

    `A` and `A[0]` are names, `→ A` a value that flows into A, `⏎` one that f returns.
    """
    lines: dict[int, list[str]] = {}
    for each in bindings(source, **more):
        lines.setdefault(each.line, []).append(_said(each))
    codes = [line.partition("  # ")[0] for line in source.splitlines()]
    notes = [", ".join(lines.get(number, [])) for number in range(1, len(codes) + 1)]
    return "\n".join(f"{c}  # {n}" if n else c for c, n in zip(codes, notes, strict=True))


def _said(bound: Binding) -> str:
    name = bound.into if bound.consumed else bound.name
    position = bound.into_position if bound.consumed else bound.position
    place = (name or "") + ("" if position is None else f"[{position}]")
    words = ["→" * bound.consumed, place, "⏎" * bound.returned]
    return " ".join(word for word in words if word) or "–"
