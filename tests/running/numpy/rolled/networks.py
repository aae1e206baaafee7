"""Networks of equal layers in the ways that people write them, and their source run by itself."""

import inspect
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

import backpass as bp
from backpass.derive import Derivation
from backpass.language.shapes import evaluate_size, names

TANH = {"g": np.tanh, "g_prime": lambda z: 1 - np.tanh(z) ** 2}
SQUARES = {"C": lambda a: np.sum(a**2), "grad_C": lambda a: 2 * a}
BODIES = {**TANH, "sigma": TANH["g"], "sigma_prime": TANH["g_prime"], **SQUARES}
WIDTHS = ["d0", "d1", "d2", "d3", "d4", "d5"]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ── the networks ─────────────────────────────────────────────────────────────────────────────


def batch_loss(X, Y, W, b):
    A = X
    for weights, bias in zip(W, b, strict=True):
        A = sigmoid(A @ weights + bias)
    return 0.5 * np.sum((A - Y) ** 2)


def batch(widths=WIDTHS) -> Derivation:
    """A batch as rows, five sigmoid layers of different sizes, a bias each."""
    W = [f"{a} {b}" for a, b in pairwise(widths)]
    shapes = {"X": f"n {widths[0]}", "Y": f"n {widths[-1]}", "W": W, "b": list(widths[1:])}
    return bp.derive(batch_loss, shapes, wrt="W b")


def columns(count=2) -> Derivation:
    """One sample as a column, any σ and any cost."""
    lines = [f"z{l} = W{l} h{l - 1}; h{l} = σ(z{l})" for l in range(1, count + 1)]
    shapes = ["h0: d0", *(f"W{l}: d{l} d{l - 1}" for l in range(1, count + 1))]
    return bp.derive(
        "; ".join([*lines, f"cost = C(h{count})"]),
        ", ".join(shapes),
        wrt=" ".join(f"W{l}" for l in range(1, count + 1)),
        functions="σ: elementwise, C: scalar",
    )


def classifier_loss(X, y, params):
    A = X
    for W, b in zip(params["W"][:-1], params["b"][:-1], strict=True):
        A = np.maximum(A @ W + b, 0)
    return bp.cross_entropy(A @ params["W"][-1] + params["b"][-1], y)


def classifier(layers: int) -> Derivation:
    """ReLU layers and an output layer of its own, its parameters in a dict of lists."""
    W = [f"d{l} d{l + 1}" for l in range(layers)]
    b = [f"d{l + 1}" for l in range(layers)]
    shapes = {"X": "n d0", "y": f"n int<d{layers}", "params": {"W": W, "b": b}}
    return bp.derive(classifier_loss, shapes, wrt="params")


def recurrent_loss(X, y, h0, U, V):
    h = h0
    for t in range(3):
        h = np.tanh(X[t] @ U + h @ V)
    return np.sum((h - y) ** 2)


def recurrent() -> Derivation:
    """Three times the same weights."""
    shapes = {"X": "3 n k", "y": "n m", "h0": "n m", "U": "k m", "V": "m m"}
    return bp.derive(recurrent_loss, shapes, wrt="U V")


# ── their source, run by itself ──────────────────────────────────────────────────────────────


def values(d: Derivation, seed: int, dtype: Any = np.float64) -> dict[str, Any]:
    """A random array for every leaf."""
    random = np.random.default_rng(seed)
    leaves = d.arguments.leaves
    known = sorted({name for leaf in leaves for size in leaf.shape for name in names(size)})
    sizes = {name: int(random.integers(1, 5)) for name in known}

    def value(leaf: Any) -> Any:
        shape = [evaluate_size(size, sizes) for size in leaf.shape]
        if leaf.kind == "int":
            return random.integers(evaluate_size(leaf.below, sizes), size=shape)
        return (0.7 * random.normal(size=shape)).astype(dtype)

    return {leaf.name: value(leaf) for leaf in leaves}


def nested(nest: Any, leaves: Mapping[str, Any]) -> Any:
    """The values in the place of the arrays of a nest."""
    if isinstance(nest, Mapping):
        return {key: nested(part, leaves) for key, part in nest.items()}
    if isinstance(nest, list | tuple):
        return type(nest)(nested(part, leaves) for part in nest)
    return leaves[nest.name]


def run(text: str, given: Mapping[str, Any]) -> Any:
    """The value and the gradients; a list W is made of what is given as W1, W2 …"""
    space: dict[str, Any] = {}
    exec(text, space)
    function = space["forward_backward"]
    found = {**BODIES, **given}
    for name in inspect.signature(function).parameters:
        if name not in found:
            stem = name.removesuffix("s")  # of Ws, where W is taken
            counted = {key: re.fullmatch(rf"{stem}_?(\d+)", key) for key in found}
            keys = {key: int(match[1]) for key, match in counted.items() if match}
            assert keys, f"nothing is given for {name}"
            found[name] = [found[key] for key in sorted(keys, key=lambda key: keys[key])]
    return function(*(found[name] for name in inspect.signature(function).parameters))


def flat(nest: Any) -> list[tuple[str, Any]]:
    """The arrays of a nest with their paths, those of W1 and of W[0] alike."""
    if isinstance(nest, Mapping):
        return [
            (re.sub(r"^(\D+)(\d+)$", lambda m: f"{m[1]}/{int(m[2])}", str(key)) + path, value)
            for key, part in nest.items()
            for path, value in flat(part)
        ]
    if isinstance(nest, list | tuple):
        return [
            (f"/{place}{path}", value)
            for place, part in enumerate(nest, 1)
            for path, value in flat(part)
        ]
    return [("", nest)]


def assert_same(d: Derivation, style: Any, seeds=(0, 1)) -> str:
    """The source in a style computes what the unrolled one does, bit for bit."""
    text, unrolled = d.code("numpy", style), d.code("numpy")
    assert max(map(len, text.splitlines())) <= 88
    for seed in seeds:
        for dtype in (np.float32, np.float64):
            leaves = values(d, seed, dtype)
            given = {name: nested(nest, leaves) for name, nest in d.arguments.nests.items()}
            with np.errstate(all="ignore"):
                value, gradients = run(text, given)
                wanted_value, wanted = run(unrolled, given)
            np.testing.assert_array_equal(value, wanted_value)
            found, expected = dict(flat(gradients)), dict(flat(wanted))
            assert found.keys() == expected.keys()
            for path, array in found.items():
                np.testing.assert_array_equal(array, expected[path], err_msg=f"{path}\n{text}")
                assert array.dtype == expected[path].dtype == dtype
    return text
