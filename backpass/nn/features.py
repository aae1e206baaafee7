"""How the columns of a table become the inputs of a network, at training and ever after."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError, UnknownName, nearest
from backpass.nn.tables.delimited import is_missing
from backpass.nn.tables.numbers import numbers_of, refuse
from backpass.nn.tables.table import Column, Table, number

Array = NDArray[Any]
Scaling = Literal["each", "all", "none"]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
MANY = 20  # values of a column that no longer repeat are names, and tell nothing


@dataclass(frozen=True, slots=True)
class Feature:
    """A column that the network sees: as a number, or with an input for each of its `values`."""

    name: str
    place: int  # in the table that it was trained on, from 0
    values: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many inputs it makes."""
        return len(self.values) or 1


def choose_features(
    table: Table,
    target: int | None = None,
    ignore: Collection[str] = (),
    one_hot: Collection[str] = (),
) -> tuple[Feature, ...]:
    """The columns of a table but its target and those to `ignore`; those in `one_hot` by value.

    A nameless first column that counts the rows, as data frames leave it behind, is ignored too.
    """
    ignored, spread = ({table.find(name) for name in names} for names in (ignore, one_hot))
    if target is not None:
        ignored.add(target)
    if counts_rows(table):
        ignored.add(0)
    found = tuple(
        Feature(name, place, _values(table.column(place)) if place in spread else ())
        for place, name in enumerate(table.names)
        if place not in ignored
    )
    if not found:
        raise BackpassError(f"{table.source} has no column left to learn from")
    return found


def counts_rows(table: Table) -> bool:
    """Whether the first column has no name and counts the rows, from 0 or from 1."""
    if not table.named or table.names[0] != "1" or 0 in table.texts:
        return False
    counted = table.numbers[:, 0] - np.arange(len(table))
    return len(table.names) > 1 and bool((counted == counted[0]).all()) and counted[0] in (0, 1)


def places(table: Table, features: Sequence[Feature], named: bool, width: int) -> list[int]:
    """Where these features stand in another table: by name, or in order where one has no names.

    `width` is how many columns the first table had, with those that are no features. Raises
    UnknownName for a column that is missing, ShapeError for another number of columns.
    """
    if named and table.named:
        there = {name: place for place, name in enumerate(table.names)}
        missing = [one.name for one in features if one.name not in there]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise UnknownName(
                f"{table.source} lacks column {missing[0]!r}{more} of the "
                f"{len(features)} that the model takes{nearest(missing[0], table.names)}"
            )
        return [there[one.name] for one in features]
    if len(table.names) == len(features):
        return list(range(len(features)))
    if len(table.names) == width:
        return [one.place for one in features]
    raise ShapeError(
        f"{table.source} has {len(table.names)} columns and the model takes {len(features)}; give "
        "those that it was trained on, in their order"
    )


def encode(table: Table, features: Sequence[Feature], places: Sequence[int]) -> Array:
    """Samples × inputs, not yet scaled; BackpassError for every cell that makes none."""
    plain = [place for one, place in zip(features, places, strict=True) if not one.values]
    numbers = numbers_of(table, plain)
    if len(plain) == len(features):
        return numbers
    columns = iter(numbers.T)
    return np.column_stack(
        [
            _one_hot(table.column(place), one.values) if one.values else next(columns)
            for one, place in zip(features, places, strict=True)
        ]
    )


@dataclass(frozen=True)
class Scale:
    """What is taken off every input, and what it is divided by then."""

    mean: Array
    deviation: Array

    def apply(self, X: Array) -> NDArray[np.float32]:
        """The inputs as the network takes them."""
        with np.errstate(over="ignore", invalid="ignore"):
            return ((X - self.mean) / self.deviation).astype(np.float32)


def measure(X: Array, features: Sequence[Feature], scaling: Scaling) -> Scale:
    """Mean and standard deviation of every input, or one for all; never those of zeros and ones.

    What does not vary has no deviation to divide by: it is left at zero.
    """
    width = X.shape[1]
    if scaling not in SCALINGS:
        hint = nearest(str(scaling), SCALINGS) or "; there are each, all and none"
        raise UnknownName(f"there is no scaling {scaling!r}{hint}")
    mean, deviation = np.zeros(width), np.ones(width)
    if scaling == "none":
        return Scale(mean, deviation)
    spread = np.repeat([bool(one.values) for one in features], [one.width for one in features])
    kept = X if not spread.any() else X[:, ~spread]
    axis = 0 if scaling == "each" else None
    with np.errstate(over="ignore", invalid="ignore"):
        center, found = kept.mean(axis=axis, dtype=float), kept.std(axis=axis, dtype=float)
    if not np.isfinite(found).all():
        owner = [one.name for one in features for _ in range(one.width)]
        first = int(np.argmin(np.isfinite(found))) if scaling == "each" else 0
        name = owner[int(np.flatnonzero(~spread)[first])]
        raise BackpassError(
            f"the values of column {name!r} are too large to be scaled; give it in another unit"
        )
    # the deviation of 0.1, 0.1, 0.1 comes out as rounding, not as zero
    varies = found > 1e-12 * np.abs(center)
    mean[~spread], deviation[~spread] = center, np.where(varies, found, 1.0)
    return Scale(mean, deviation)


def _values(column: Column) -> tuple[str, ...]:
    """The values of a column in order, each of which will be an input."""
    found = in_order(cells(column))
    if len(found) > MANY and 2 * len(found) > len(column):
        raise BackpassError(
            f"{column.said} has {len(found)} different values in {len(column)} rows: there is "
            "nothing to learn from it; leave it out with --ignore"
        )
    return found


def _one_hot(column: Column, values: Sequence[str]) -> Array:
    known = {value: place for place, value in enumerate(values)}
    found = cells(column)
    for row, cell in enumerate(found):
        if cell not in known:
            raise UnknownName(
                f"{column.place(row)} is {cell!r}, a value that the model was not trained on"
                f"{nearest(cell, known)}"
            )
    return np.eye(len(values))[[known[cell] for cell in found]]


def cells(column: Column) -> list[str]:
    """The cells of a column as names of what they say: texts as they stand, numbers in short."""
    if column.texts is None:
        wrong = np.flatnonzero(~np.isfinite(column.numbers))
        if wrong.size:
            refuse(column, int(wrong[0]))
        return [short(number) for number in column.numbers.tolist()]
    for row, text in enumerate(column.texts):
        if is_missing(text):
            refuse(column, row)
    return list(column.texts)


def short(number: float) -> str:
    """A number as people write it: 3, not 3.0."""
    return f"{number:.0f}" if number == int(number) and abs(number) < 1e15 else repr(number)


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once: numbers by size, and then text by letters."""
    return tuple(sorted(set(values), key=_size))


def _size(value: str) -> tuple[bool, float, str]:
    found = number(value)
    is_text = math.isnan(found)
    return is_text, 0.0 if is_text else found, value
