"""Another source for a file of the user's, run in place of theirs and put back afterwards."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType

from backpass.doctor.reach import functions
from backpass.doctor.rewrite import codes


@contextmanager
def exchanged(roots: Sequence[object], file: str, source: str) -> Iterator[None]:
    """Functions that the roots reach run what this source has in their places.

    Whoever reads the file's lines meanwhile reads this source. Raises ValueError when the functions
    of the two sources are not the same, and SyntaxError when this one cannot be read.
    """
    lines = linecache.getlines(file)
    old = list(codes(compile("".join(lines), file, "exec", dont_inherit=True)))
    new = list(codes(compile(source, file, "exec", dont_inherit=True)))
    if [one.co_name for one in old] != [one.co_name for one in new]:
        raise ValueError("an edit may not add or take away functions")
    twins: dict[CodeType, CodeType] = dict(zip(old, new, strict=True))
    changed = [(one, one.__code__) for one in functions(roots) if one.__code__ in twins]
    entry = linecache.cache.get(file)
    try:
        for one, code in changed:
            one.__code__ = twins[code]
        fresh = source.splitlines(keepends=True)
        linecache.cache[file] = len(source), None, fresh, file
        yield
    finally:
        for one, code in changed:
            one.__code__ = code
        if entry is None:
            linecache.cache.pop(file, None)
        else:
            linecache.cache[file] = entry
