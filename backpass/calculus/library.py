"""The functions that a user may call, by name: those of NumPy under NumPy's names, and ours."""

from __future__ import annotations

from backpass.calculus import contraction, elementwise, fused, indexing, losses, reduction
from backpass.calculus.op import OPS, Op

FILES = (elementwise, contraction, reduction, indexing, fused, losses)  # each enters its own

# What is spelled with signs, or is part of another operation, is no function to call.
# fmt: off
INTERNAL = frozenset((
    "add", "subtract", "multiply", "divide", "power", "negative", "positive", "greater",
    "greater_equal", "less", "less_equal", "equal", "not_equal", "both", "either", "negation",
    "getitem", "einsum", "full", "eye", "triangle", "arange", "spread", "huber_entry",
    "logistic_loss", "log_likelihood", "total_log_likelihood", "total_logistic_loss",
    "bernoulli_loss", "cross_entropy_of_weights",
))
# fmt: on

FUNCTIONS: dict[str, Op] = {name: op for name, op in OPS.items() if name not in INTERNAL}
