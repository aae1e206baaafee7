"""The activations that a forward pass is searched for: the right ones, and the wrong ones.

A wrong one keeps the backward pass that belongs to the right one, as the code that has it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backpass.calculus.elementwise import leaky_relu, sigmoid
from backpass.calculus.fused import softmax
from backpass.nn.layers import ACTIVATIONS


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake of the forward pass: what it computes, and the activation that was meant."""

    bug: int
    name: str
    meant: str
    function: Callable[[Any], Any]
    says: str
    fix: str


WRONG = {
    one.name: one
    for one in (
        Wrong(
            53, "sigmoid with e^{+z}", "sigmoid", lambda z: sigmoid(-z),
            "the activation falls where sigmoid rises: it computes 1/(1 + e^{z})",
            "1/(1 + e^{−z})",
        ),
        Wrong(
            14, "softmax over the wrong axis", "softmax", lambda z: softmax(z.T).T,
            "softmax is taken over the samples: each column sums to 1, where each sample should",
            "sum over the classes of each sample, and keep that axis",
        ),
        Wrong(
            15, "softmax twice", "softmax", lambda z: softmax(softmax(z)),
            "softmax is taken of a softmax: no class comes near to 1", "softmax once",
        ),
    )
}  # fmt: skip


def _leak(leak: float) -> Callable[[Any], Any]:
    return lambda z: leaky_relu(z, leak)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **ACTIVATIONS,
    **{f"leaky_relu by {leak:g}": _leak(leak) for leak in (0.001, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3)},
    **{name: one.function for name, one in WRONG.items()},
}


def meant(name: str) -> str:
    """The activation that a wrong one should be; a right one is meant as it is."""
    return WRONG[name].meant if name in WRONG else name
