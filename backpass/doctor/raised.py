"""Code that raises: its own line, the shapes that met there, and what would have fitted."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from pathlib import Path

from backpass.doctor.observe import Run
from backpass.doctor.report import Finding, Report
from backpass.doctor.rewrite import Place
from backpass.language.errors import BackpassError

Shape = tuple[int, ...]
WAITS = "the code waits for the keyboard"


class Raised(BackpassError):
    """The code that was looked at raises; said with its line and the shapes there."""

    @classmethod
    def of(cls, finding: Finding) -> Raised:
        """The error of a finding that says where, and what met there."""
        where = f"{Path(finding.file).name}:{finding.line}" if finding.line else None
        fits = f"; what fits is {finding.fix}" if finding.fix else ""
        kind = Waits if finding.name == WAITS else cls
        return kind(f"{finding.explanation.rstrip('.')}{fits}", line=finding.source, where=where)


class Waits(Raised):
    """The code asks at the keyboard, and needs an answer; other samples would not help."""


def question(prompt: str) -> str:
    """The call that asked."""
    return f"input({prompt!r})" if prompt else "input()"


def raised(subject: str, run: Run) -> Report:
    """The report on a call that ended in an error."""
    failure = run.failure
    assert failure is not None
    shapes = _shapes(run, failure.file, failure.line)
    what = " ".join(str(failure.error).split()).rstrip(".")
    says = f"the code raises {type(failure.error).__name__}{f': {what}' if what else ''}"
    product = _failed(run, failure.file, failure.line, shapes)
    fix = ""
    if product is not None:
        text, left, right = product
        says += f"; in {text} the shapes are ({_show(left[1])}) and ({_show(right[1])})"
        fix = "; or ".join(_fitting(left, right))
    elif shapes:
        met = [f"{text} is {_show(shape)}" for text, shape in shapes.items()]
        says += f"; there, {', '.join(met)}"
    name = "the code raises an error"
    if run.asked:
        name = WAITS
        says = (
            f"the code waits for the keyboard: {question(run.asked[-1])} gets an empty line here, "
            f"and that ends in {type(failure.error).__name__}{f' ({what})' if what else ''}; write "
            "the answer in its place, or take it as an argument"
        )
    finding = Finding(
        None, name, "", failure.line or None,
        linecache.getline(failure.file, failure.line).strip(), f"{says}.", fix,
        file=failure.file,
    )  # fmt: skip
    return Report(
        "bug", (), (finding,), subject, "",
        "The update ends in an error, so that there are no gradients to look at.",
    )  # fmt: skip


def _on(run: Run, file: str, line: int) -> Iterator[Place]:
    for place in run.places.values():
        if run.files[place.number] == file and place.line <= line <= place.end_line:
            yield place


def _shapes(run: Run, file: str, line: int) -> dict[str, Shape]:
    """What was worth an array on the line when it was last run."""
    numbers = {place.number for place in _on(run, file, line)}
    last: dict[str, Shape] = {}
    for event in run.events:
        if event.place in numbers and event.value.ndim:
            last[run.places[event.place].text] = event.value.shape
    return last


def _failed(
    run: Run, file: str, line: int, shapes: dict[str, Shape]
) -> tuple[str, tuple[str, Shape], tuple[str, Shape]] | None:
    """The innermost product on the line whose operands were seen to the end and do not fit."""
    for place in sorted(_on(run, file, line), key=lambda one: len(one.text)):
        try:
            node = ast.parse(place.text, mode="eval").body
        except SyntaxError:
            continue
        match node:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                pass
            case ast.Call(func=ast.Attribute(value=left, attr="dot"), args=[right]):
                pass
            case ast.Call(func=ast.Attribute(attr="dot" | "matmul"), args=[left, right]):
                pass
            case _:
                continue
        texts = ast.get_source_segment(place.text, left), ast.get_source_segment(place.text, right)
        one, other = (shapes.get(text or "") for text in texts)
        if one and other and one[-1] != other[-2 if len(other) > 1 else 0]:
            return place.text, (texts[0] or "", one), (texts[1] or "", other)
    return None


def _fitting(left: tuple[str, Shape], right: tuple[str, Shape]) -> Iterator[str]:
    """The same two, turned or in the other order, where their shapes meet."""
    if len(left[1]) != 2 or len(right[1]) != 2:
        return
    for first, second in ((left, right), (right, left)):
        for a in (first, (f"{first[0]}.T", first[1][::-1])):
            for b in (second, (f"{second[0]}.T", second[1][::-1])):
                if a[1][1] == b[1][0] and not (a[0].endswith(".T") and b[0].endswith(".T")):
                    yield f"{a[0]} @ {b[0]}, ({_show(a[1])})({_show(b[1])}) → {a[1][0]}×{b[1][1]}"


def _show(shape: Shape) -> str:
    return "×".join(map(str, shape))
