"""Submissions as texts: all are read before any of them runs, and no link is followed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backpass.language.errors import BackpassError, nearest
from backpass.reading.plural import many

BYTES = 1_000_000  # of one submission
FILES = 200

_CODING = re.compile(
    rb"(?:[ \t\f]*(?:#[^\r\n]*)?\r?\n)?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)"
)
_LATIN = b"latin-1", b"iso-8859-1", b"iso-8859-15", b"cp1252", b"windows-1252"


@dataclass(frozen=True, slots=True)
class Submission:
    """The Python files of a submission by their paths in it, and which of them is called.

    `refused` says why it cannot be graded at all.
    """

    name: str
    sources: Mapping[str, str]
    main: str
    refused: str = ""


def submissions(path: Path, reference: Path | None = None) -> list[Submission]:
    """Every Python file and every folder with one in this folder; or the one file that it is.

    The reference is none of them, nor is what is hidden. Raises BackpassError where there is none.
    """
    if path.is_file():
        return [submission(path, reference)]
    if not path.is_dir():
        there = [str(one) for one in path.parent.glob("*")]
        raise BackpassError(f"there is no folder {path}{nearest(str(path), there)}")
    entries = sorted(one for one in path.iterdir() if not one.name.startswith((".", "__")))
    found = [
        submission(one, reference)
        for one in entries
        if not _is(one, reference) and (one.suffix == ".py" or _has_python(one))
    ]
    if not found:
        raise BackpassError(f"there is no submission in {path}: no Python file, no folder with one")
    return found


def submission(path: Path, reference: Path | None = None) -> Submission:
    """One file, or one folder; what is wrong with it as a file is kept, not raised."""
    name = _shown(path.resolve().name if path.name in ("", "..") else path.name)
    if path.is_symlink():
        return Submission(name, {}, "", "it is a link, and links are not followed")
    if not path.is_dir():
        try:
            text = _text(path)
            return Submission(name, {name: text}, name)
        except _Refused as refused:
            return Submission(name, {}, "", str(refused))
    try:
        sources = dict(_sources(path, reference))
        return Submission(name, sources, _main(sources, reference))
    except _Refused as refused:
        return Submission(name, {}, "", str(refused))


def _shown(name: str) -> str:
    """A name of a file without what could repaint a terminal, or is no text: those escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


class _Refused(Exception):
    """Why a submission is not run."""


def _is(path: Path, reference: Path | None) -> bool:
    return (
        reference is not None and reference.exists() and path.exists() and path.samefile(reference)
    )


def _has_python(path: Path) -> bool:
    return path.is_dir() and (path.is_symlink() or any(path.rglob("*.py")))


def _sources(folder: Path, reference: Path | None) -> Iterator[tuple[str, str]]:
    count, size = 0, 0
    for here, folders, files in os.walk(folder):  # goes into no link
        folders[:] = sorted(one for one in folders if not one.startswith((".", "__")))
        for file in sorted(files):
            path = Path(here, file)
            if path.suffix != ".py" or file.startswith(".") or _is(path, reference):
                continue
            if path.is_symlink():
                raise _Refused(f"{_shown(file)} is a link, and links are not followed")
            text = _text(path)
            count, size = count + 1, size + len(text)
            if count > FILES or size > BYTES:
                raise _Refused(f"it has more than {FILES} files or {BYTES // 10**6} MB")
            yield _shown(path.relative_to(folder).as_posix()), text


def _text(path: Path) -> str:
    """A regular file as text; opened so that neither a link nor a pipe is read in its place."""
    name = _shown(path.name)
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _Refused(f"{name} is no regular file")
            content = opened.read(BYTES + 1)
    except OSError as error:
        raise _Refused(f"{name} cannot be read: {(error.strerror or '').lower()}") from None
    if len(content) > BYTES:
        raise _Refused(f"{name} has more than {BYTES // 10**6} MB")
    return _decoded(content, name)


def _decoded(content: bytes, name: str) -> str:
    """As Python would read it, each line ending in a line feed, so that lines are counted alike."""
    said = _CODING.match(content[:1000])
    latin = said and said[1].lower().replace(b"_", b"-") in _LATIN
    try:
        text = content.decode(said[1].decode() if said and latin else "utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused(f"{name} is no UTF-8 text") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _main(sources: Mapping[str, str], reference: Path | None) -> str:
    """The file that is called: named as the reference is, or main.py, or the only one."""
    for name in (reference.name if reference else "", "main.py"):
        if name in sources:
            return name
    top = [name for name in sources if "/" not in name]
    if len(top) == 1:
        return top[0]
    wanted = f"{reference.name} or main.py" if reference else "main.py"
    raise _Refused(f"it has {many(len(top), 'file')} at its top, and none is {wanted}")
