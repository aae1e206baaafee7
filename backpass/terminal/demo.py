"""The main job, in a few seconds: derive, check and train a network that reads digits."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console

import backpass as bp
from backpass.checking.report import check_lines
from backpass.nn.data import load_digits, split
from backpass.reading.lines import Line, Span
from backpass.terminal.page import Page

# ── what is shown is what runs ───────────────────────────────────────────────────────────────


def softmax(Z):
    """Scores to probabilities, row by row."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def loss(X, y, W1, b1, W2, b2):
    """How surprised the network is by the digits y of the pictures X."""
    A1 = np.tanh(X @ W1 + b1)
    P = softmax(A1 @ W2 + b2)
    return -np.mean(np.log(P[np.arange(len(y)), y]))


def train(d, X, y, weights, epochs=30, batch=16, rate=0.5):
    """Walk down the derived gradient, a few pictures at a time."""
    random = np.random.default_rng(0)
    for epoch in range(epochs):
        order = random.permutation(len(X))
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            _, gradients = d(X[rows], y[rows], **weights)
            for name, gradient in gradients.items():
                weights[name] -= rate * gradient
        yield epoch


SHAPES = "X: n k, y: n int<m, W1: k j, b1: j, W2: j m, b2: m"
WRT = "W1 b1 W2 b2"
EPOCHS = 30


def initial_weights(inputs: int, hidden: int, outputs: int) -> dict[str, Any]:
    """Random weights that keep the spread of what passes through them, and no biases."""
    random = np.random.default_rng(0)
    return {
        "W1": random.normal(0, inputs**-0.5, (inputs, hidden)),
        "b1": np.zeros(hidden),
        "W2": random.normal(0, hidden**-0.5, (hidden, outputs)),
        "b2": np.zeros(outputs),
    }


def read(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """The most probable digit of each picture."""
    return (np.tanh(X @ W1 + b1) @ W2 + b2).argmax(axis=1)


# ── the show ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Result:
    """What the demo found out."""

    accuracy: float  # on the pictures that were held out
    held_out: int
    check: bp.Check
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "accuracy": self.accuracy,
            "held_out": self.held_out,
            "check": self.check.to_json(),
            "seconds": self.seconds,
        }


def _next() -> list[Line]:
    """Where to go from here, under names that work where this was typed."""
    called = sys.argv[0] if Path(sys.argv[0]).name == "backpass" else ""
    command = called if called and not which("backpass") else "backpass"
    ways = {
        "examples/digits.py": "the same in forty lines, to take and to change",
        'print(d.why("W2"))': "each line of a derivation can be asked why it is so",
        f"{command} derive --help": "derive a formula, or a function in a file of yours",
        "backpass/calculus/": "the whole calculus, to read",
    }
    width = max(map(len, ways))
    return [(Span(f"{way:{width}}  ", "name"), Span(why, "words")) for way, why in ways.items()]


def run(console: Console) -> Result:
    """Do the whole job, and show it."""
    page = Page(console)
    seconds: dict[str, float] = {}
    images, digits = load_digits()
    (X, y), (X_held, y_held) = split(images, digits)

    page.heading("A network that reads handwriting")
    page.pictures([images[digits == digit][0] for digit in (1, 7, 9, 7)])
    page.words(
        f"{len(digits):,} digits like these, 8×8 pixels each. A network with 32 hidden units "
        f"learns to read them from {len(y):,}; the other {len(y_held)} are held out, to see "
        "whether it can. This is all that anybody wrote for it:"
    )
    page.code(_source(softmax), _source(loss))

    page.heading("Its backward pass, derived")
    page.code(f'd = bp.derive(loss, "{SHAPES}",\n              wrt="{WRT}")\nprint(d)')
    with _timed(seconds, "derived"):
        d = bp.derive(loss, SHAPES, WRT)
    page.derivation(d)
    page.words(
        "Nothing up there says cross-entropy: that the last lines come to it was recognised, and "
        "so was that softmax and logarithm together leave P − onehot(y)."
    )

    page.heading("Is it right?")
    page.code("print(d.check())")
    with _timed(seconds, "checked"):
        check = d.check()
    page.write(check_lines(check))

    page.heading("Does it learn?")
    page.code(_source(train))
    weights = initial_weights(64, 32, 10)
    with _timed(seconds, "trained"), page.progress(EPOCHS) as step:
        for _ in train(d, X, y, weights, EPOCHS):
            right = np.mean(read(X, **weights) == y)
            step(f"loss {loss(X, y, **weights):.3f}, {right:.1%} of them read")

    page.heading("Can it read what it has never seen?")
    answers = read(X_held, **weights)
    wrong = np.flatnonzero(answers != y_held)
    accuracy = 1 - len(wrong) / len(y_held)
    page.words(f"{accuracy:.1%} of the {len(y_held)} that were held out.", "good")
    page.words(f"It took {len(wrong)} of them for something else:")
    some = wrong[:7]
    page.pictures(X_held[some], [f"{answers[i]}, not {y_held[i]}" for i in some])
    took = ", ".join(f"{done} in {time:.2f} s" for done, time in seconds.items())
    page.words(f"{took.capitalize()}.")

    page.heading("What to try next")
    page.write(_next())
    return Result(accuracy, len(y_held), check, seconds)


def _source(function: Callable[..., Any]) -> str:
    return inspect.getsource(function)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] = perf_counter() - start
