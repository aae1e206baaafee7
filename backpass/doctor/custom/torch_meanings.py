"""What PyTorch's functions and methods mean, said in NumPy's; torch itself is never imported.

A table by PyTorch's names, of functions of traced values, plain arrays and numbers. What is not in
it cannot be traced, and whoever asks goes on without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from backpass.calculus import elementwise, fused, indexing

Meaning = Callable[..., Any]


class Extremes(NamedTuple):
    """What `x.max(dim)` gives."""

    values: Any
    indices: Any


def _itself(a: Any, *_: Any, **__: Any) -> Any:
    return a


# Sums, means and extremes.


def _over(function: Meaning) -> Meaning:
    def meaning(a: Any, dim: Any = None, keepdim: bool = False, **options: Any) -> Any:
        dim = options.get("axis", dim)
        return function(a, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim)

    return meaning


def _spread(function: Meaning) -> Meaning:
    def meaning(
        a: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **options: Any
    ) -> Any:
        if isinstance(dim, bool):  # x.var(False)
            dim, unbiased = None, dim
        less = int(options.get("correction", int(unbiased)))
        return function(a, axis=dim, ddof=less, keepdims=keepdim)

    return meaning


def _extreme(find: Meaning, place: Meaning, pairwise: Meaning) -> Meaning:
    def meaning(a: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return find(a)
        if not isinstance(dim, int):
            return pairwise(a, dim)
        return Extremes(find(a, axis=dim, keepdims=keepdim), place(a, axis=dim))

    return meaning


def _norm(a: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    if p == 1:
        return np.sum(np.abs(a), axis=dim, keepdims=keepdim)
    if p not in (2, "fro", None):
        raise NotImplementedError(f"the norm of order {p}")
    return np.sqrt(np.sum(np.square(a), axis=dim, keepdims=keepdim))


def _cosine_lengths(a: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    return a / np.maximum(_norm(a, p, dim, keepdim=True), eps)


# Products.


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    product = x @ _turned(weight)
    return product if bias is None else product + bias


def _turned(a: Any) -> Any:
    return np.transpose(a) if a.ndim > 1 else a


def _addmm(c: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    product = a @ b if alpha == 1 else alpha * (a @ b)
    return (c if beta == 1 else beta * c) + product


def _einsum(subscripts: str, *operands: Any) -> Any:
    listed = operands[0] if isinstance(operands[0], list | tuple) else operands
    return np.einsum(subscripts, *listed)


def _scaled(function: Meaning) -> Meaning:
    def meaning(a: Any, b: Any, *, alpha: float = 1) -> Any:
        return function(a, b if alpha == 1 else alpha * b)

    return meaning


def _divided(a: Any, b: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        raise NotImplementedError("rounding has no slope")
    return a / b


# Shapes.


def _dims(given: Sequence[Any]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))`."""
    (first, *rest) = given
    return tuple(first) if not rest and isinstance(first, list | tuple) else tuple(given)


def _reshape(a: Any, *shape: Any) -> Any:
    return np.reshape(a, _dims(shape))


def _permute(a: Any, *dims: Any) -> Any:
    return np.transpose(a, _dims(dims))


