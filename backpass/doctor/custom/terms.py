"""Terms taken apart and put together again, as changes of a line need it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backpass.language.expr import (
    Apply,
    Bracket,
    Power,
    Product,
    Read,
    Sum,
    Term,
    transform,
)
from backpass.language.notation_text import format_term


def nodes(term: Term) -> Iterator[Term]:
    """Every node of a term but its indices."""
    yield term
    match term:
        case Product(factors=below) | Sum(terms=below) | Apply(args=below):
            for one in below:
                yield from nodes(one)
        case Power(base=base):
            yield from nodes(base)
        case Bracket(left=left, right=right):
            yield from nodes(left)
            yield from nodes(right)
        case _:
            return


def reads(term: Term) -> list[Read]:
    """Every read of a term, those in indices left out."""
    return [one for one in nodes(term) if isinstance(one, Read)]


def renamed(term: Term, name: str, other: str) -> Term:
    """The same with another array in the place of one."""
    return transform(
        term,
        lambda node: (
            Read(other, node.index) if isinstance(node, Read) and node.name == name else None
        ),
    )


def put(term: Term, old: Term, new: Term) -> Term:
    """The same with another part in the place of one."""
    return transform(term, lambda node: new if node is old or node == old else None)


def text(term: Term) -> str:
    """A term without its indices: `(1 - out)`, `(x > 0)`."""
    flat = transform(term, lambda node: Read(node.name, ()) if isinstance(node, Read) else None)
    shown = re.sub(r"\[([^\[\]]*?)([<>=!]+)([^\[\]]*)\]", r"(\1 \2 \3)", format_term(flat))
    return f"({shown})" if isinstance(term, Sum) else shown
