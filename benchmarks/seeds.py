"""The tutorial and the documents beside it, run: experiments that give numbers.

`seeds_page` makes the blocks of docs/seeds.md of them; the tests run shorter versions.
"""

from __future__ import annotations

import runpy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import backpass as bp
from backpass.nn.architecture import Bias
from backpass.running.numpy.styles import Style
from benchmarks.tutorial import (
    XOR,
    XOR_Y,
    Floats,
    Weights,
    compile_step,
    derive_class,
    derive_ones,
    digits,
    draw,
    draw_augmented,
    losses,
    outputs,
    outputs_beside,
    sigmoid,
    train,
    with_ones,
)

DIGITS = (64, 32, 16, 10)


def network(
    layers: Sequence[int], rate: float, *,
    seed: int = 0, bias: Bias = "augmented", init: str = "lecun",
) -> bp.Network:  # fmt: skip
    """The nearest to the class: no extra hidden unit, and biases that start at zero.

    "lecun" draws normal numbers over √inputs, as the class does.
    """
    layers_of = [bp.Dense(units, "sigmoid") for units in layers[1:]]
    return bp.Network(
        layers_of, layers[0], "half_sum_of_squares", bp.SGD(rate), bias, init, dtype="float64",
        seed=seed,
    )  # fmt: skip


def close(answers: Floats) -> Any:
    """Which networks answer all of XOR within a tenth."""
    return np.all(np.abs(answers - XOR_Y) < 0.1, axis=(-2, -1))


def read(answers: Floats, labels: Any) -> Floats:
    """The share of digits that each network reads as they were meant."""
    return np.mean(answers.argmax(axis=-1) == labels, axis=-1)


# ── XOR ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Learnt:
    """For each seed, the loss at the end and whether XOR is solved."""

    losses: Floats
    solved: Any


def xor(
    layers: Sequence[int], seeds: int, epochs: int, rate: float = 0.5, *, early: bool = False
) -> Learnt:
    """Train the class on XOR, one sample after the other."""
    step, X = compile_step(derive_class(len(layers) - 1), early=early), with_ones(XOR)
    weights = train(step, X, XOR_Y, draw(layers, range(seeds)), rate, epochs=epochs)
    return Learnt(losses(X, XOR_Y, weights), close(outputs(X, weights)))


def xor_network(seeds: int, epochs: int) -> Learnt:
    """Train `bp.Network` on XOR: two hidden units, and no third."""
    nets = [network((2, 2, 1), 0.5, seed=seed) for seed in range(seeds)]
    for net in nets:
        net.fit(XOR, XOR_Y, epochs, batch_size=1, shuffle=False, progress=False)
    answers = np.stack([net.predict(XOR) for net in nets])
    return Learnt(0.5 * np.sum((answers - XOR_Y) ** 2, axis=(1, 2)), close(answers))


# ── digits ───────────────────────────────────────────────────────────────────────────────────


def read_digits(seeds: int, marks: Sequence[int], rate: float = 0.1) -> dict[int, Floats]:
    """The held-out share that each seed of the class reads, after so many epochs."""
    X, y, held, labels = digits(range(seeds))
    step, weights = compile_step(derive_class(len(DIGITS) - 1)), draw(DIGITS, range(seeds))
    found: dict[int, Floats] = {}
    for before, mark in pairwise((0, *marks)):
        weights = train(step, with_ones(X), y, weights, rate, epochs=mark - before)
        found[mark] = read(outputs(with_ones(held), weights), labels)
    return found


def read_digits_network(epochs: int, rate: float = 0.1, **options: Any) -> tuple[bp.Network, float]:
    """A trained `bp.Network`, and the held-out share that it reads."""
    X, y, held, labels = (one[0] for one in digits([0]))
    net = network(DIGITS, rate, **options)
    net.fit(X, y, epochs, batch_size=1, shuffle=False, progress=False)
    return net, float(read(net.predict(held), labels))


# ── updates before everything has flowed back ────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Order:
    """At one rate: how far the first dW1 and dW2 are off, and what both orders read at the end."""

    rate: float
    off: tuple[float, float]
    right: float
    early: float


