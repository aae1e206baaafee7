"""One submission's result as the files that autograders read: Gradescope's, and otter's."""

from __future__ import annotations

import textwrap
from typing import Any

from backpass.grading.graded import Graded, Hint, Level, shows

WIDTH = 80


def gradescope(graded: Graded, points: float, level: Level) -> dict[str, Any]:
    """Gradescope's results.json: a test for each tensor, which share the points evenly."""
    share = _share(graded, points)
    return {
        "score": round(points * graded.score, 6),
        "execution_time": round(graded.seconds, 3),
        "output": "\n".join(lines(graded, level)),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": f"the gradient of {one.name}",
                "score": share if passed else 0.0,
                "max_score": share,
                "status": "passed" if passed else "failed",
                "output": "" if graded.verdict is None else one.verdict,
                "output_format": "text",
            }
            for one, passed in _tests(graded)
        ],
    }


def otter(graded: Graded, points: float, level: Level) -> dict[str, Any]:
    """Results as otter reads them from JSON (`GradingResults.from_ottr_json`)."""
    share = _share(graded, points)
    said = "\n".join(lines(graded, level))
    return {
        "test_file_results": [
            {
                "filename": graded.name,
                "test_case_results": [
                    {
                        "passed": passed,
                        "error": None if passed else said,
                        "test_case": {
                            "name": f"the gradient of {one.name}",
                            "code": "",
                            "points": share,
                            "hidden": False,
                            "success_message": one.verdict if passed else None,
                            "failure_message": None if passed else one.verdict,
                        },
                    }
                    for one, passed in _tests(graded)
                ],
            }
        ]
    }


def _share(graded: Graded, points: float) -> float:
    return round(points / max(len(graded.tensors), 1), 6)


def _tests(graded: Graded) -> list[tuple[Any, bool]]:
    return [(one, one.verdict in graded.accepted) for one in graded.tensors]


# ── words ────────────────────────────────────────────────────────────────────────────────────


def lines(graded: Graded, level: Level) -> list[str]:
    """The verdict in words, with hints up to a level."""
    if graded.verdict is None:
        found = _filled(f"not graded: {placed(graded.line, '')}{graded.reason}", "")
        return found + mended(graded, level)
    found = [graded.verdict]
    for hint in graded.hints if shows(level, "where") else ():
        found += hint_lines(hint, level)
    for note in graded.notes if shows(level, "where") else ():
        found += _filled(note, "  ")
    return found


def mended(graded: Graded, level: Level) -> list[str]:
    """What would have worked where a submission failed, if that is known and told."""
    if not graded.fix or not shows(level, "fix"):
        return []
    return _filled(f"should be: {graded.fix}", "    ")


def hint_lines(hint: Hint, level: Level) -> list[str]:
    """One hint: where, what, and how it is mended, as far as the level goes."""
    where = f"{placed(hint.line, hint.file)}{', '.join(hint.tensors)}"
    if not shows(level, "what"):
        return _filled(where, "  ")
    found = _filled(f"{where}: {hint.name}", "  ")
    if hint.source:
        found.append(f"      {textwrap.shorten(hint.source, WIDTH - 6, placeholder=' …')}")
    found += _filled(f"{hint.explanation}.", "    ")
    if hint.fix and shows(level, "fix"):
        found += _filled(f"should be: {hint.fix}" if hint.accuses else hint.fix, "    ")
    if hint.repaired and shows(level, "fix"):
        shown = textwrap.shorten(hint.repaired, WIDTH - 6, placeholder=" …")
        found += ["    repaired:", f"      {shown}"]
    return found


def placed(line: int | None, file: str) -> str:
    """`line 8, `, and nothing where no line is known."""
    return f"{file and f'{file} '}line {line}, " if line else ""


def _filled(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
