"""`backpass grade`: submissions beside a reference, as a table and as files."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backpass.grading.grade import Way, grade
from backpass.grading.graded import Graded, Level, mean, shows
from backpass.grading.key import key
from backpass.grading.result_files import gradescope, hint_lines, mended, otter, placed
from backpass.grading.submissions import Submission, submission, submissions
from backpass.language.errors import BackpassError
from backpass.nn.files import check_writable, reason, write_whole
from backpass.reading.lines import EMPTY, WIDTH, Line, Role, Span, wrapped
from backpass.terminal.model_file import load_module

NAMES = 26  # columns of the table
MARKED = 8  # tensors that have columns of their own
LONGEST = 200  # bytes of a file's name, before its ending
WORDS = 30  # columns that are left for words at least


@dataclass(frozen=True)
class Grades:
    """All that was graded, and how it is told."""

    graded: tuple[Graded, ...]
    reference: str
    level: Level

    def __bool__(self) -> bool:
        return all(one.verdict is not None for one in self.graded)

    def to_json(self) -> dict[str, Any]:
        """Every submission as plain data, and the mean score."""
        return {
            "reference": self.reference,
            "hint": self.level,
            "mean": round(mean(self.graded), 6),
            "submissions": [one.to_json(self.level) for one in self.graded],
        }

    def lines(self) -> list[Line]:
        """The table, and below it what it comes to."""
        table = _Table(self.graded, self.level)
        return [*table.lines(), EMPTY, *_summary(self.graded, self.level)]


def grade_folder(
    path: Path, reference: Path, level: Level, way: Way, output: Path | None = None
) -> Grades:
    """Grade every submission in a folder, and write a JSON file for each into `output`.

    A file is written as soon as its submission is graded, so that they are there if the grader is
    ended. All are written once more when nothing runs any more: where the system takes no files
    from submissions, one of them could have changed what stood there of another.
    """
    taken = submissions(path, reference)
    names = _file_names([one.name for one in taken])

    def write(place: int, one: Graded) -> None:
        if output is not None:
            _make(output)
            write_whole(output / names[place], _text(one.to_json(level)))

    found = _graded(taken, reference, level, way, write)
    for place, one in enumerate(found.graded):
        write(place, one)
    return found


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackpassError(f"{folder} cannot be made: {reason(error)}") from error


def grade_one(
    path: Path, reference: Path, level: Level, way: Way, points: float, **files: Path | None
) -> Grades:
    """Grade one submission, a file or a folder, and write what autograders read."""
    if not path.exists():
        raise BackpassError(f"there is no submission {path}")
    for file in files.values():
        if file is not None:
            check_writable(file)
    found = _graded([_only(path, reference)], reference, level, way)
    for name, write in (("gradescope", gradescope), ("otter", otter)):
        file = files.get(name)
        if file is not None:
            write_whole(file, _text(write(found.graded[0], points, level)))
    return found


def _only(path: Path, reference: Path) -> Submission:
    """The submission that a path is; a folder is one, too."""
    return submission(path, reference)


def _graded(
    taken: Sequence[Submission],
    reference: Path,
    level: Level,
    way: Way,
    write: Callable[[int, Graded], None] = lambda place, graded: None,
) -> Grades:
    answers = key(load_module(reference))
    with _progress(len(taken)) as step:

        def told(place: int, one: Graded) -> None:
            write(place, one)
            step()

        found = grade(taken, answers, way, told)
    return Grades(tuple(found), reference.name, level)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, where somebody looks."""
    if not sys.stderr.isatty() or total < 2:
        yield lambda: None
        return
    from rich.console import Console

    from backpass.terminal.page import Page

    with Page(Console(stderr=True, highlight=False)).progress(total) as step:
        yield lambda: step("")


