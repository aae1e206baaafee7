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


def leaky(leak: float) -> str:
    """The name of a leaky ReLU by what it leaves of numbers below zero."""
    return "leaky_relu" if leak == 0.01 else f"{_LEAKY}{leak:.6g}"


class _Functions(dict[str, Callable[[Any], Any]]):
    """Activations by name; every leaky ReLU is one."""

    def __missing__(self, name: str) -> Callable[[Any], Any]:
        if not name.startswith(_LEAKY):
            raise KeyError(name)
        leak = float(name.removeprefix(_LEAKY))
        return self.setdefault(name, lambda z: leaky_relu(z, leak))


_LEAKY = "leaky_relu by "
FUNCTIONS = _Functions(ACTIVATIONS)
FUNCTIONS |= {name: one.function for name, one in WRONG.items()}
COMMON = tuple(FUNCTIONS)  # what sums are put through, before any leaky ReLU was met


def kind(name: str) -> str:
    """The activation without the number in its name."""
    return "leaky_relu" if name.startswith(_LEAKY) else name


def meant(name: str) -> str:
    """The activation that a wrong one should be; a right one is meant as it is."""
    return WRONG[name].meant if name in WRONG else name
