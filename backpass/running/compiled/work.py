"""How much there is to do: what threads, and the choice of a back end, are decided by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from backpass.language.shapes import evaluate_size
from backpass.running.compiled.nest import Item, Loop, Product


def products(items: Iterable[Item]) -> list[Product]:
    """All matrix products."""
    found: list[Product] = []
    for item in items:
        if isinstance(item, Product):
            found.append(item)
        elif isinstance(item, Loop):
            found += products([*item.before, *item.body])
    return found


def largest_product(items: Iterable[Item], sizes: Mapping[str, int]) -> int:
    """The multiplications of the largest single matrix product."""
    return max((_multiplications(one, sizes) for one in products(items)), default=0)


def _multiplications(one: Product, sizes: Mapping[str, int]) -> int:
    labels = (*one.rows, *one.columns, *one.summed)
    return prod(evaluate_size(label.size, sizes) for label in labels)
