"""How a network is doing: dead and saturated units, gradients layer by layer, the size of steps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.layers import ACTIVATIONS
from backpass.reading.lines import WIDTH, Line, Span, joined, wrapped
from backpass.reading.plural import many

Array = NDArray[Any]

FLAT = 0.02  # of the steepest slope: a unit that is flatter learns next to nothing from a sample
MOSTLY = 0.5  # of a layer's units and samples, from which a layer is called saturated
SPREAD = 1e3  # between the gradients of two layers, from which they vanish or explode
LARGE, SMALL = 0.1, 1e-6  # of a step, as a part of its weights
FAR = 1.5  # times ln k, from which a loss at the start is too large
SAME = 0.999  # of ln k: a loss that is no better than this is that of a guess
REACH = 10.0  # of inputs; mean 0 and deviation 1 seldom go so far
BATCH, STEPS = 16, 200  # of the samples that any network should learn by heart
LEARNT = 0.5  # of its loss, that must be gone by then


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer on the samples that were looked at.

    `dead` units gave 0 for every sample, of `units`; None where the activation has no such zero.
    `flat` is the share of units and samples where the slope is below a fiftieth of the steepest,
    None where the slope is the same everywhere. `delta` is the root mean square of the gradient
    that flows into the layer, ∂L/∂Z; `step` that of the next update over that of the weights, None
    where an optimiser looks at all samples before it takes a step.
    """

    number: int
    units: int
    activation: str
    dead: int | None
    flat: float | None
    delta: float
    step: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong or soon will be: what, why it matters, and what to try.

    `kind` is one word for it, and `layer` the number of the layer, None for the whole network.
    """

    kind: str
    layer: int | None
    what: str
    reason: str
    advice: str


@dataclass(frozen=True)
class Health:
    """What was seen, layer by layer, and what follows; true where nothing was found."""

    network: str
    samples: int
    loss: float
    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        return joined(self.lines())

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)

    def lines(self) -> list[Line]:
        """The table, and a paragraph for each finding, in at most 80 columns."""
        title = f"{self.network}: the loss of {many(self.samples, 'sample')} is {self.loss:.4g}"
        heads = f"    {'layer':<22}{'dead':>8}{'flat':>8}{'δ':>12}{'step / weights':>18}"
        lines = [*wrapped(title, 0, "heading"), (Span(heads, "shape"),)]
        for one in self.layers:
            name = f"{one.number}  {one.units} {one.activation}"
            dead = "–" if one.dead is None else f"{one.dead}"
            flat = "–" if one.flat is None else f"{one.flat:.0%}"
            role = "bad" if any(found.layer == one.number for found in self.findings) else "words"
            step = "–" if one.step is None else f"{one.step:.2g}"
            cells = f"{dead:>8}{flat:>8}{one.delta:>12.2g}{step:>18}"
            lines.append((Span(f"    {name:<22.22}", "name"), Span(cells, role)))
        for found in self.findings:
            lines += [(), *wrapped(found.what, 0, "bad")]
            lines += wrapped(f"{found.reason} {found.advice}", 4, "words")
        if not self.findings:
            lines += [(), (Span("Nothing conspicuous was found.", "good"),)]
        assert all(sum(len(span.text) for span in line) <= WIDTH for line in lines)
        return lines


def health(net: Any, X: Any, y: Any, *, by_heart: bool = True) -> Health:
    """Look at a network on samples X with targets y; nothing of it changes.

    Its forward and backward pass run once, its update is computed and not taken. With `by_heart`
    a copy is trained on a few of the samples, which any sound network learns by heart. Raises an
    error of the family `BackpassError` for samples that do not fit.
    """
    seen = net.quantities(X, y)
    layers = tuple(_layers(net, seen))
    findings = [
        *_inputs(seen["X"]),
        *_start(net, seen),
        *_units(layers, _count(net, seen)),
        *_gradients(layers),
        *_steps(layers),
        *(_by_heart(net, X, y) if by_heart else ()),
    ]
    loss = float(seen[net.derivation().loss])
    return Health(str(net), _count(net, seen), loss, layers, tuple(findings))


def _count(net: Any, seen: Mapping[str, Array]) -> int:
    """How many samples there are."""
    return seen["X"].shape[0 if net.architecture.convention == "rows" else 1]


# ── what is measured ─────────────────────────────────────────────────────────────────────────


def _layers(net: Any, seen: Mapping[str, Array]) -> Iterator[Layer]:
    plan = net.architecture
    across = 1 if plan.convention == "rows" else 0
    for number, layer in enumerate(plan.dense, 1):
        Z, W = seen[f"Z{number}"], seen[f"W{number}"]
        A = ACTIVATIONS[layer.activation](Z)
        slopes = _slopes(layer.activation, Z)
        zero, moves = layer.activation == "relu", f"W{number}′" in seen
        yield Layer(
            number,
            int(layer.units),
            layer.activation,
            dead=int((A == 0).all(axis=1 - across).sum()) if zero else None,
            flat=None if slopes is None else float((np.abs(slopes) < FLAT).mean()),
            delta=_size(seen[f"dZ{number}"]),
            step=_size(seen[f"W{number}′"] - W) / (_size(W) or 1.0) if moves else None,
        )


def _slopes(activation: str, Z: Array) -> Array | None:
    """How steep an activation is at each entry, of its steepest; None for those that are not bent.

    ReLU is left out: what matters there is whether a unit is above zero for any sample at all.
    """
    if activation not in ("sigmoid", "tanh", "softplus"):
        return None
    act, gap = ACTIVATIONS[activation], 1e-3
    Z = Z.astype(np.float64)
    steepest = {"sigmoid": 0.25, "tanh": 1.0, "softplus": 1.0}[activation]
    return (act(Z + gap) - act(Z - gap)) / (2 * gap) / steepest


def _size(values: Array) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


# ── what follows ─────────────────────────────────────────────────────────────────────────────


def _inputs(X: Array) -> Iterator[Finding]:
    reach = float(np.abs(X).max())
    if reach > REACH:
        yield Finding(
            "inputs", None,
            f"The inputs go up to {reach:.3g}.",
            "A weight's gradient is as large as its input, so large inputs shake their weights and "
            "small ones are not heard, and units saturate at once.",
            "Take from each column its mean and divide by its deviation.",
        )  # fmt: skip


def _start(net: Any, seen: Mapping[str, Array]) -> Iterator[Finding]:
    """The loss before any training, held to that of a network that knows nothing."""
    loss, plan = float(seen[net.derivation().loss]), net.architecture
    name = plan.loss.name
    if name.startswith("cross_entropy"):
        ignorant, said = math.log(plan.outputs), f"ln({plan.outputs})"
    elif name.startswith("binary_cross_entropy"):
        ignorant, said = math.log(2), "ln(2)"
    else:
        return
    if net.steps == 0 and loss > FAR * ignorant:
        yield Finding(
            "start", None,
            f"Before any training the loss is {loss:.4g}, and {said} = {ignorant:.4g} would be "
            "that of equal shares for every class.",
            "The network is sure of itself without having seen anything, and must unlearn that "
            "first.",
            "Start with smaller weights, such as init=\"glorot\", or scale the inputs.",
        )  # fmt: skip
    if net.steps and loss >= SAME * ignorant:
        yield Finding(
            "guessing", None,
            f"After {many(net.steps, 'step')} the loss is {loss:.4g}, no better than equal shares "
            f"for every class, {said} = {ignorant:.4g}.",
            "It has learnt nothing from its samples that would show on these.",
            "Try a learning rate ten times smaller and one ten times larger, and look whether the "
            "targets belong to the samples.",
        )  # fmt: skip


def _units(layers: tuple[Layer, ...], samples: int) -> Iterator[Finding]:
    for one in layers:
        if one.dead and (one.dead > one.units / 10 or one.dead == one.units):
            whole, single = one.dead == one.units, one.dead == 1
            some = "The one unit" if one.units == 1 else f"{one.dead} of the {one.units} units"
            some = f"All {one.units} units" if whole and not single else some
            yield Finding(
                "dead", one.number,
                f"{some} of layer {one.number} {'gives' if single else 'give'} 0 for each of "
                f"{many(samples, 'sample')}: {'it is' if single else 'they are'} dead.",
                "Where ReLU is 0 its slope is 0 too, so no gradient reaches their weights, and "
                "they will not come back.",
                'Try a smaller learning rate, init="he", or "leaky_relu".',
            )  # fmt: skip
        if one.flat is not None and one.flat > MOSTLY:
            yield Finding(
                "saturated", one.number,
                f"Layer {one.number} is saturated: at {one.flat:.0%} of its values "
                f"{one.activation} has less than a fiftieth of its steepest slope.",
                "What flows back is multiplied by that slope, so next to nothing gets through.",
                "Start with smaller weights, scale the inputs, or take a smaller learning rate.",
            )  # fmt: skip


def _gradients(layers: tuple[Layer, ...]) -> Iterator[Finding]:
    """How δ changes on its way back; layers without any gradient are left to what made them so."""
    flows = [one for one in layers if one.delta > 0]
    if len(flows) < 2 or not all(math.isfinite(one.delta) for one in flows):
        return
    first, last = flows[0], flows[-1]
    ratio = first.delta / last.delta
    worst = max(pairwise(flows), key=lambda pair: abs(math.log(pair[0].delta / pair[1].delta)))
    where = f"most of it between layers {worst[1].number} and {worst[0].number}"
    if ratio < 1 / SPREAD:
        yield Finding(
            "vanishing", first.number,
            f"The gradient vanishes: δ is {first.delta:.2g} at layer {first.number} and "
            f"{last.delta:.2g} at layer {last.number}, {where}.",
            "Each layer on the way back multiplies δ by W.T and by the slope of its activation; "
            "where both are small, the first layers hardly learn.",
            'Try "relu" or "tanh" for "sigmoid", init="he" or "glorot", or fewer layers.',
        )  # fmt: skip
    elif ratio > SPREAD:
        yield Finding(
            "exploding", first.number,
            f"The gradient explodes: δ is {first.delta:.2g} at layer {first.number} and "
            f"{last.delta:.2g} at layer {last.number}, {where}.",
            "Each layer on the way back multiplies δ by W.T; where weights are large, the first "
            "layers are torn about.",
            "Start with smaller weights, clip the gradient, or take a smaller learning rate.",
        )  # fmt: skip


def _steps(layers: tuple[Layer, ...]) -> Iterator[Finding]:
    taken = [(one, one.step) for one in layers if one.step is not None]
    large = [one for one, step in taken if step > LARGE]
    small = [one for one, step in taken if step < SMALL and one.delta > 0]
    most = max((step for _, step in taken), default=0.0)
    if large:
        yield Finding(
            "step", large[0].number,
            f"The next step changes {_weights(large)} by up to {most:.0%} of "
            f"{'its' if len(large) == 1 else 'their'} size.",
            "Weights that move by more than a few percent at a time jump over what they are "
            "looking for; a thousandth is usual.",
            "Take a learning rate that is ten times smaller.",
        )  # fmt: skip
    if small and len(small) == len(layers):  # else something keeps the gradient from some of them
        yield Finding(
            "step", small[0].number,
            f"The next step changes no W by more than {most:.1g} of its size."
            if most
            else "The next step changes no W at all: it is lost in rounding.",
            "At a thousandth, which is usual, a thousand steps make a difference.",
            "Take a larger learning rate.",
        )  # fmt: skip


def _weights(layers: list[Layer]) -> str:
    """`W1`, `W1 and W2`, `W1, W2 and W3`."""
    *names, last = (f"W{one.number}" for one in layers)
    return f"{', '.join(names)} and {last}" if names else last


def _by_heart(net: Any, X: Any, y: Any) -> Iterator[Finding]:
    """Train a copy on a few samples; whoever cannot learn these learns nothing."""
    X, y = np.asarray(X), np.asarray(y)
    axis = 0 if net.architecture.convention == "rows" else 1
    if X.ndim == 1:
        return  # the bias alone learns one sample
    few = np.arange(min(BATCH, X.shape[axis]))
    X, y = X.take(few, axis=axis), y.take(few, axis=axis if y.ndim > 1 else 0)
    before, _ = net.gradients(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what they would say is said below
        history = deepcopy(net).fit(
            X, y, epochs=STEPS, batch_size=len(few), shuffle=False, progress=False
        )
    broke = history.stopped is not None
    if broke or not min(history.loss) < (1 - LEARNT) * before:
        after = "no number" if broke else f"{min(history.loss):.3g}"
        yield Finding(
            "by heart", None,
            f"Trained on {many(len(few), 'sample')} alone, the loss goes from {before:.3g} to "
            f"{after} in {STEPS} steps.",
            "A few samples can be learnt by heart; a network that does not cannot learn many.",
            "Try a larger or a smaller learning rate, more units, and look whether the targets "
            "are what the loss takes.",
        )  # fmt: skip
