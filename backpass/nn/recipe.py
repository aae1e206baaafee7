"""From a table to a network that is ready to be trained on it: all that is decided on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn.architecture import Bias, Convention
from backpass.nn.data import split
from backpass.nn.features import (
    Feature,
    Scaling,
    choose_features,
    counts_rows,
    encode,
    measure,
)
from backpass.nn.history import History
from backpass.nn.layers import Dense, is_count
from backpass.nn.learning import Learning
from backpass.nn.losses import LOSSES, Loss
from backpass.nn.model import Model
from backpass.nn.network import Network
from backpass.nn.tables.data_file import Data
from backpass.nn.tables.numbers import numbers_of_column
from backpass.nn.tables.table import Column, Table
from backpass.nn.target import Target, amount, choose_loss, choose_task, class_names, of_numbers
from backpass.reading.plural import many

Array = NDArray[Any]
RATE = 0.1  # of a cross-entropy; a square is twice as steep, and of a sum all samples pull
FEW = 6  # names that a sentence lists
EPOCHS = 20  # unless a number is given, and unless they come to too few or too many updates
UPDATES = 600, 20_000
APART = 0.1  # of the training part, to end early by


@dataclass(frozen=True)
class Recipe:
    """How to train; None leaves it to the data."""

    layers: Sequence[int] = (32,)  # hidden ones
    activation: str = "tanh"
    loss: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch_size: int = 16
    held_out: float = 0.25
    task: str | None = None
    scaling: Scaling | None = None
    ignore: Sequence[str] = ()
    one_hot: Sequence[str] = ()
    init: str = "glorot"
    bias: Bias = "separate"
    convention: Convention = "rows"
    seed: int = 0
    learning: Learning = field(default_factory=Learning)


@dataclass(frozen=True)
class Job:
    """A model before its training, and the samples of both parts as its network takes them.

    Where nothing is held out, the model is judged by what it was trained on. `decided` tells in
    sentences what was read off the data.
    """

    model: Model
    X: Array
    y: Array
    X_held: Array
    y_held: Array
    held: Sequence[str]  # where the held-out samples stand in their file
    pictures: Array | None  # of them, as the file has them
    epochs: int
    batch_size: int
    held_out: int
    decided: tuple[str, ...]
    learning: Learning = field(default_factory=Learning)

    def train(self, progress: bool = True, **kept: Any) -> History:
        """Fit the model; `kept` are the files of `fit`, how often, and whether to resume."""
        how = self.learning
        kept |= {"class_weight": how.class_weight, "backend": how.backend}
        if how.early_stopping is not None:
            kept |= {"early_stopping": how.early_stopping, "validation": APART}
        return self.model.network.fit(
            self.X, self.y, epochs=self.epochs, batch_size=self.batch_size, progress=progress,
            **kept,
        )  # fmt: skip


def prepare(data: Data, recipe: Recipe) -> Job:
    """Decide what the data leave open, split, scale, and make the network.

    Means and deviations are those of the training part alone. Raises an error of the family
    `BackpassError` for whatever cannot be learnt from.
    """
    table, column = data.table, _target_of(data)
    for name, value in (("epochs", recipe.epochs), ("batch_size", recipe.batch_size)):
        if value is not None and not is_count(value):
            raise BackpassError(f"{name}={value!r} is not valid; give a whole number from 1 on")
    task, why = choose_task(column, recipe.task)
    loss = choose_loss(task, recipe.loss)
    features = choose_features(table, data.place, recipe.ignore, recipe.one_hot)
    X = encode(table, features, [one.place for one in features])
    trained, held = _parts(table, recipe)
    if task == "classification":
        target = Target(column.name, class_names(column))
    else:
        target = of_numbers(column.name, numbers_of_column(column)[trained])
    y = target.encode(column, loss)
    scaling = recipe.scaling or ("all" if table.picture else "each")
    scale = measure(X[trained], features, scaling)
    batch = min(recipe.batch_size, len(trained))
    net = _network(X.shape[1], target, loss, recipe, batch)
    model = Model(net, features, scale, target, table.named, len(table.names))
    drawn = table.picture is not None and len(table.picture) == 2 and X.shape[1] == len(table.names)
    return Job(
        model=model,
        X=model.oriented(scale.apply(X[trained])),
        y=model.oriented(y[trained]),
        X_held=model.oriented(scale.apply(X[held])),
        y_held=model.oriented(y[held]),
        held=[table.sample(row) for row in held.tolist()],
        pictures=_ink(X[held]).reshape(-1, *table.picture) if drawn and table.picture else None,
        epochs=recipe.epochs or _epochs(len(trained), batch),
        batch_size=batch,
        held_out=len(held) if recipe.held_out else 0,
        learning=recipe.learning,
        decided=(
            *_table_said(table, features),
            _target_said(column, target, why),
            *_scale_said(X[trained], scaling),
            *_parts_said(len(trained), len(held), recipe),
        ),
    )


def _target_of(data: Data) -> Column:
    if data.target is None:
        raise BackpassError(
            f"say which column of {data.table.source} is the target, --target COLUMN; "
            f"{data.table.columns_said()}"
        )
    return data.target


def _parts(table: Table, recipe: Recipe) -> tuple[Array, Array]:
    """The samples to train on and those to hold out; the same where nothing is held out."""
    count, share = len(table), recipe.held_out
    everyone = np.arange(count)
    if not 0 <= share < 1:
        raise BackpassError(f"held_out={share} is no share; give a number from 0 to below 1")
    if count < 2:
        raise BackpassError(
            f"{table.source} has one sample, and there is nothing to learn from one"
        )
    if share == 0:
        return everyone, everyone
    (trained, _), (held, _) = split(everyone, everyone, share, recipe.seed)
    return trained, held


def _rate(loss: Loss, batch: int) -> float:
    return RATE / (2 if loss.targets == "numbers" else 1) / (batch if loss.sums else 1)


def _epochs(samples: int, batch: int) -> int:
    """So many that few samples are seen often enough and many do not take forever."""
    steps = math.ceil(samples / batch)
    fewest, most = UPDATES
    return max(min(EPOCHS, most // steps), math.ceil(fewest / steps), 1)


def _network(inputs: int, target: Target, loss: Loss, recipe: Recipe, batch: int) -> Network:
    """Hidden layers as they were asked for, and an output for every class or for the number."""
    last, how = "linear", recipe.learning
    for one in LOSSES.values():
        if one.takes_logits == loss.name:
            last = one.squashes  # this loss takes probabilities
    return Network(
        [
            *(one for units in recipe.layers for one in how.hidden(units, recipe.activation)),
            Dense(target.outputs(loss), last),
        ],
        inputs,
        loss=loss.name,
        optimizer=how.made(recipe.lr, _rate(loss, batch)),
        bias=recipe.bias,
        init=recipe.init,
        convention=recipe.convention,
        seed=recipe.seed,
        l1=how.l1,
        l2=how.l2,
    )


def _ink(X: Array) -> NDArray[np.float64]:
    """Pictures from 0 to 1, whatever they are kept as."""
    low, high = float(X.min()), float(X.max())
    return (X - low) / ((high - low) or 1.0)


# ── what was decided ─────────────────────────────────────────────────────────────────────────


def _table_said(table: Table, features: Sequence[Feature]) -> Iterator[str]:
    count = many(len(table), "sample")
    if table.picture:
        yield f"{count}, each {'×'.join(map(str, table.picture))} numbers"
    else:
        names = f": {few([one.name for one in features])}" if table.named else ""
        yield f"{count}, {many(len(features), 'feature')}{names}"
    if counts_rows(table):
        yield "the first column has no name and counts the rows, so it is left out"
    for one in features:
        if one.values:
            said = table.column(one.place).said
            yield f"{said} has an input for each of {len(one.values)} values: {few(one.values)}"
        elif one.place in table.texts:
            yield f"{table.column(one.place).said} holds True and False, which are read as 1 and 0"


def _target_said(column: Column, target: Target, why: str) -> str:
    if target.classes:
        return f"{column.said} has {len(target.classes)} classes, as {why}: {few(target.classes)}"
    return (
        f"{column.said} is a number to be found, as {why}; its mean is {amount(target.mean)}, "
        f"its deviation {amount(target.deviation)}"
    )


def _scale_said(X: Array, scaling: Scaling) -> Iterator[str]:
    match scaling:
        case "each":
            yield "each column of numbers is scaled to mean 0 and deviation 1"
        case "all":
            yield "all numbers are scaled alike, so that together they have mean 0 and deviation 1"
        case "none":
            yield "nothing is scaled"
    still = int((X[:1] == X).all(axis=0).sum())
    if 0 < still < X.shape[1]:
        verb = "does not vary and tells" if still == 1 else "do not vary and tell"
        yield f"{many(still, 'input')} {verb} nothing"


def _parts_said(trained: int, held: int, recipe: Recipe) -> Iterator[str]:
    if recipe.held_out:
        verb = "is" if held == 1 else "are"
        yield f"{many(held, 'sample')} {verb} held out to judge it, {trained:,} train it"
    else:
        yield "nothing is held out: the score is that of the samples that train it"
    if recipe.batch_size > trained:
        each = f"each takes all {trained}" if trained > 1 else "each is that one"
        yield f"a batch of {recipe.batch_size} is more than there are, so {each}"


def few(names: Sequence[str]) -> str:
    """Names with commas, the first of many."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more
