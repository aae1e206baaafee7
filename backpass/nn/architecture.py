"""What a network is, before it has weights: its layers, and the derivation that they come to."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation, derive
from backpass.language.errors import BackpassError, UnknownName, nearest
from backpass.language.program import Program, step_reads
from backpass.nn.forward import KEPT, NORMS, WEIGHT, forward_pass, placed
from backpass.nn.init import initialiser
from backpass.nn.layers import BatchNorm, Dense, Dropout, Layer, described_layer, is_count
from backpass.nn.losses import Loss, find_loss
from backpass.nn.schedules import is_number

Bias = Literal["separate", "augmented"] | None
Convention = Literal["rows", "columns"]
SAMPLES = "n"
BYTES = 16  # a weight takes while it is drawn in double precision, and with its gradient later
ADDRESSES = 2.0**47  # bytes that a process can reach at all


@dataclass(frozen=True)
class Architecture:
    """Layers, loss and conventions of a network; everything that its derivation depends on."""

    layers: tuple[Layer, ...]
    inputs: int
    loss_text: str
    bias: Bias = "separate"
    convention: Convention = "rows"
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        if not self.layers:
            raise BackpassError("a network needs a layer; give at least its outputs, [bp.Dense(1)]")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise BackpassError(f"{layer!r} is no layer; write bp.Dense(units, activation)")
        _refuse_order(self.layers)
        for name in ("l1", "l2"):
            value = getattr(self, name)
            if not (is_number(value) and 0 <= value < math.inf):
                raise BackpassError(f"{name}={value!r:.40} is not valid; give a number from 0 on")
        if not is_count(self.inputs):
            raise BackpassError(
                f"inputs={self.inputs!r} is no width; give a whole number from 1 on"
            )
        _one_of(self.bias, ("separate", "augmented", None), "bias")
        _one_of(self.convention, get_args(Convention), "convention")
        loss, last = self.loss, self.dense[-1].activation
        if loss.takes_logits and last == loss.squashes:
            raise BackpassError(
                f"{loss.name} squashes its logits itself, so {last} would act twice; leave {last} "
                f'out of the last layer, or take loss="{loss.takes_logits}"'
            )

    @property
    def loss(self) -> Loss:
        """How outputs are judged."""
        return find_loss(self.loss_text)

    @property
    def widths(self) -> tuple[int, ...]:
        """The inputs, then the units of every layer."""
        return (int(self.inputs), *(int(layer.units) for layer in self.dense))

    @property
    def dense(self) -> tuple[Dense, ...]:
        """The layers that have weights W."""
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @property
    def norms(self) -> dict[int, BatchNorm]:
        """The batch norms, by the number of the dense layer that they stand behind."""
        behind = placed(self.layers).items()
        return {place: one for place, rest in behind for one in rest if isinstance(one, BatchNorm)}

    @property
    def drops(self) -> dict[int, Dropout]:
        """The dropouts likewise; that of the inputs has the number 0."""
        behind = placed(self.layers).items()
        return {place: one for place, rest in behind for one in rest if isinstance(one, Dropout)}

    @property
    def penalties(self) -> dict[str, float]:
        """What weights cost, by name, where they cost anything."""
        return {name: value for name in ("l1", "l2") if (value := float(getattr(self, name)))}

    @property
    def axis(self) -> int:
        """Along which samples lie."""
        return 0 if self.convention == "rows" else 1

    @property
    def outputs(self) -> int:
        """The units of the last layer."""
        return self.widths[-1]

    @property
    def described(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "layers": [described_layer(layer) for layer in self.layers],
            "inputs": int(self.inputs),
            "loss": self.loss_text,
            "bias": self.bias,
            "convention": self.convention,
            "l1": float(self.l1),
            "l2": float(self.l2),
        }

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every array that is trained, W1, b1, W2 and so on, as it stands in the derivation."""
        one = self.bias == "augmented"
        shapes: dict[str, tuple[int, ...]] = {}
        for place, (into, out) in enumerate(pairwise(self.widths), 1):
            rows = (into + one, out)
            shapes[f"W{place}"] = rows if self.convention == "rows" else rows[::-1]
            if self.bias == "separate":
                shapes[f"b{place}"] = (out,)
            if place in self.norms:
                shapes |= {f"{one}{place}": (out,) for one in NORMS}
        return shapes

    def draw(self, init: str, random: np.random.Generator, dtype: Any) -> dict[str, NDArray[Any]]:
        """Weights to start from; biases start at zero, separate or in W, and scales at one."""
        matrix = initialiser(init)
        weights: dict[str, NDArray[Any]] = {}
        for place, (into, out) in enumerate(pairwise(self.widths), 1):
            W = matrix(random, into, out)
            if self.bias == "augmented":
                W = np.vstack([W, np.zeros((1, out))])
            W = W if self.convention == "rows" else W.T
            weights[f"W{place}"] = np.ascontiguousarray(W, dtype)
            if self.bias == "separate":
                weights[f"b{place}"] = np.zeros(out, dtype)
            if place in self.norms:
                for one, value in zip(NORMS, (1, 0), strict=True):
                    weights[f"{one}{place}"] = np.full(out, value, dtype)
        return weights

    def running(self, dtype: Any) -> dict[str, NDArray[Any]]:
        """What batch norms keep for predictions, before the first batch."""
        return {
            f"{one}{place}": np.full(self.widths[place], value, dtype)
            for place in self.norms
            for one, value in zip(KEPT, (0, 1), strict=True)
        }

    def derive(
        self, shares: bool = False, weighted: bool = False, training: bool = True
    ) -> Derivation:
        """The forward pass and its backward pass.

        `shares` are targets of a share a class; `weighted` gives every sample a weight. Without
        `training` nothing is dropped, and batch norms take their running means and variances.
        """
        y = f"{SAMPLES} {self.outputs}"
        if self.loss.targets == "classes" and not shares:
            y = f"{SAMPLES} int<{self.outputs}"
        one = self.bias == "augmented"
        pairs = [(into + one, out) for into, out in pairwise(self.widths)]
        shapes: dict[str, Any] = {"X": f"{SAMPLES} {self.inputs}", "y": y}
        shapes["W"] = [f"{into} {out}" for into, out in pairs]
        if self.bias == "separate":
            shapes["b"] = [f"{out}" for _, out in pairs]
        if self.norms:
            units = {str(place): f"{self.widths[place]}" for place in self.norms}
            shapes |= dict.fromkeys(NORMS, units)
        trained = list(shapes)[2:]
        if weighted:
            shapes[WEIGHT] = SAMPLES
        if self.drops and training:
            shapes["M"] = {str(one): f"{SAMPLES} {self.widths[one]}" for one in self.drops}
        if self.norms and not training:
            units = {str(place): f"{self.widths[place]}" for place in self.norms}
            shapes |= dict.fromkeys(KEPT, units)
        shapes |= dict.fromkeys(self.penalties, "()")
        forward = forward_pass(self.layers, self.loss, augmented=one, weighted=weighted)
        found = derive(forward, shapes, wrt=trained)
        steps = tuple(replace(step, line=None) for step in found.forward.steps)  # lines of ours
        found = replace(found, forward=replace(found.forward, steps=steps))
        return found if self.convention == "rows" else found.columns(SAMPLES)

    def output(self, derivation: Derivation) -> str:
        """What the last layer gives is called."""
        place = len(self.dense)
        return f"A{place}" if f"A{place}" in derivation.forward.arrays else f"Z{place}"


