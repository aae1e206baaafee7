"""What a wrong gradient of one function may be: every known way to make it, held to its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.scales import known_factors

Array = NDArray[np.float64]
CLOSE = 1e-6
INCOMING = "grad_output"


@dataclass(frozen=True)
class Trial:
    """One run: what went in and came out, what is right, and what was returned for one input."""

    inputs: Mapping[str, Array]
    outputs: tuple[Array, ...]
    incoming: tuple[Array, ...]
    right: Mapping[str, Array]
    ones: Mapping[str, Array]  # the gradient for an incoming one of ones
    given: Array
    name: str

    @property
    def wanted(self) -> Array:
        return self.right[self.name]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A mistake that makes these numbers; `bug` is its number in the catalogue, if it has one."""

    bug: int | None
    name: str
    says: str
    fix: str


def close(one: Array, other: Array) -> bool:
    """Whether two arrays are one, up to what differences round away."""
    if one.shape != other.shape or not np.isfinite(one).all():
        return False
    return bool(np.linalg.norm(one - other) <= CLOSE * (np.linalg.norm(other) + 1e-12))


def suspect(trials: Sequence[Trial]) -> Suspect | None:
    """The first mistake that makes what was returned in every run."""
    found = [list(_suspects(one)) for one in trials]
    for one in found[0]:
        if all(any(other.name == one.name and other.says == one.says for other in rest)
               for rest in found[1:]):  # fmt: skip
            return one
    return None


def _suspects(one: Trial) -> Iterator[Suspect]:
    given, wanted, name = one.given, one.wanted, one.name
    for other, value in one.right.items():
        if other != name and close(given, value):
            yield Suspect(
                35, "gradients in another order", f"this is the gradient of {other}, not of {name}",
                "return gradients in the order of forward's inputs",
            )  # fmt: skip
    if given.shape != wanted.shape:
        yield from _shapes(one)
        return
    if not np.any(given) and np.any(wanted):
        yield Suspect(36, "never trained", f"the gradient of {name} is 0", "its derivative")
    yield from _scales(one)
    if wanted.ndim == 2 and given.shape == wanted.T.shape and close(given, wanted.T):
        yield Suspect(28, "the gradient is transposed", f"d{name} is transposed", f"d{name}.T")
    if close(given, one.ones[name]):
        yield Suspect(
            None, f"{INCOMING} is left out",
            f"what comes back from above, {INCOMING}, is not used: this is the derivative of the "
            "sum of the outputs", f"the derivative times {INCOMING}, as the chain rule asks",
        )  # fmt: skip
    yield from _slopes(one)
    yield from _products(one)
    yield from _factors(one)


def _shapes(one: Trial) -> Iterator[Suspect]:
    given, wanted, name = one.given, one.wanted, one.name
    sizes = f"{_shape(given)} was returned, and {name} is {_shape(wanted)}"
    if given.T.shape == wanted.shape and close(given.T, wanted):
        yield Suspect(28, "the gradient is transposed", f"{sizes}: it is transposed", f"d{name}.T")
    summed = _summed(given, wanted)
    if summed is not None and close(summed, wanted):
        yield Suspect(
            38, "not summed over the batch",
            f"{sizes}: {name} was used for every row, and the rows are not added up",
            f"d{name}.sum(0), over every axis that {name} does not have",
        )  # fmt: skip
    if given.size == 1 and close(given.reshape(()), np.asarray(wanted.sum())):
        yield Suspect(39, "summed to a scalar", f"{sizes}: it is summed too far", "keep its axes")
    yield Suspect(None, "another shape", sizes, f"an array of the shape of {name}")


def _summed(given: Array, wanted: Array) -> Array | None:
    """A gradient added up over the axes along which its input was copied."""
    if given.ndim < wanted.ndim:
        return None
    extra = given.ndim - wanted.ndim
    shape = (1,) * extra + wanted.shape
    axes = tuple(n for n, size in enumerate(shape) if size == 1 and given.shape[n] != 1)
    found = given.sum(axis=axes, keepdims=True)
    return found.reshape(wanted.shape) if found.size == wanted.size else None


def _scales(one: Trial) -> Iterator[Suspect]:
    given, wanted = one.given, one.wanted
    length = float(np.sum(wanted * wanted))
    scale = float(np.sum(given * wanted)) / length if length else 0.0
    if not scale or not close(given, scale * wanted):
        return
    if np.isclose(scale, -1):
        yield Suspect(1, "the sign is flipped", f"d{one.name} has the other sign", f"-d{one.name}")
        return
    rows = one.outputs[0] if one.outputs[0].ndim else given
    n = rows.shape[0] if rows.ndim else 1
    m = one.outputs[0].shape[-1] if one.outputs[0].ndim > 1 else 1
    bug, text = next(
        ((bug, text) for value, bug, text in known_factors((n, m)) if np.isclose(scale, value)),
        (4, f"{scale:.5g}"),
    )
    yield Suspect(
        bug, f"a factor {text}", f"d{one.name} is {text} times the derivative",
        f"divide d{one.name} by {text}",
    )  # fmt: skip