def _flatten(a: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    start, end = start_dim % a.ndim, end_dim % a.ndim
    return np.reshape(a, (*a.shape[:start], -1, *a.shape[end + 1 :]))


def _squeeze(a: Any, dim: Any = None) -> Any:
    if dim is not None and a.shape[dim] != 1:
        return a
    return np.squeeze(a, axis=dim)


def _expand(a: Any, *sizes: Any) -> Any:
    wanted = _dims(sizes)
    held = (*[-1] * (len(wanted) - a.ndim), *a.shape)
    shape = [old if new == -1 else new for old, new in zip(held, wanted, strict=True)]
    return np.broadcast_to(a, tuple(shape))


def _split(a: Any, size: int, dim: int = 0) -> tuple[Any, ...]:
    front = (slice(None),) * (dim % a.ndim)
    starts = range(0, a.shape[dim], size)
    return tuple(a[(*front, slice(start, start + size))] for start in starts)


def _chunk(a: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    return _split(a, -(-a.shape[dim] // chunks), dim)


def _gather(a: Any, dim: int, index: Any, **_: Any) -> Any:
    if a.ndim != 2:
        raise NotImplementedError("gather of more than two axes")
    rows, columns = index.shape
    if dim % 2:
        return a[np.arange(rows)[:, None], index]
    return a[index, np.arange(columns)[None, :]]


def _joined(function: Meaning) -> Meaning:
    def meaning(parts: Sequence[Any], dim: int = 0, **options: Any) -> Any:
        return function(parts, axis=options.get("axis", dim))

    return meaning


def _made(function: Meaning) -> Meaning:
    """`x.new_zeros(2, 3)`."""
    return lambda a, *shape, **_: function(_dims(shape))


def _one_hot(y: Any, num_classes: int) -> Any:
    return indexing.one_hot(y, num_classes)


# Functions of entries.


def _clamp(a: Any, min: Any = None, max: Any = None) -> Any:
    if max is None:
        return np.maximum(a, min)
    return np.minimum(a, max) if min is None else np.clip(a, min, max)


def _hardtanh(a: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    return np.clip(a, min_val, max_val)


def _masked_fill(a: Any, mask: Any, value: Any) -> Any:
    return np.where(mask, value, a)


def _gelu(a: Any, approximate: str = "none") -> Any:
    if approximate != "tanh":
        raise NotImplementedError("the error function")
    return 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))


def _elu(a: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return np.where(a > 0, a, alpha * (np.exp(a) - 1))


def _softplus(a: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return elementwise.softplus(a) if beta == 1 else elementwise.softplus(beta * a) / beta


def _leaky_relu(a: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return elementwise.leaky_relu(a, negative_slope)


def _entry(function: Meaning) -> Meaning:
    """A function of one array, whatever else PyTorch lets one say."""
    return lambda a, *_, **__: function(a)


# Functions of rows.


def _along(function: Meaning) -> Meaning:
    def meaning(a: Any, dim: int | None = None, **_: Any) -> Any:
        # without a dim, torch takes the first axis of 0, 1 or 3
        return function(a, axis=(0 if a.ndim in (0, 1, 3) else 1) if dim is None else dim)

    return meaning


def _logsumexp(a: Any, dim: int, keepdim: bool = False) -> Any:
    found = fused.logsumexp(a, axis=dim)
    return np.expand_dims(found, dim) if keepdim else found


def _layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    away = x - np.mean(x, axis=axes, keepdims=True)
    found = away / np.sqrt(np.mean(away**2, axis=axes, keepdims=True) + eps)
    found = found if weight is None else found * weight
    return found if bias is None else found + bias


# Losses.


def _reduced(entries: Meaning) -> Meaning:
    def meaning(a: Any, y: Any, *_: Any, reduction: str = "mean", **options: Any) -> Any:
        if any(value is not None for value in options.values()):
            raise NotImplementedError(f"a loss with {', '.join(options)}")
        found = entries(a, y)
        return {"mean": np.mean, "sum": np.sum, "none": _itself}[reduction](found)

    return meaning


def _nll(logp: Any, y: Any) -> Any:
    return -logp[np.arange(logp.shape[0]), y]


def _cross_entropy(z: Any, y: Any, reduction: str = "mean", **options: Any) -> Any:
    told = {"ignore_index": -100, "label_smoothing": 0.0}
    if any(value != told.get(name) for name, value in options.items()):
        raise NotImplementedError("a weighted cross-entropy")
    logp = fused.log_softmax(z, axis=1)
    found = -np.sum(y * logp, axis=1) if y.ndim == z.ndim else _nll(logp, y)
    return {"mean": np.mean, "sum": np.sum, "none": _itself}[reduction](found)


def _nll_loss(logp: Any, y: Any, reduction: str = "mean", **options: Any) -> Any:
    if options.get("weight") is not None:
        raise NotImplementedError("a weighted loss")
    return {"mean": np.mean, "sum": np.sum, "none": _itself}[reduction](_nll(logp, y))


_bernoulli = _reduced(lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)))
_logistic = _reduced(lambda z, y: elementwise.softplus(z) - y * z)

_PLAIN: dict[str, Meaning] = {
    name: getattr(np, name)
    for name in (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tanh", "sqrt", "square",
        "sign", "maximum", "minimum", "logaddexp", "matmul", "where", "outer", "swapaxes",
        "moveaxis", "logical_and", "logical_or", "logical_not", "trace", "tril", "triu", "diag",
        "diagonal", "ravel", "broadcast_to",
    )
}  # fmt: skip

MEANINGS: dict[str, Meaning] = _PLAIN | {
    "zeros_like": lambda a, **_: np.zeros_like(a),
    "ones_like": lambda a, **_: np.ones_like(a),
    "full_like": lambda a, value, **_: np.full_like(a, value),
    "neg": np.negative, "negative": np.negative, "abs": np.abs, "absolute": np.abs,
    "pow": np.power, "float_power": np.power, "reciprocal": lambda a: 1 / a,
    "rsqrt": lambda a: 1 / np.sqrt(a), "tan": lambda a: np.sin(a) / np.cos(a),
    "sinh": lambda a: (np.exp(a) - np.exp(-a)) / 2, "cosh": lambda a: (np.exp(a) + np.exp(-a)) / 2,
    "add": _scaled(np.add), "sub": _scaled(np.subtract), "subtract": _scaled(np.subtract),
    "rsub": lambda a, b: b - a, "mul": np.multiply, "multiply": np.multiply,
    "div": _divided, "divide": _divided, "true_divide": _divided,
    "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
    "eq": np.equal, "ne": np.not_equal, "greater": np.greater, "less": np.less,
    "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "dot": np.matmul, "ger": np.outer,
    "linear": _linear, "addmm": _addmm, "einsum": _einsum,
    "sum": _over(np.sum), "mean": _over(np.mean), "amax": _over(np.max), "amin": _over(np.min),
    "max": _extreme(np.max, np.argmax, np.maximum), "min": _extreme(np.min, np.argmin, np.minimum),
    "argmax": lambda a, dim=None: np.argmax(a, axis=dim),
    "argmin": lambda a, dim=None: np.argmin(a, axis=dim),
    "var": _spread(np.var), "std": _spread(np.std), "norm": _norm, "vector_norm": _norm,
    "normalize": _cosine_lengths,
    "t": _turned, "numpy_T": np.transpose, "adjoint": lambda a: np.swapaxes(a, -1, -2),
    "transpose": np.swapaxes, "permute": _permute, "view": _reshape, "reshape": _reshape,
    "flatten": _flatten, "squeeze": _squeeze, "unsqueeze": np.expand_dims, "expand": _expand,
    "expand_as": lambda a, b: np.broadcast_to(a, b.shape),
    "view_as": lambda a, b: np.reshape(a, b.shape),
    "reshape_as": lambda a, b: np.reshape(a, b.shape),
    "split": _split, "chunk": _chunk, "gather": _gather,
    "index_select": lambda a, dim, index: np.take(a, index, axis=dim),
    "cat": _joined(np.concatenate), "concat": _joined(np.concatenate),
    "concatenate": _joined(np.concatenate), "stack": _joined(np.stack),
    "hstack": np.hstack, "vstack": np.vstack,
    "new_zeros": _made(np.zeros), "new_ones": _made(np.ones), "new_empty": _made(np.zeros),
    "clamp": _clamp, "clip": _clamp, "clamp_min": _clamp,
    "clamp_max": np.minimum, "hardtanh": _hardtanh,
    "masked_fill": _masked_fill, "sigmoid": elementwise.sigmoid, "relu": _entry(elementwise.relu),
    "relu6": _entry(lambda a: np.clip(a, 0, 6)), "leaky_relu": _leaky_relu, "elu": _elu,
    "silu": _entry(lambda a: a * elementwise.sigmoid(a)), "gelu": _gelu, "softplus": _softplus,
    "mish": _entry(lambda a: a * np.tanh(elementwise.softplus(a))),
    "logsigmoid": lambda a: -elementwise.softplus(-a),
    "softsign": lambda a: a / (1 + np.abs(a)), "tanhshrink": lambda a: a - np.tanh(a),
    "softmax": _along(fused.softmax), "log_softmax": _along(fused.log_softmax),
    "softmin": _along(lambda a, axis: fused.softmax(-a, axis=axis)), "logsumexp": _logsumexp,
    "layer_norm": _layer_norm,
    "mse_loss": _reduced(lambda a, y: (a - y) ** 2),
    "l1_loss": _reduced(lambda a, y: np.abs(a - y)),
    "cross_entropy": _cross_entropy, "nll_loss": _nll_loss, "binary_cross_entropy": _bernoulli,
    "binary_cross_entropy_with_logits": _logistic,
    "one_hot": _one_hot,
}  # fmt: skip

# What gives the same numbers again, in another place, type or memory.
MEANINGS |= dict.fromkeys(
    ("clone", "detach", "contiguous", "double", "float", "to", "type", "type_as", "cpu", "cuda",
     "requires_grad_", "long", "bool", "alias", "positive", "resolve_conj"),
    _itself,
)  # fmt: skip
