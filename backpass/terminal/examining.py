"""`backpass doctor mynet.py`: what in somebody's file is called, and what comes of it.

Whatever is not said is looked for, and what is found is told.
"""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from backpass.doctor.annotate import annotate
from backpass.doctor.annotation import Annotation
from backpass.doctor.examine import examine
from backpass.doctor.listing import listing_lines
from backpass.doctor.quiet import quiet
from backpass.doctor.raised import Raised, Waits, question
from backpass.doctor.report import Report
from backpass.doctor.scripts import LONG, TooLong, interrupted_after
from backpass.language.errors import BackpassError, TraceError
from backpass.nn.files import write_whole
from backpass.reading.lines import Line, Role, Span, wrapped
from backpass.terminal.functions import judged
from backpass.terminal.model_file import load_module
from backpass.terminal.rehearsal import looked_at
from backpass.terminal.trains import arguments, calls, refuse_held, unfit, what_trains


@dataclass(frozen=True)
class Examined:
    """A report, and what was taken for granted to make it."""

    report: Report
    assumed: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.report.verdict != "bug"

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, with what was assumed."""
        return {**self.report.to_json(), "assumed": list(self.assumed)}

    def lines(self) -> list[Line]:
        """The report with accents, and below it what was assumed."""
        told = f"Assumed: {'; '.join(self.assumed)}." if self.assumed else ""
        lines: list[Line] = []
        for place, text in enumerate(str(self.report).split("\n")):
            mark = text.strip()[:1]
            role: Role = "heading" if place == 0 else "words"
            if mark in ("✓", "✗"):
                role = "good" if mark == "✓" else "bad"
            elif text.startswith("      "):
                role = "formula"
            lines.append((Span(text, role),))
        wrapped = textwrap.wrap(told, 78, initial_indent="  ", subsequent_indent="  ")
        return [*lines, *([()] if told else []), *((Span(line, "reason"),) for line in wrapped)]


@dataclass(frozen=True)
class Annotated:
    """A listing, and what was taken for granted to make it."""

    annotation: Annotation
    assumed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The listing as plain data, with what was assumed."""
        return {**self.annotation.to_json(), "assumed": list(self.assumed)}

    def lines(self) -> list[Line]:
        """The listing with accents, and below it what was assumed."""
        told = f"Assumed: {'; '.join(self.assumed)}." if self.assumed else ""
        shown = listing_lines(self.annotation.summary, self.annotation.lines)
        return [*shown, *([()] if told else []), *wrapped(told, 0, "reason")]

    def write(self, path: Path) -> None:
        """The listing as a page, written whole or not at all."""
        write_whole(path, self.annotation.html().encode())

    def write_copy(self, path: Path, of: Path) -> None:
        """The file with the readings as comments, which never takes the place of the file."""
        if path.resolve() == of.resolve():
            raise BackpassError(f"{path} is the file itself; name another one for the copy")
        files = {line.file for line in self.annotation.lines}
        file = next((one for one in files if Path(one).resolve() == of.resolve()), None)
        write_whole(path, self.annotation.commented(file).encode())


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a file is looked at, as far as it was said, and what looks at it."""

    path: Path
    make: str | None
    call: str | None
    data: str | None
    look: Callable[[Callable[..., Any], Sequence[Any]], Any]
    judges: bool = False  # a backward pass by hand, too

    @property
    def is_said(self) -> bool:
        return any(one is not None for one in (self.make, self.call, self.data))


def examine_file(
    path: Path, make: str | None, call: str | None, data: str | None, lr: float | None
) -> Examined:
    """Find what trains in a file, make what it needs, and examine it.

    Raises BackpassError, with the option that would help, when there is nothing to call.
    """

    def look(function: Callable[..., Any], args: Sequence[Any]) -> Report:
        report = examine(function, args, lr)
        if data is None and report.verdict == "bug" and not report.tensors:
            raise Raised.of(report.findings[0])
        return report

    return Examined(*_looked(Asked(path, make, call, data, look, judges=True)))


def annotate_file(path: Path, make: str | None, call: str | None, data: str | None) -> Annotated:
    """Find what trains in a file, make what it needs, and read it back.

    Raises BackpassError, with the option that would help, when there is nothing to call.
    """
    asked = Asked(path, make, call, data, lambda one, args: annotate(one, *args))
    return Annotated(*_looked(asked))


def _looked(asked: Asked) -> tuple[Any, tuple[str, ...]]:
    """What comes of looking at the first call that can be looked at, and what was assumed.

    A file may read others beside it: where it fails here, it is tried in its own folder.
    """
    try:
        return _here(asked)
    except BackpassError as refused:
        folder = asked.path.absolute().parent
        if not asked.path.is_file() or folder.samefile("."):
            raise
        data = asked.data
        if data is not None and data.endswith(".npz"):
            data = str(Path(data).absolute())
        try:
            with contextlib.chdir(folder):
                found, said = _here(replace(asked, path=folder / asked.path.name, data=data))
        except BackpassError as other:
            raise other if "FileNotFoundError" in refused.message else refused from None
        return found, (*said, "run in its own folder")


def _here(asked: Asked) -> tuple[Any, tuple[str, ...]]:
    """The same where we are.

    Where nothing is said and nothing found, the file is run, to see what it calls itself.
    """
    path, look = asked.path, asked.look
    try:
        module = _loaded(path)
        known = judged(module, path, asked.call, asked.data) if asked.judges else None
        if known is not None:
            return known
        found = _sought(module, asked)
    except BackpassError:
        heard = None if asked.is_said or not path.is_file() else looked_at(path, look)
        if heard is None:
            raise
        return heard
    unread = isinstance(found[0], Report) and found[0].verdict == "unknown"
    return (looked_at(path, look) if unread and not asked.is_said else None) or found


def _loaded(path: Path) -> ModuleType:
    """The file, imported; what it says and writes is thrown away, and it has its time."""
    asked: list[str] = []
    try:
        with quiet() as said, interrupted_after(LONG):
            asked = said.asked
            return load_module(path)
    except TraceError as error:
        if not asked:
            raise
        raise Waits(
            f"importing it waits for the keyboard: {question(asked[-1])} gets an empty line here; "
            'write the answer in its place, or put it below if __name__ == "__main__":',
            line=error.line, where=error.where,
        ) from None  # fmt: skip
    except TooLong:
        raise BackpassError(
            f"{path.name} still runs after {LONG:g} s; put what it does when it is run below "
            'if __name__ == "__main__":'
        ) from None


def _sought(module: ModuleType, asked: Asked) -> tuple[Any, tuple[str, ...]]:
    """What comes of the first call by a usual name that can be looked at."""
    data = asked.data
    made, said = what_trains(module, asked.path, asked.make)
    refused: list[BackpassError] = []
    advice: list[str] = []
    told = '--data "X, Y" of the file or --data "6x3 6x2"'
    for name, function in calls(module, made, asked.call):
        why = unfit(name, function, made, alone=_is_one(data))
        if why is not None:
            advice.append(why)
            continue
        tried: list[BackpassError] = []
        for args, on in arguments(module, function, made, data):
            try:
                found = asked.look(function, args)
            except BackpassError as error:
                tried.append(error)
                continue
            return found, (*said, f"called {name}", *on)
        # samples that were made up may be those that it cannot take
        ran = [one for one in tried if not isinstance(one, Raised)]
        refused += (ran or tried)[:1]
        advice += [] if tried else [f"say on what {name} is called, as in {told}"]
    refuse_held(module.__name__.removesuffix(".py"), module)
    if refused and (asked.call is not None or data is not None or isinstance(refused[0], Waits)):
        raise refused[0]
    if refused:
        first = refused[0]
        raise BackpassError(
            f"{first.message}; say what trains with --call, and on what with {told}",
            line=first.line, where=first.where,
        )  # fmt: skip
    if advice:
        raise BackpassError(min(advice, key=lambda one: "say " not in one))
    raise BackpassError(
        f"nothing in {asked.path.name} could be called to see it train; put it into a function of "
        "samples and targets, or into a class"
    )


def _is_one(data: str | None) -> bool:
    """Whether samples alone are given, which may be what they are compared with."""
    return (
        data is not None and not data.endswith(".npz") and len(data.replace(",", " ").split()) == 1
    )
