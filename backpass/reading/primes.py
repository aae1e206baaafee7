"""Primes that no reader needs.

A program calls a label n′ to keep it apart from another label n, or from the sizes of its step.
Under a Σ where no other label has that name, it is simply n: what stands in brackets is a label.
"""

from __future__ import annotations

from collections.abc import Iterable

from backpass.language.expr import Label
from backpass.language.program import Write, relabel


def unprimed(write: Write) -> Write:
    """The same loop nest, its summed labels called as simply as possible."""
    taken = {label.name for label in write.labels}
    new: dict[Label, Label] = {}
    for label in write.summed:
        name = without_prime(label, taken)
        if name != label.name:
            new[label] = Label(name, label.size)
            taken.add(name)
    return relabel(write, new)


def without_prime(label: Label, taken: Iterable[str]) -> str:
    """What a label may be called beside labels of these names."""
    simple = label.name.rstrip("′")
    return label.name if simple in taken else simple
