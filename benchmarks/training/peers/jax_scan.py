"""JAX as fast as it goes: one jitted call, a scan over the batches of all epochs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.training.problems import (
    BETA1,
    BETA2,
    EPSILON,
    MOMENTUM,
    RATES,
    Problem,
    Weights,
)


def loss(layers: Any, X: Any, y: Any) -> Any:
    for W, b in layers[:-1]:
        X = jax.nn.relu(X @ W + b)
    W, b = layers[-1]
    logs = jax.nn.log_softmax(X @ W + b)
    return -jnp.take_along_axis(logs, y[:, None], 1).mean()


def updated(optimizer: str, layers: Any, state: Any, gradients: Any) -> tuple[Any, Any]:
    """The update rule on all leaves."""
    rate = RATES[optimizer]
    each = jax.tree.map
    V, S, t = state
    if optimizer == "SGD":
        return each(lambda w, g: w - rate * g, layers, gradients), state
    if optimizer == "momentum":
        V = each(lambda v, g: MOMENTUM * v + g, V, gradients)
        return each(lambda w, v: w - rate * v, layers, V), (V, S, t)
    t = t + 1
    V = each(lambda v, g: BETA1 * v + (1 - BETA1) * g, V, gradients)
    S = each(lambda s, g: BETA2 * s + (1 - BETA2) * g**2, S, gradients)
    a, c = 1 - BETA1**t, 1 - BETA2**t
    new = each(lambda w, v, s: w - rate * (v / a) / (jnp.sqrt(s / c) + EPSILON), layers, V, S)
    return new, (V, S, t)


class Scan:
    """Batches stand ready on the device, cut once."""

    def __init__(self, problem: Problem, optimizer: str) -> None:
        self.problem = problem
        X, y = problem.data()
        count = problem.rows // problem.batch
        self.X = jnp.asarray(X).reshape(count, problem.batch, -1)
        self.y = jnp.asarray(y, jnp.int32).reshape(count, problem.batch)
        self.layers = jax.tree.map(jnp.asarray, problem.weights())
        zeros = jax.tree.map(jnp.zeros_like, self.layers)
        self.state = zeros, jax.tree.map(jnp.zeros_like, self.layers), jnp.float32(0)

        def step(carry: Any, batch: Any) -> tuple[Any, Any]:
            layers, state = carry
            value, gradients = jax.value_and_grad(loss)(layers, *batch)
            return updated(optimizer, layers, state, gradients), value

        def epoch(_: Any, carry: Any) -> Any:
            return jax.lax.scan(step, carry, (self.X, self.y))[0]

        def run(carry: Any, epochs: Any) -> Any:
            return jax.lax.fori_loop(0, epochs, epoch, carry)

        self.run = jax.jit(run, donate_argnums=0)

    def train(self) -> None:
        self.layers, self.state = jax.block_until_ready(
            self.run((self.layers, self.state), self.problem.epochs)
        )

    def weights(self) -> Weights:
        return [(np.asarray(W), np.asarray(b)) for W, b in self.layers]


def trainer(problem: Problem, optimizer: str) -> Scan:
    return Scan(problem, optimizer)
