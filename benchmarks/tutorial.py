"""The tutorial's class as derivations: its forward pass, written down, and what that gives, run.

Networks that learn side by side are one more label, r. The loss adds all of them up, and none
touches another, so the gradient of each is its own: twenty seeds are one program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import backpass as bp
from backpass.language.notation import parse_step
from backpass.language.program import Array, Program, Step, canonical, rename_step
from backpass.nn.data import load_digits, split
from backpass.running.runner import Runner, compile_numpy

Floats = NDArray[np.float64]
Weights = dict[str, Floats]  # W1, W2 and so on: r × in × out

NEW = "_new"  # what an update calls its weight

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
XOR_Y = np.array([[0], [1], [1], [0.0]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def class_loss(X, y, W):
    """What the class computes; its column of ones stands in X, once, and nowhere else."""
    A = [X]
    for layer in range(len(W)):
        net = A[-1] @ W[layer]
        out = sigmoid(net)
        A.append(out)
    return 0.5 * np.sum((A[-1] - y) ** 2)


def derive_class(layers: int) -> bp.Derivation:
    """The backward pass of the class with this many weight matrices."""
    weights = [f"r d{place} d{place + 1}" for place in range(layers)]
    shapes = {"X": "r n d0", "y": f"r n d{layers}", "W": weights}
    return bp.derive(class_loss, shapes, wrt="W")


def ones_loss(X, y, W, ones):
    """A column of ones beside every layer, which nobody says are constant."""
    A = [X]
    for layer in range(len(W)):
        B = np.concatenate([A[-1], ones[layer]], axis=-1)
        net = B @ W[layer]
        out = sigmoid(net)
        A.append(out)
    return 0.5 * np.sum((A[-1] - y) ** 2)


def derive_ones(layers: int, wrt: str) -> bp.Derivation:
    """The same with the ones as inputs that may have a gradient: `wrt` is "W" or "W ones"."""
    weights = [f"r d{place}+1 d{place + 1}" for place in range(layers)]
    shapes = {"X": "r n d0", "y": f"r n d{layers}", "W": weights, "ones": ["r n 1"] * layers}
    return bp.derive(ones_loss, shapes, wrt=wrt)


# ── a step: forward, backward, and the update where one wants it ─────────────────────────────


def with_updates(d: bp.Derivation, *, early: bool = False) -> Program:
    """The derivation followed by its updates; `early` ones stand right behind each gradient.

    Whatever comes behind an early update reads the new weight: that is the mistake, and all of it.
    """
    weight_of = {gradient: weight for weight, gradient in d.gradients.items()}
    new = {weight: weight + NEW for weight in d.gradients}
    steps, updates, moved = list[Step](), list[Step](), dict[str, str]()
    for step in d.program.steps:
        steps.append(rename_step(step, moved))
        weight = weight_of.get(step.name)
        if weight is None:
            continue
        shape = step.target.shape
        rule = f"{new[weight]}[r,k,j] = {weight}[r,k,j] - rate[r] * {step.name}[r,k,j]"
        shapes = {weight: shape, step.name: shape, "rate": shape[:1]}
        (steps if early else updates).append(canonical(parse_step(rule, shapes)))
        if early:
            moved[weight] = new[weight]
    rate = Array("rate", next(iter(d.program.inputs)).shape[:1])
    outputs = (d.loss, *new.values())
    return Program((*d.program.inputs, rate), (*steps, *updates), outputs, d.program.constants)


def compile_step(d: bp.Derivation, *, early: bool = False) -> Runner:
    """That program, compiled: it takes the arrays and the rate of each network."""
    return compile_numpy(with_updates(d, early=early), name="step")


# ── networks to start from, and training ─────────────────────────────────────────────────────


def draw(layers: Sequence[int], seeds: Sequence[int]) -> Weights:
    """What the class starts from: normal numbers over √inputs, one row and one column wider.

    The row meets the column of ones; the column makes one more hidden unit; outputs have none.
    """
    *hidden, last = pairwise(layers)
    wide = [((a, b), (a + 1, b + 1)) for a, b in hidden] + [(last, (last[0] + 1, last[1]))]

    def of(seed: int) -> Iterator[Floats]:
        random = np.random.default_rng(seed)
        for (inputs, _), shape in wide:
            yield random.normal(size=shape) / np.sqrt(inputs)

    return stacked([list(of(seed)) for seed in seeds])


def draw_augmented(layers: Sequence[int], seeds: Sequence[int]) -> Weights:
    """Normal numbers over √inputs above a row of zeros for the ones of that layer."""

    def of(seed: int) -> Iterator[Floats]:
        random = np.random.default_rng(seed)
        for a, b in pairwise(layers):
            yield np.vstack([random.normal(0, a**-0.5, (a, b)), np.zeros((1, b))])

    return stacked([list(of(seed)) for seed in seeds])


def stacked(networks: Sequence[Sequence[Floats]]) -> Weights:
    """The weights of several networks, layer by layer."""
    layers = zip(*networks, strict=True)
    return {f"W{place}": np.stack(weights) for place, weights in enumerate(layers, 1)}


def train(
    step: Runner, X: Floats, y: Floats, start: Mapping[str, Floats], rate: Any, *,
    epochs: int, batch: int = 1,
) -> Weights:  # fmt: skip
    """Walk through the samples in their order, as the class does, and update after each batch.

    X and y are (n, …), the same for every network, or (r, n, …).
    """
    count = len(next(iter(start.values())))
    X, y = (np.broadcast_to(one, (count, *one.shape[-2:])) for one in (X, y))
    rate = np.broadcast_to(np.asarray(rate, dtype=float), count)
    batches = [
        {name: np.ascontiguousarray(a[:, n : n + batch]) for name, a in (("X", X), ("y", y))}
        for n in range(0, X.shape[1], batch)
    ]
    weights = dict(start)
    names = [name.removesuffix(NEW) for name in step.program.outputs[1:]]
    for _ in range(epochs):
        for one in batches:
            _, *new = step({**one, **weights, "rate": rate})
            weights.update(zip(names, new, strict=True))
    return weights


def outputs(X: Floats, weights: Mapping[str, Floats]) -> Floats:
    """What each network answers: r × n × outputs."""
    for W in weights.values():
        X = sigmoid(X @ W)
    return X


def outputs_beside(X: Floats, weights: Mapping[str, Floats]) -> Floats:
    """The same with the column one1, one2 … of each layer beside what goes into it."""
    for layer in range(1, len(weights) // 2 + 1):
        W, one = weights[f"W{layer}"], weights[f"one{layer}"]
        ones = np.broadcast_to(one, (*X.shape[:-1], 1))
        X = sigmoid(np.concatenate([X, ones], axis=-1) @ W)
    return X


def losses(X: Floats, y: Floats, weights: Mapping[str, Floats]) -> Floats:
    """The half sum of squares of each network."""
    return 0.5 * np.sum((outputs(X, weights) - y) ** 2, axis=(1, 2))


# ── data ─────────────────────────────────────────────────────────────────────────────────────


def with_ones(X: Floats) -> Floats:
    """The column that the class puts beside its inputs."""
    return np.concatenate([X, np.ones((*X.shape[:-1], 1))], axis=-1)


def digits(seeds: Sequence[int]) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """X, y with a 1 for the digit, and the held-out X and labels; each seed its own split."""
    images, labels = load_digits()
    parts = [split(images, labels, seed=seed) for seed in seeds]
    X, held = (np.stack([one[which][0] for one in parts]) for which in (0, 1))
    y, y_held = (np.stack([one[which][1] for one in parts]) for which in (0, 1))
    return X, np.eye(10)[y], held, y_held
