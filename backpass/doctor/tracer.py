"""Code without a source, watched line by line: what its names hold after each line.

Sub-expressions without a name stay unseen, so that less is read of such code and the lines of a
mistake are as coarse as its names.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.rewrite import Moment, Place
from backpass.doctor.state import Roots

Array = NDArray[Any]
Tell = Callable[[Place, str, Array], None]  # a place of a file, and what it is worth


@contextlib.contextmanager
def traced(codes: Mapping[CodeType, str], tell: Tell) -> Iterator[None]:
    """Tell of every line of these code objects, which are given with their functions' names."""
    before = sys.gettrace()
    tracer = _Tracer(codes, tell)
    if codes:
        sys.settrace(tracer.called)
    try:
        yield
    finally:
        if codes:
            sys.settrace(before)


class _Tracer:
    def __init__(self, codes: Mapping[CodeType, str], tell: Tell) -> None:
        self.codes = codes
        self.tell = tell
        self.places: dict[tuple[CodeType, int, str, Moment], Place] = {}

    def called(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code not in self.codes:
            return None
        held = _numbers(frame)
        line = 0

        def ran(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal held, line
            if event in ("line", "return"):
                now = _numbers(frame)
                for path, value in now.items():
                    old = held.get(path)
                    if old is None or old.shape != value.shape:
                        self.say(frame.f_code, line or frame.f_lineno, path, "value", value)
                    elif not np.array_equal(old, value):
                        self.say(frame.f_code, line or frame.f_lineno, path, "before", old)
                        self.say(frame.f_code, line or frame.f_lineno, path, "after", value)
                held, line = now, frame.f_lineno
            return ran

        for path, value in held.items():
            self.say(frame.f_code, frame.f_lineno, path, "value", value)
        return ran

    def say(self, code: CodeType, line: int, path: str, moment: Moment, value: Array) -> None:
        """One place for each name on each line; what a line does to one name is one statement."""
        key = code, line, path, moment
        place = self.places.get(key)
        if place is None:
            number, function = len(self.places), self.codes[code]
            place = Place(number, line, 0, line, 0, path, function, line, moment)
            self.places[key] = place
        self.tell(place, code.co_filename, value)


def _numbers(frame: FrameType) -> dict[str, Array]:
    return Roots({}, dict(frame.f_locals), {}).state().values
