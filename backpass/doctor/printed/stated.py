"""A network that is stated, not run: its layers, weights, rate and loss, read off a derivation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.doctor.bank import Family
from backpass.doctor.evidence import shown
from backpass.doctor.infer import Seen, networks
from backpass.doctor.observe import Event, Run
from backpass.doctor.passes import Pass, forward_pass, run_pass
from backpass.doctor.passes import samples as laid
from backpass.doctor.probe import Probe
from backpass.doctor.rewrite import Place
from backpass.language.errors import BackpassError
from backpass.language.program import Program
from backpass.nn import samples
from backpass.nn.network import Network
from backpass.nn.optimizers import SGD
from backpass.running.runner import Runner, compile_numpy

Array = NDArray[np.float64]
Tensor = tuple[str, int]  # ("W", 1)


@dataclass(frozen=True)
class Stated:
    """What is needed to train a network from its first weights on, and to know its numbers.

    `names` are the quantities of its forward pass by what the derivation calls them: Z2 is
    ("Z", 2), and whether it stands there with samples as columns. `probe` is a run on random
    numbers, and `numbers` the pass that it makes.
    """

    seen: Seen
    probe: Probe
    numbers: Pass
    X: Array
    y: Array
    weights: Mapping[Tensor, Array]  # in×out, and biases as vectors
    trained: frozenset[Tensor]
    rate: float
    family: Family
    title: str
    times: float
    loss: str  # what the derivation calls it
    names: Mapping[str, tuple[str, int, bool]]

    def at(
        self,
        weights: Mapping[Tensor, Array],
        moved: Mapping[Tensor, Array],
        activations: Mapping[int, str],
    ) -> Pass:
        """The forward pass with these weights; `moved` is what will be taken away from them."""
        numbers = range(1, len(self.seen.layers) + 1)
        layers = tuple(
            replace(layer, activation=activations[number]) if number in activations else layer
            for number, layer in zip(numbers, self.seen.layers, strict=True)
        )
        return forward_pass(
            layers, self.X, self.y, [weights["W", one] for one in numbers],
            [weights.get(("b", one)) for one in numbers], moved,
        )  # fmt: skip

    def first(self) -> Pass:
        """The forward pass before any step."""
        still = {tensor: np.zeros_like(value) for tensor, value in self.weights.items()}
        return self.at(self.weights, still, {})

    def tensor(self, name: str) -> Tensor | None:
        """The weight or bias of this name."""
        for place, layer in enumerate(self.seen.layers, 1):
            if name in (layer.weight, layer.bias):
                return "W" if name == layer.weight else "b", place
        return None

    def path(self, tensor: Tensor) -> str:
        """What the derivation calls a weight or a bias."""
        layer = self.seen.layers[tensor[1] - 1]
        return layer.weight if tensor[0] == "W" else layer.bias or ""

    def shaped(self, tensor: Tensor, value: Array) -> Array:
        """An array of the size of a weight or bias, as the derivation has it."""
        if tensor[0] == "W" and self.seen.layers[tensor[1] - 1].turned:
            value = value.T
        return value.reshape(self.probe.parameters[self.path(tensor)].shape)


def stated(subject: Derivation | Network, given: Sequence[Any], lr: float | None) -> Stated:
    """Read a derivation with the arguments that it is called with, or a network with X and y.

    Raises BackpassError when no chain of dense layers, no known loss or no rate is in it.
    """
    if isinstance(subject, Network):
        values = _of_network(subject, given)
        lr = float(subject.optimizer.numbers["lr"]) if lr is None else lr
        subject = subject.derivation(values["y"].dtype.kind == "f")
    else:
        values = subject.arguments.arrange(tuple(given), {})
    if lr is None:
        raise BackpassError("say the learning rate: bp.doctor(d, …, lr=0.5, printed={…})")
    values = {name: np.asarray(value) for name, value in values.items()}
    program = subject.program
    names = [step.name for step in program.steps]
    runner = compile_numpy(
        Program(program.inputs, program.steps, tuple(names), program.constants), name="everything"
    )
    data = [name for name in values if name not in subject.wrt]
    found = [
        (seen[0], probes, x, y)
        for x in data
        for y in data
        if x != y
        for probes in [_probes(runner, names, values, x, y)]
        for seen in [networks(probes)]
        if seen
    ]
    if not found:
        raise BackpassError(
            "no chain of dense layers was recognised in this derivation, from one of its inputs "
            f"outside wrt ({', '.join(data)}) on"
        )
    return _stated(subject, max(found, key=lambda one: len(one[0].layers)), values, names, lr)


def _of_network(net: Network, given: Sequence[Any]) -> dict[str, Any]:
    """The inputs of its derivation: samples, targets and the weights that it has."""
    if len(given) != 2:
        raise BackpassError("give the samples and their targets: bp.doctor(net, X, y, printed={…})")
    rule = net.optimizer
    if not isinstance(rule, SGD) or rule != SGD(rule.lr):
        name = str(rule).partition("\n")[0]
        raise BackpassError(
            f"the programs that are tried train by plain SGD, and this network by {name}"
        )
    X = samples.inputs(given[0], net.architecture, "float64")
    y = samples.targets(given[1], X, net.architecture, "float64")
    return {"X": X.X, "y": y, **net.weights}


def _probes(
    runner: Runner, names: Sequence[str], values: Mapping[str, Array], x: str, y: str
) -> list[Probe]:
    """Two runs on random numbers, each line an event that has its name."""
    probes: list[Probe] = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        drawn = {
            name: random.uniform(0.05, 0.95, value.shape)
            if name == y
            else random.normal(0, 0.7, value.shape)
            for name, value in values.items()
            if value.dtype.kind == "f"
        }
        drawn = {**values, **drawn}
        run = Run({}, {}, [], {}, {})
        made = [(name, np.asarray(one)) for name, one in zip(names, runner(drawn), strict=True)]
        for name, value in [*made, *_outputs(made, drawn[y], y)]:
            number = len(run.events)
            run.places[number] = Place(number, 0, 0, 0, 0, name, "", number)
            run.files[number] = ""
            run.events.append(Event(number, value, number))
        parameters = {name: value for name, value in drawn.items() if name not in (x, y)}
        probes.append(Probe(run, drawn[x], drawn[y], parameters, ()))
    return probes


def _outputs(
    made: Sequence[tuple[str, Array]], targets: Array, y: str
) -> Iterator[tuple[str, Array]]:
    """Outputs that have no line of their own: `E = A @ W − y` tells them."""
    for name, value in made:
        if value.shape == targets.shape and targets.dtype.kind == "f":
            yield f"{name} + {y}", value + targets
            yield f"{y} - {name}", targets - value


def _stated(
    derivation: Derivation,
    found: tuple[Seen, list[Probe], str, str],
    values: Mapping[str, Array],
    names: Sequence[str],
    lr: float,
) -> Stated:
    seen, probes, x, y = found
    passes = [
        run_pass(seen, one, {name: np.zeros_like(v) for name, v in one.parameters.items()})
        for one in probes
    ]
    if any(one.y.shape != one.A[-1].shape for one in passes):
        raise BackpassError(
            f"{y} does not stand as the outputs of the layers do: {passes[0].y.shape} beside "
            f"{passes[0].A[-1].shape}"
        )
    losses = shown(probes, passes)
    if not losses:
        raise BackpassError(
            f"{derivation.loss} is no loss known here of the outputs of these layers"
        )
    known: dict[str, tuple[str, int, bool]] = {}
    forward = {step.name for step in derivation.forward.steps}
    for name, event in zip(names, probes[0].run.events, strict=False):
        if name not in forward:
            continue
        for layer in range(1, passes[0].depth + 1):
            for letter, one in (("Z", passes[0].Z[layer]), ("A", passes[0].A[layer])):
                for turned, way in ((False, one), (True, one.T)):
                    if event.value.size == way.size and np.allclose(
                        event.value.reshape(way.shape), way, rtol=1e-9
                    ):
                        known.setdefault(name, (letter, layer, turned))
    first = Probe(probes[0].run, values[x], values[y], {}, ())
    X, targets = laid(seen, first)
    weights: dict[Tensor, Array] = {}
    for place, layer in enumerate(seen.layers, 1):
        weight = np.asarray(values[layer.weight], float)
        weights["W", place] = weight.T if layer.turned else weight
        if layer.bias is not None:
            weights["b", place] = np.asarray(values[layer.bias], float).ravel()
    tensors = {layer.weight: ("W", place) for place, layer in enumerate(seen.layers, 1)}
    tensors |= {lay.bias: ("b", place) for place, lay in enumerate(seen.layers, 1) if lay.bias}
    trained = frozenset(tensors[name] for name in derivation.wrt if name in tensors)
    if not trained:
        raise BackpassError(f"none of the layers' weights is among wrt ({derivation.wrt})")
    one = losses[0]
    return Stated(
        seen, probes[0], passes[0], X, targets, weights, trained, lr, one.family, one.title,
        one.times, derivation.loss, known,
    )  # fmt: skip