def _refuse_order(layers: tuple[Layer, ...]) -> None:
    """Raise BackpassError for layers that cannot follow each other."""
    if not isinstance(layers[-1], Dense):
        raise BackpassError(f"{layers[-1]!r} comes last; let a bp.Dense give the outputs")
    for before, layer in pairwise((None, *layers)):
        if isinstance(layer, Dropout) and isinstance(before, Dropout):
            raise BackpassError("two Dropouts follow each other; give one with their joint rate")
        if isinstance(layer, BatchNorm):
            if not isinstance(before, Dense):
                raise BackpassError("a BatchNorm stands right behind a bp.Dense; move it there")
            if before.activation != "linear":
                raise BackpassError(
                    f'write bp.Dense({before.units}), bp.BatchNorm("{before.activation}"): what '
                    "is normalised are the values before the activation"
                )


def listed(layers: Any) -> tuple[Any, ...]:
    """Layers as a tuple; BackpassError for a single one, which is easily given without a list."""
    try:
        return tuple(layers)
    except TypeError:
        raise BackpassError(
            f"layers={layers!r:.60} is no list of them; give [bp.Dense(1)]"
        ) from None


def forward_only(derivation: Derivation, *outputs: str) -> Program:
    """The part of a derivation that leads to some of its quantities: what predicts and judges."""
    steps = []
    needed = set(outputs)
    for step in reversed(derivation.forward.steps):
        if step.name in needed:
            steps.append(step)
            needed |= {read.name for read in step_reads(step)}
    whole = derivation.forward
    inputs = tuple(one for one in whole.inputs if one.name in needed)
    constants = tuple(one for one in whole.constants if one[0].name in needed)
    return Program(inputs, tuple(reversed(steps)), outputs, constants)


def refuse_too_many(plan: Architecture) -> None:
    """Raise BackpassError for more weights than this machine has memory to train."""
    count = sum(map(math.prod, plan.weight_shapes.values()))
    if count * BYTES > _memory():
        path = " → ".join(map(str, plan.widths))
        raise BackpassError(
            f"{path} has {count:,} weights, more than fit into the memory of this machine; take "
            "fewer units"
        )


def _memory() -> float:
    """The bytes of this machine, where its system tells."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return ADDRESSES


def _one_of(value: object, known: tuple[Any, ...], what: str) -> None:
    if value not in known:
        words = [repr(one) for one in known]
        hint = nearest(str(value), [one for one in known if one])
        hint = hint or f"; there are {', '.join(words)}"
        raise UnknownName(f"{what}={value!r} is not known{hint}")