def check_folder(folder: Path) -> None:
    """Raise before anything is graded if results cannot be written there."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise BackpassError(f"results cannot go to {folder}: {there} is a file, and no folder")
    if not os.access(there, os.W_OK):
        raise BackpassError(f"results cannot go to {folder}: {there} may not be written")


def _file_names(names: Sequence[str]) -> list[str]:
    """`ada.json` for ada.py, and a name of its own for each, however they are called.

    File systems bound a name to 255 bytes, and some do not tell a from A.
    """
    stems = Counter(Path(name).stem.casefold() for name in names)
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        stem = Path(name).stem
        wanted = name if stems[stem.casefold()] > 1 else stem
        wanted = wanted.encode()[:LONGEST].decode("utf-8", "ignore")
        while wanted.casefold() in taken:
            wanted += "~"
        taken.add(wanted.casefold())
        found.append(f"{wanted}.json")
    return found


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# ── the table ────────────────────────────────────────────────────────────────────────────────


class _Table:
    """A row for each submission: its tensors, its score, and in words what is to be said."""

    def __init__(self, graded: Sequence[Graded], level: Level) -> None:
        self.graded = graded
        self.level: Level = level
        longest = max(len("submission"), *(len(one.name) for one in graded))
        self.width = min(longest, NAMES)
        tensors = [one.name for one in graded[0].tensors]
        marks = sum(len(name) + 1 for name in tensors)
        room = WIDTH - 2 - self.width - marks - 9
        few = len(tensors) <= MARKED and room >= WORDS and shows(level, "where")
        self.tensors: list[str] = tensors if few else []

    @property
    def start(self) -> int:
        """The column where the words begin."""
        return 2 + self.width + sum(len(name) + 1 for name in self.tensors) + 8

    def lines(self) -> Iterator[Line]:
        names = "".join(f" {name}" for name in self.tensors)
        yield (Span(f"  {'submission':<{self.width}}{names}  score", "shape"),)
        for one in self.graded:
            yield from self._row(one)

    def _row(self, one: Graded) -> Iterator[Line]:
        name = textwrap.shorten(one.name, self.width, placeholder="…")
        name = name if name != "…" else one.name[: self.width - 1] + "…"
        spans = [Span(f"  {name:<{self.width}}", "name")]
        for place, tensor in enumerate(self.tensors):
            mark, role = _mark(one, place)
            spans.append(Span(f" {mark:^{len(tensor)}}", role))
        spans.append(Span(f"  {one.score:>4.0%}  ", "formula"))
        words, role = _words(one, self.level)
        first, *rest = textwrap.wrap(words, WIDTH - self.start, break_on_hyphens=False) or [""]
        yield (*spans, Span(first, role))
        for more in rest:
            yield (Span(" " * self.start + more, role),)
        if shows(self.level, "fix"):
            more = [line for hint in one.hints for line in hint_lines(hint, self.level)[1:]]
            for line in [*more, *mended(one, self.level)]:
                yield (Span(line, "formula" if line.startswith("      ") else "reason"),)


def _mark(one: Graded, place: int) -> tuple[str, Role]:
    if one.verdict is None:
        return "·", "shape"
    match one.tensors[place].verdict:
        case verdict if verdict in one.accepted:
            return "✓", "good"
        case "bug":
            return "✗", "bad"
        case "unknown":
            return "?", "bad"
        case _:
            return "≠", "bad"


def _words(one: Graded, level: Level) -> tuple[str, Role]:
    if one.verdict is None:
        return f"not graded: {placed(one.line, '')}{one.reason}", "bad"
    role: Role = "good" if one.verdict in one.accepted else "words"
    if not shows(level, "where"):
        return one.verdict, role
    said: list[str] = []
    for hint in one.hints:
        where = placed(hint.line, hint.file).removesuffix(", ")
        if hint.name in one.verdict:
            continue  # it says no more
        if shows(level, "what"):
            said.append(f"{where}, {hint.name}" if where else hint.name)
        elif where:
            said.append(where)
    told = "; ".join(dict.fromkeys([*said, *one.notes]))
    return (f"{one.verdict}: {told}" if told else one.verdict), role


def _counted(one: Graded) -> str:
    match one.verdict:
        case None:
            return "not graded"
        case "bug":
            return "with a bug"
        case verdict:
            return verdict


def _summary(graded: Sequence[Graded], level: Level) -> list[Line]:
    verdicts = Counter(_counted(one) for one in graded)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    of = "submission" if len(graded) == 1 else "submissions"
    lines = wrapped(f"{len(graded)} {of}, mean score {mean(graded):.0%}: {counted}.", 2, "words")
    mistakes = Counter(hint.name for one in graded for hint in one.hints if hint.accuses)
    often = [f"{name} ({count})" for name, count in mistakes.most_common(3) if count > 1]
    if often and shows(level, "what"):
        lines += wrapped(f"Most frequent: {', '.join(often)}.", 2, "words")
    return lines
