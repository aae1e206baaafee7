"""What is measured: a network of many equal layers, and one that reads digits."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

import backpass as bp

Sizes = Literal["named", "numbers", "different"]  # n and k; 5 and 8; d_0, d_1, … or 8, 9, …


# A deep network.


def derive_deep(layers: int, sizes: Sizes) -> Callable[[], object]:
    """Ours: the backward pass of a network with this many layers."""

    def loss(params, X, Y):
        A = X
        for W, b in zip(params["W"], params["b"], strict=True):
            A = np.tanh(A @ W + b)
        return np.sum((A - Y) ** 2)

    shapes = _deep_shapes(layers, sizes)
    return lambda: bp.derive(loss, shapes, wrt="params")


def _deep_shapes(layers: int, sizes: Sizes) -> dict[str, Any]:
    batch = "5" if sizes == "numbers" else "n"
    equal = {"named": "k", "numbers": "8"}
    d = [equal.get(sizes, f"d_{place}") for place in range(layers + 1)]
    return {
        "params": {"W": [f"{d[i]} {d[i + 1]}" for i in range(layers)], "b": d[1:]},
        "X": f"{batch} {d[0]}",
        "Y": f"{batch} {d[-1]}",
    }


def trace_deep(layers: int, sizes: Sizes) -> Callable[[], object]:
    """JAX's: the same network, as far as JAX goes before it compiles."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import jax.numpy as jnp

    def loss(params, X, Y):
        A = X
        for W, b in zip(params["W"], params["b"], strict=True):
            A = jnp.tanh(A @ W + b)
        return jnp.sum((A - Y) ** 2)

    d = [8 + place if sizes == "different" else 8 for place in range(layers + 1)]

    def array(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    params = {
        "W": [array(d[i], d[i + 1]) for i in range(layers)],
        "b": [array(d[i + 1]) for i in range(layers)],
    }
    X, Y = array(5, d[0]), array(5, d[-1])
    return lambda: jax.make_jaxpr(jax.grad(loss))(params, X, Y)


# The 64-32-10 network of the digits.


def digits_loss(X, y, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    return bp.cross_entropy(A1 @ W2 + b2, y)


def digits_by_hand(X, y, W1, b1, W2, b2):
    """Value and gradients by someone who knows them: the exponentials are computed once."""
    rows = np.arange(len(y))
    A1 = np.tanh(X @ W1 + b1)
    Z2 = A1 @ W2 + b2
    Z2 -= Z2.max(axis=1, keepdims=True)
    E = np.exp(Z2)
    total = E.sum(axis=1, keepdims=True)
    value = np.mean(np.log(total[:, 0]) - Z2[rows, y])
    dZ2 = E / total
    dZ2[rows, y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (1 - A1**2)
    return value, {
        "W1": X.T @ dZ1,
        "b1": dZ1.sum(axis=0),
        "W2": A1.T @ dZ2,
        "b2": dZ2.sum(axis=0),
    }


def digits_arguments(batch: int) -> tuple[Any, ...]:
    """A batch and weights, in double precision."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(batch, 64)), random.integers(0, 10, batch)
    W1, b1 = random.normal(0, 64**-0.5, (64, 32)), random.normal(size=32)
    W2, b2 = random.normal(0, 32**-0.5, (32, 10)), random.normal(size=10)
    return X, y, W1, b1, W2, b2


def derive_digits() -> bp.Derivation:
    shapes = "X: n k, y: n int<m, W1: k j, b1: j, W2: j m, b2: m"
    return bp.derive(digits_loss, shapes, wrt="W1 b1 W2 b2")


# The same network, trained.

EPOCHS, BATCH, RATE = 5, 32, 0.5
STEPS = EPOCHS * -(-1347 // BATCH)


def network() -> bp.Network:
    """Before its first step; all that are made are the same."""
    layers = [bp.Dense(32, "tanh"), bp.Dense(10)]
    return bp.Network(layers, inputs=64, optimizer=bp.SGD(RATE), dtype="float64")


def fit(net: bp.Network, X: Any, y: Any) -> None:
    """Ours: a few epochs, in which right answers are counted too."""
    net.fit(X, y, EPOCHS, BATCH, progress=False)


def fit_by_hand(net: bp.Network, X: Any, y: Any) -> None:
    """The same steps by someone who knows the gradients."""
    for _ in range(EPOCHS):
        order, total = net.random.permutation(len(X)), 0.0
        for start in range(0, len(X), BATCH):
            picked = order[start : start + BATCH]
            value, gradients = digits_by_hand(X[picked], y[picked], **net.weights)
            total += value * len(picked)
            for name, gradient in gradients.items():
                net.weights[name] -= RATE * gradient
