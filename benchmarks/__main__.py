"""Everything that is measured, in one run: `make bench`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import backpass as bp
from benchmarks.paired import Row, commands, paired


def deep(xp: Any) -> Callable[..., Any]:
    """A network of as many tanh layers as there are weights, written for `xp`."""

    def loss(params: Any, X: Any, Y: Any) -> Any:
        A = X
        for W, b in zip(params["W"], params["b"], strict=True):
            A = xp.tanh(A @ W + b)
        return xp.sum((A - Y) ** 2)

    return loss


def deriving(layers: int, times: int) -> Row:
    """Our derivation of a deep network against JAX's, of one and the same network."""
    shapes = {"params": {"W": ["k k"] * layers, "b": ["k"] * layers}, "X": "n k", "Y": "n k"}
    params = {"W": [jnp.ones((8, 8))] * layers, "b": [jnp.ones(8)] * layers}
    X = jnp.ones((5, 8))
    return paired(
        f"derive {layers} layers, against jax.make_jaxpr",
        lambda: bp.derive(deep(np), shapes, "params"),
        lambda: jax.make_jaxpr(jax.grad(deep(jnp)))(params, X, X),
        times,
        "wanted 2 or more",
    )


def running(times: int) -> Row:
    """A derived step of the 64-32-10 network against the same lines written by hand."""

    def loss(X, y, W1, b1, W2, b2):
        A1 = np.tanh(X @ W1 + b1)
        return bp.cross_entropy(A1 @ W2 + b2, y)

    d = bp.derive(loss, "X: n k, y: n int<m, W1: k j, b1: j, W2: j m, b2: m", "W1 b1 W2 b2")
    random = np.random.default_rng(0)
    X, y = random.normal(size=(32, 64)), random.integers(0, 10, 32)
    W1, b1 = random.normal(size=(64, 32)) / 8, np.zeros(32)
    W2, b2 = random.normal(size=(32, 10)) / 6, np.zeros(10)

    def by_hand() -> None:
        A1 = np.tanh(X @ W1 + b1)
        Z2 = A1 @ W2 + b2
        top = Z2.max(axis=1, keepdims=True)
        E = np.exp(Z2 - top)
        S = E.sum(axis=1, keepdims=True)
        float(np.mean(np.log(S)[:, 0] + top[:, 0] - Z2[np.arange(32), y]))
        dZ2 = E / S
        dZ2[np.arange(32), y] -= 1
        dZ2 /= 32
        dZ1 = dZ2 @ W2.T * (1 - A1**2)
        _ = (X.T @ dZ1, dZ1.sum(axis=0), A1.T @ dZ2, dZ2.sum(axis=0))

    def often(step: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(200):
                step()

        return run

    return paired(
        "200 steps of 64-32-10, against NumPy by hand",
        often(lambda: d(X, y, W1, b1, W2, b2)),
        often(by_hand),
        times,
        "the nearer to 1 the better",
    )


HELP = "from backpass.cli import main; main(['--help'])"


def main() -> None:
    """Measure, and print a row as soon as it is known."""
    print(f"{'':<44} {'ours ms':>9} {'other ms':>9} {'ratio':>6}")
    small, large = deriving(100, 15), deriving(1000, 5)
    print(small, large, sep="\n")
    print(
        f"from 100 to 1,000 layers: {large.ours / small.ours:.1f} times the time, wanted about 10"
    )
    print(running(15))
    numpy = ["-c", "import numpy"]
    wanted = "wanted 0.5 or more"
    print(commands("backpass --help, against import numpy", ["-c", HELP], numpy, 11, wanted))
    print(commands("import backpass, the same", ["-c", "import backpass"], numpy, 11, ""))


if __name__ == "__main__":
    main()
