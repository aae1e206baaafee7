"""The known mistakes by number, as the table of docs/doctor.md has them."""

from __future__ import annotations

from collections.abc import Iterable

NAMES = {
    1: "the sign is flipped everywhere", 2: "the sign is flipped in one tensor",
    3: "a factor 2 is missing or extra", 4: "a local constant",
    5: "a sum where the loss is a mean", 6: "divided by N twice",
    7: "divided by N at every layer", 8: "averaged over outputs", 9: "b averaged, W summed",
    10: "σ′ is missing at the output", 11: "σ′ is extra with cross-entropy",
    12: "the gradient of another loss", 13: "only the diagonal of the softmax Jacobian",
    14: "softmax over the wrong axis", 15: "softmax twice", 16: "f′ is missing",
    17: "f′ is missing on one tensor", 18: "f′(z) code is given a", 19: "a(1 − a) code is given z",
    20: "ReLU′ is 1 everywhere", 21: "ReLU′ by successive where", 22: "σ′ for another activation",
    23: "tanh′ = 1 − a", 24: "f′ is applied twice", 25: "f′ after dropout scaling",
    26: "z is used for a in the gradient of W", 27: "the weight is used for the input",
    28: "the outer product is transposed", 29: "reshape instead of .T",
    30: "W is not transposed going back", 31: "updated W is used for δ",
    32: "the gradient of W is used for W", 33: "the raw error is sent back",
    34: "|W| or normalised W is sent back", 35: "layer index off by one", 36: "W is not trained",
    37: "b is not trained", 38: "the bias gradient is not summed over the batch",
    39: "the bias gradient is summed to a scalar", 40: "bias from ∂L/∂A, not ∂L/∂Z",
    41: "bias = row sum of dW", 42: "the wrong bias column is deleted",
    43: "the bias unit is not constant", 44: "only one sample is used",
    45: "(n,1) − (n,) is broadcast", 46: "an elementwise product for a matrix product",
    47: "a scalar update", 48: "not zeroed between calls", 49: "overwritten where it should add up",
    50: "an in-place activation overwrites z", 51: "a stale cache",
    52: "the factor of the L2 gradient", 53: "sigmoid with e^{+z}", 54: "a sample is dropped",
    55: "ReLU applied to the gradient", 56: "σ′ is taken at the error",
    57: "W is left out going back", 58: "tanh′ that returns tanh",
    59: "a dropout mask in one place only", 60: "a time step off by one",
}  # fmt: skip
KEY = "A number in brackets is that of the mistake in the table of docs/doctor.md."


def numbered(name: str, bug: int | None) -> str:
    """A title with its number, if it has one."""
    return name if bug is None else f"{name} [{bug}]"


def alike(bugs: Iterable[int]) -> str:
    """The sentence on mistakes that would make the same numbers."""
    names = " or ".join(numbered(NAMES.get(bug, "another"), bug) for bug in bugs)
    return f"On this network that cannot be told from: {names}."