def order(rates: Sequence[float], seeds: int, epochs: int) -> list[Order]:
    """Train the class on digits in both orders; all rates and seeds side by side."""
    X, y, held, labels = (np.concatenate([one] * len(rates)) for one in digits(range(seeds)))
    start = {
        name: np.concatenate([W] * len(rates)) for name, W in draw(DIGITS, range(seeds)).items()
    }
    each = np.repeat(rates, seeds)
    d, X, held = derive_class(len(DIGITS) - 1), with_ones(X), with_ones(held)
    steps = [compile_step(d, early=early) for early in (False, True)]
    first = [train(step, X[:, :1], y[:, :1], start, each, epochs=1) for step in steps]
    shares = [
        read(outputs(held, train(step, X, y, start, each, epochs=epochs)), labels) for step in steps
    ]
    offs = [relative(*(moved[name] - start[name] for moved in first)) for name in ("W1", "W2")]
    means = [one.reshape(len(rates), seeds).mean(axis=1) for one in (*offs, *shares)]
    return [
        Order(rate, (float(a), float(b)), float(right), float(early))
        for rate, a, b, right, early in zip(rates, *means, strict=True)
    ]


def relative(right: Floats, wrong: Floats) -> Floats:
    """The length of the difference over the length of what is right."""
    return np.linalg.norm(wrong - right, axis=(1, 2)) / np.linalg.norm(right, axis=(1, 2))


# ── a loop or a recursion ────────────────────────────────────────────────────────────────────

STYLES: tuple[Style, ...] = ("unrolled", "loop", "recursive")
Calls = Mapping[Style, Callable[[], Any]]


def batch_loss(X, Y, W):
    """The network of a batch: O is what a layer gives."""
    O = X
    for w in W:
        Z = O @ w
        O = sigmoid(Z)
    return 0.5 * np.sum((O - Y) ** 2)


def styles(layers: int, width: int = 32) -> Calls:
    """The derivation in each style, saved to a file, imported, and called on the same arrays."""
    shapes = {"X": "n d0", "Y": f"n d{layers}", "W": [f"d{k} d{k + 1}" for k in range(layers)]}
    d = bp.derive(batch_loss, shapes, wrt="W")
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(32, width)), random.uniform(size=(32, width))
    W = [random.normal(0, width**-0.5, size=(width, width)) for _ in range(layers)]

    def call(style: Style) -> Callable[[], Any]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{style}.py")
            file.write_text(d.code("numpy", style=style), "utf-8")
            function = runpy.run_path(str(file))["forward_backward"]
        return lambda: function(X, Y, W)

    return {style: call(style) for style in STYLES}


def same_bits(calls: Calls) -> bool:
    """Whether value and gradients are equal in every style, bit for bit."""
    found = [call() for call in calls.values()]
    bits = [[np.asarray(one).tobytes() for one in (L, *grads["W"])] for L, grads in found]
    return all(one == bits[0] for one in bits)


# ── the bias ─────────────────────────────────────────────────────────────────────────────────


def apart(epochs: int) -> float:
    """How far a separate bias and the last row of an augmented weight ever get from each other."""
    separate, augmented = (
        read_digits_network(epochs, bias=bias)[0].weights for bias in ("separate", "augmented")
    )
    return max(
        float(np.abs(augmented[f"W{k}"] - np.vstack([separate[f"W{k}"], separate[f"b{k}"]])).max())
        for k in range(1, len(DIGITS))
    )


@dataclass(frozen=True, slots=True)
class Ones:
    """Means over seeds: the loss on training data and the held-out share, and both with plain ones.

    `values` are the columns as training left them: layers × seeds × (1 or n).
    """

    loss: float
    read: float
    loss_at_one: float
    read_at_one: float
    values: Floats


def ones(seeds: int, epochs: int, rate: float, *, trained: bool, whole: bool = False) -> Ones:
    """Train on digits with a column of ones beside every layer, which may follow its gradient.

    One sample after the other, the ones are one number for each layer. In a batch of the `whole`
    data they are a column: every sample has its own, and a new sample has none.
    """
    X, y, held, labels = digits(range(seeds))
    count, batch = len(DIGITS) - 1, X.shape[1] if whole else 1
    plain = {f"one{layer}": np.ones((seeds, batch, 1)) for layer in range(1, count + 1)}
    step = compile_step(derive_ones(count, "W ones" if trained else "W"))
    start = draw_augmented(DIGITS, range(seeds)) | plain
    end = train(step, X, y, start, rate, epochs=epochs, batch=batch)

    def judged(beside: Weights, for_held: Weights) -> tuple[float, float]:
        errors = outputs_beside(X, end | beside) - y
        shares = read(outputs_beside(held, end | for_held), labels)
        return float(0.5 * np.sum(errors**2) / seeds), float(shares.mean())

    one = {name: np.ones((seeds, 1, 1)) for name in plain}
    values = np.stack([end[name][..., 0] for name in plain])
    return Ones(*judged({}, one if whole else {}), *judged(one, one), values)
