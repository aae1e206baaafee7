"""The plan of a compiled step, to be read."""

from __future__ import annotations

from collections.abc import Mapping

from backpass.running.compiled.source import Source


def report(source: Source, sizes: Mapping[str, int] | None, threads: int) -> str:
    """The source."""
    return source.text
