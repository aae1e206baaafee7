"""How many there are of a thing, in words that need nothing else."""

from __future__ import annotations


def many(number: int, thing: str) -> str:
    """`1 sample`, `1,797 samples`, `2 entries`."""
    things = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{number:,} {thing if number == 1 else things}"
