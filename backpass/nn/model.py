"""A network together with what it needs to speak of a table: columns, scales, and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.calculus.library import FUNCTIONS
from backpass.language.errors import BackpassError
from backpass.nn import checkpoint
from backpass.nn.features import Feature, Scale, encode, places
from backpass.nn.judge import classes
from backpass.nn.network import Network
from backpass.nn.saved import restored
from backpass.nn.tables.table import Table
from backpass.nn.target import Target

Array = NDArray[Any]
MEAN, DEVIATION, ABOUT = "inputs_mean", "inputs_deviation", "table"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of each sample: the name of a class, or a number.

    `probabilities` has a column for each class; None for numbers, and where the outputs of the
    network are none.
    """

    values: Sequence[str] | NDArray[np.float64]
    probabilities: Array | None


@dataclass(frozen=True)
class Model:
    """A network that takes tables and answers in the words of its target.

    `named` says that the table it was trained on had names for its columns, and `width` how many
    columns that was. A model is saved as its network, with all this beside: `bp.load` gives the
    bare network, which takes inputs that are scaled already.
    """

    network: Network
    features: tuple[Feature, ...]
    scale: Scale
    target: Target
    named: bool
    width: int

    def places(self, table: Table) -> list[int]:
        """Where the columns that the model takes stand in a table."""
        return places(table, self.features, self.named, self.width)

    def inputs(self, table: Table) -> Array:
        """The samples of a table as the network takes them, in rows."""
        there = self.places(table)
        X = self.scale.apply(encode(table, self.features, there))
        wrong = np.argwhere(~np.isfinite(X))
        if len(wrong):
            row, place = wrong[0].tolist()
            owner = np.repeat(there, [one.width for one in self.features])[place]
            column = table.column(int(owner))
            raise BackpassError(
                f"{column.place(row)} is {column.cell(row)}, which lies too far from what the "
                "model was trained on"
            )
        return X

    def oriented(self, X: Array) -> Array:
        """Rows as the network's convention has them."""
        return X if self.network.architecture.convention == "rows" or X.ndim == 1 else X.T

    def answers(self, table: Table) -> Answers:
        """What the model says of the samples of a table."""
        outputs = self.oriented(self.network.predict(self.oriented(self.inputs(table))))
        if not self.target.classes:
            return Answers(self.target.numbers(outputs), None)
        labels = classes(outputs, self.network.architecture.loss, 0)
        names = [self.target.classes[label] for label in labels.tolist()]
        return Answers(names, self._probabilities(outputs))

    def _probabilities(self, outputs: Array) -> Array | None:
        loss = self.network.architecture.loss
        if loss.targets == "numbers":
            return None
        shares = FUNCTIONS[loss.squashes](outputs) if loss.squashes else outputs
        return np.column_stack([1 - shares, shares]) if shares.shape[1] == 1 else shares

    def save(self, path: str | Path) -> None:
        """Write the model as one safetensors file, whole or not at all."""
        about = {
            "features": [[one.name, one.place, *one.values] for one in self.features],
            "target": asdict(self.target),
            "named": self.named,
            "width": self.width,
        }
        arrays = {MEAN: self.scale.mean, DEVIATION: self.scale.deviation}
        weights, network = self.network.stored()
        checkpoint.write(path, {**weights, **arrays}, {**network, ABOUT: about})


def load_model(path: str | Path) -> Model:
    """The model that `Model.save` wrote; BackpassError for a file that holds something else."""
    arrays, about = checkpoint.read(path)
    network = restored(path, arrays, about)
    if ABOUT not in about:
        raise BackpassError(
            f"{path} holds a network and not the columns that it takes; it can be asked in Python, "
            "bp.load(path).predict(X)"
        )
    try:
        table = about[ABOUT]
        features = tuple(
            Feature(name, place, tuple(rest)) for name, place, *rest in table["features"]
        )
        target = Target(**{**table["target"], "classes": tuple(table["target"]["classes"])})
        scale = Scale(arrays[MEAN], arrays[DEVIATION])
        model = Model(network, features, scale, target, bool(table["named"]), int(table["width"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BackpassError(
            f"{path} does not describe its table as a model does ({error!r})"
        ) from error
    inputs = sum(one.width for one in features)
    outputs = target.outputs(network.architecture.loss)
    plan = network.architecture
    if (inputs, outputs) != (plan.inputs, plan.outputs) or scale.mean.shape != (inputs,):
        raise BackpassError(
            f"the columns and classes of {path} do not fit its network; train it again"
        )
    return model
