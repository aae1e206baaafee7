"""What the names of a backward pass hold, line by line, as it runs."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.suspects import close

Array = NDArray[np.float64]
Numbers = Callable[[Any], Array | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was there when a line began, and what there was new when it had run."""

    line: int
    before: Mapping[str, Array]
    made: Mapping[str, Array]


def followed(rule: Callable[..., Any], call: Callable[[], Any], numbers: Numbers) -> list[Moment]:
    """Run `call`, which calls the rule once, and listen to the rule's lines until it fails."""
    code = inspect.unwrap(rule).__code__
    lines: list[tuple[int, dict[str, Array]]] = []

    def local(frame: FrameType, event: str, _: object) -> Any:
        if event in ("line", "return"):
            lines.append((frame.f_lineno, dict(_held(frame.f_locals, numbers))))
        return local

    def start(frame: FrameType, event: str, _: object) -> Any:
        return local if frame.f_code is code else None

    before = sys.gettrace()
    sys.settrace(start)
    try:
        with contextlib.suppress(Exception):
            call()
    finally:
        sys.settrace(before)
    return [
        Moment(line, held, {n: v for n, v in after.items() if _is_new(v, held.get(n))})
        for (line, held), (_, after) in itertools.pairwise(lines)
    ]


def _is_new(value: Array, held: Array | None) -> bool:
    return held is None or held.shape != value.shape or not np.array_equal(held, value)


def _held(names: Mapping[str, Any], numbers: Numbers) -> Iterator[tuple[str, Array]]:
    """The arrays that names hold, also one step inside: `ctx.x`, `kept[0]`."""
    for name, value in names.items():
        if name == "_":
            continue
        found = numbers(value)
        if found is not None:
            yield name, found
        elif isinstance(value, list | tuple):
            for place, one in enumerate(value):
                if (found := numbers(one)) is not None:
                    yield f"{name}[{place}]", found
        elif isinstance(value, dict):
            for key, one in value.items():
                if (found := numbers(one)) is not None:
                    yield f"{name}[{key!r}]", found
        else:
            for key, one in getattr(value, "__dict__", {}).items():
                if (found := numbers(one)) is not None:
                    yield f"{name}.{key}", found


def blamed(moments: Sequence[Moment], value: Array) -> int | None:
    """The first line that makes a value and gives it a name."""
    return next(
        (one.line for one in moments if any(close(made, value) for made in one.made.values())), None
    )


def known_at(
    moments: Sequence[Moment], line: int | None, quantities: Mapping[str, Array]
) -> dict[str, str]:
    """What the code calls each quantity where a line begins, as far as it holds it."""
    if not moments:
        return {}
    moment = next((one for one in reversed(moments) if one.line == line), moments[-1])
    found: dict[str, str] = {}
    for name, value in quantities.items():
        own = [word for word, held in moment.before.items() if close(held, value)]
        if own:
            first = (word for word in own if word.isidentifier())
            found[name] = name if name in own else next(first, own[0])
    return found