def _shape(array: Array) -> str:
    return "×".join(map(str, array.shape)) or "a number"


# ── functions of single entries ──────────────────────────────────────────────────────────────


def _slopes(one: Trial) -> Iterator[Suspect]:
    """What stands in the place of f′, for an output as large as the input."""
    x, y = one.inputs[one.name], one.outputs[0]
    if x.shape != y.shape or len(one.incoming) != 1:
        return
    G, name = one.incoming[0], one.name
    if not close(one.wanted, G * one.ones[name]):
        return  # entries depend on each other
    titles = {
        16: "f′ is missing", 19: "a(1 − a) code is given z", 58: "f′ returns f",
        23: "tanh′ = 1 − a", 18: "f′(z) code is given a", 24: "f′ is applied twice",
        55: "ReLU is applied to the gradient",
    }  # fmt: skip
    with np.errstate(all="ignore"):
        slope = one.wanted / G
        candidates: list[tuple[int | None, Array, str]] = [
            (16, np.ones_like(x), f"{INCOMING} itself"),
            (19, x * (1 - x), f"{INCOMING} * {name} * (1 - {name})"),
            (23, 1 - y, f"{INCOMING} * (1 - out)"),
            (58, y, f"{INCOMING} * out"),
            (24, slope**2, f"{INCOMING} * f′² "),
            (18, _logistic(y), f"{INCOMING} * σ′(out)"),
            (18, 1 - np.tanh(y) ** 2, f"{INCOMING} * tanh′(out)"),
            (None, y * (1 - y), f"{INCOMING} * out * (1 - out)"),
            (None, 1 - y**2, f"{INCOMING} * (1 - out²)"),
            (None, 1 - x**2, f"{INCOMING} * (1 - {name}²)"),
            (None, x, f"{INCOMING} * {name}"),
            (55, np.where(G > 0, 1.0, 0.0), f"max({INCOMING}, 0)"),
        ]
        for bug, factor, text in candidates:
            if close(one.given, G * factor):
                title = titles.get(bug or 0, "another slope")
                yield Suspect(bug, title, f"it returns {text.strip()}", _right_slope(one))


def _right_slope(one: Trial) -> str:
    x, y, G, name = one.inputs[one.name], one.outputs[0], one.incoming[0], one.name
    with np.errstate(all="ignore"):
        for text, factor in (
            ("out * (1 - out)", y * (1 - y)), ("(1 - out**2)", 1 - y**2), (f"({name} > 0)", x > 0),
            ("out", y), (f"2 * {name}", 2 * x), (f"1 / {name}", 1 / x), (f"cos({name})", np.cos(x)),
        ):  # fmt: skip
            if close(one.wanted, G * factor):
                return f"{INCOMING} * {text}"
    return f"{INCOMING} * f′({name})"


def _logistic(z: Array) -> Array:
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)


# ── products ─────────────────────────────────────────────────────────────────────────────────


def _products(one: Trial) -> Iterator[Suspect]:
    """Matrix products and entrywise ones of what there is, if one of them is right."""
    made = list(_made(one))
    right = next((text for text, value in made if close(value, one.wanted)), None)
    for text, value in made:
        if close(value, one.given):
            bug = 30 if right is not None and _turned(text, right) else None
            name = "W is not transposed going back" if bug else "another product"
            fix = right or f"the derivative by {one.name}"
            yield Suspect(bug, name, f"it returns {text}", fix)


def _turned(text: str, right: str) -> bool:
    return text.replace(".T", "") == right.replace(".T", "")


def _made(one: Trial) -> Iterator[tuple[str, Array]]:
    named = {INCOMING: one.incoming[0], **one.inputs}
    ways = [
        (text, value)
        for name, array in named.items()
        if array.ndim == 2
        for text, value in ((name, array), (f"{name}.T", array.T))
    ]
    for (left, a), (right, b) in product(ways, repeat=2):
        if INCOMING in left or INCOMING in right:
            if a.shape[1] == b.shape[0]:
                yield f"{left} @ {right}", a @ b
            if a.shape == b.shape and left < right:
                yield f"{left} * {right}", a * b


def _factors(one: Trial) -> Iterator[Suspect]:
    """One factor too many or too few, among what there is."""
    named = {**one.inputs, "out": one.outputs[0], "(1 - out)": 1 - one.outputs[0]}
    for text, value in named.items():
        if value.shape not in (one.wanted.shape, ()):
            continue
        if close(one.given * value, one.wanted):
            yield Suspect(None, f"the factor {text} is missing", f"d{one.name} lacks {text}",
                          f"d{one.name} * {text}")  # fmt: skip
        if close(one.given, one.wanted * value):
            yield Suspect(None, f"the factor {text} is too much",
                          f"d{one.name} is multiplied with {text} once more than it should be",
                          f"d{one.name} without {text}")  # fmt: skip
