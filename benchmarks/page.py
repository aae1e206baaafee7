"""Pages that show figures: a measurement writes them between marks, so that nobody types them.

A mark is a comment, which nobody sees on the page: what stands between `<!-- xor -->` and
`<!-- /xor -->` is the block called xor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

DOCS = Path(__file__).parents[1] / "docs"
Block = TypeVar("Block")
BLOCK = re.compile(r"<!-- (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- /(?P=name) -->", re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """What stands in each block of a page."""
    return {found["name"]: found["text"] for found in BLOCK.finditer(page)}


def filled(page: str, new: Mapping[str, str]) -> str:
    """The page with other blocks; KeyError for one that the page does not have."""
    texts = blocks(page)
    for name, text in new.items():
        if name not in texts:
            raise KeyError(f"the page has no block {name}")
        texts[name] = f"{text.strip()}\n"
    return BLOCK.sub(
        lambda found: f"<!-- {found['name']} -->\n{texts[found['name']]}<!-- /{found['name']} -->",
        page,
    )


def write(file: str, new: Mapping[str, str]) -> None:
    """Put new figures into a page of docs/."""
    path = DOCS / file
    path.write_text(filled(path.read_text("utf-8"), new), "utf-8")


def chosen(
    every: Sequence[Block], only: Sequence[str] | None, name: Callable[[Block], str]
) -> Sequence[Block]:
    """What makes the blocks of these names, or all of them."""
    by_name = {name(one): one for one in every}
    return every if only is None else [by_name[one] for one in only]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column holds words, the others numbers."""
    ruler = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ruler, *rows))
