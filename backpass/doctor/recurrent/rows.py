"""Gradients of an unrolled network: what each step adds, and each known mistake in adding it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.gradient_mistakes import BIASES, WEIGHTS
from backpass.doctor.recurrent.through_time import Taken
from backpass.doctor.recurrent.ways import WORDS, Words

Array = NDArray[np.float64]
Terms = Callable[[Taken], list[Array]]


@dataclass(frozen=True, slots=True)
class Row:
    """What one tensor's gradient is added up from, step by step; `bug` 0 where it is right."""

    terms: Terms
    bug: int | None = 0
    name: str = ""
    says: str = ""
    fix: str = ""
    whole: Callable[[Taken], Array | None] | None = None  # where it is no sum over the steps

    def total(self, at: Taken) -> Array | None:
        if self.whole is None:
            return np.sum(self.terms(at), axis=0)
        with np.errstate(all="ignore"):
            return self.whole(at)


def _of(into: Callable[[Taken, int], Array | None]) -> Terms:
    """Products of what went in with ∂L/∂Z, where there is something."""

    def terms(at: Taken) -> list[Array]:
        found: list[Array] = []
        for t, dz in enumerate(at.dz):
            value = into(at, t)
            found.append(np.zeros((0, 0)) if value is None else value.T @ dz)
        like = next(one for one in found if one.size)
        return [one if one.size else np.zeros_like(like) for one in found]

    return terms


def _shifted(
    values: Callable[[Taken], list[Array]], by: int, end: Literal["none", "around", "own"] = "none"
) -> Terms:
    """Products with what went in some steps from there.

    Before the first there is `none`, or the last where an index goes `around`, or the first's own.
    """

    def into(at: Taken, t: int) -> Array | None:
        found = values(at)
        match end:
            case "none":
                return found[t + by] if 0 <= t + by < len(found) else None
            case "around":
                return found[(t + by) % len(found)]
            case "own":
                return found[min(max(t + by, 0), len(found) - 1)]

    return _of(into)


RIGHT: dict[str, Row] = {
    "Wx": Row(_shifted(lambda at: at.one.x, 0)),
    "Wh": Row(_shifted(lambda at: at.one.h, 0)),
    "b": Row(lambda at: [dz.sum(axis=0) for dz in at.dz]),
}
_PRODUCT = "h_{t−1}.T @ dZ_{t}, added up over the steps"
SHIFTED: dict[str, tuple[Row, ...]] = {
    "Wh": (
        Row(_shifted(lambda at: at.one.h, 1), 60, "h of the same step for that before",
            "the gradient of {W} is made with h_{t}, the state after the step; what met {W} there "
            "is h_{t−1}", _PRODUCT),
        Row(_shifted(lambda at: at.one.h, -1), 60, "a state one step too early",
            "the gradient of {W} is made with h_{t−2}; what met {W} at step t is h_{t−1}",
            _PRODUCT),
    ),
    "Wx": (
        Row(_shifted(lambda at: at.one.x, 1), 60, "the inputs of the step after",
            "the gradient of {W} is made with the inputs of step t + 1", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, -1), 60, "the inputs of the step before",
            "the gradient of {W} is made with the inputs of step t − 1", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, -1, "around"), 60, "the inputs of the step before",
            "the gradient of {W} is made with the inputs of step t − 1, and at the first step with "
            "those of the last", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, -1, "own"), 60, "the inputs of the step before",
            "the gradient of {W} is made with the inputs of step t − 1, and at the first step with "
            "its own", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, 1, "own"), 60, "the inputs of the step after",
            "the gradient of {W} is made with the inputs of step t + 1, and at the last step with "
            "its own", "x_{t}.T @ dZ_{t}"),
    ),
}  # fmt: skip


def _sums(begun: Callable[[Taken], Array | None]) -> Terms:
    """Products with the sums that each state was made of; before the first step, what is given."""

    def into(at: Taken, t: int) -> Array | None:
        return at.one.Z[t - 1] if t else begun(at)

    return _of(into)


def _wrapped(at: Taken) -> Array:
    """The sums of the last inputs and the last state, which an index of −1 finds."""
    W, b = at.one.weights, at.one.weights.get("b")
    return at.one.x[-1] @ W["Wx"] + at.one.h[-1] @ W["Wh"] + (0 if b is None else b.ravel())


# what an author finds where there is no step before the first
_SUMS: tuple[Callable[[Taken], Array | None], ...] = (
    lambda at: None, lambda at: at.one.h[0], lambda at: at.one.Z[-1], _wrapped,
)  # fmt: skip


def _last_of_each(alone: bool, last: bool) -> Callable[[Taken], Array | None]:
    """The gradient of Wx where each letter keeps what one step of it has set."""

    def whole(at: Taken) -> Array | None:
        rows, dz = np.concatenate(at.one.x), at.alone if alone else at.dz
        if len(at.one.x[0]) > 1 or not np.all(np.sort(rows) == np.eye(rows.shape[1])[-1]):
            return None  # only letters stand for one row each
        steps = np.argmax(rows, axis=1)
        found = np.zeros((rows.shape[1], dz[0].shape[1]))
        for t in range(len(steps)) if last else reversed(range(len(steps))):
            found[steps[t]] = dz[t][0]
        return found

    return whole


def outer_rows() -> Iterator[Row]:
    """Gradients of the outputs' weight that are made with states of other steps."""
    for by, word in ((-1, "h_{t−1}"), (1, "h_{t+1}")):

        def terms(at: Taken, by: int = by) -> list[Array]:
            h, steps = at.one.h, at.one.steps
            return [
                h[min(max(t + 1 + by, 0), steps)].T @ error
                for t, error in enumerate(at.errors)
                if error is not None
            ]

        yield Row(
            terms, 60, "h of another step for the outputs",
            f"the gradient of {{W}} is made with {word}; the outputs of step t are of h_{{t}}",
            "h_{t}.T @ error_{t}",
        )  # fmt: skip


def rows(tensor: str) -> Iterator[Row]:
    """Mistaken gradients of one tensor, where ∂L/∂Z is given."""
    right = RIGHT[tensor]
    yield Row(
        lambda at: [0.0 * term for term in right.terms(at)],
        36 if tensor.startswith("W") else 37, "never trained", "{W} is never updated",
        "subtract rate × its gradient",
    )  # fmt: skip
    yield from SHIFTED.get(tensor, ())
    fix = "add up what every step has"
    cuts: tuple[tuple[int, str, str, slice], ...] = (
        (49, "overwritten where it should be added up",
         "only the first step counts for {W}: each turn overwrites what the others left",
         slice(1)),
        (49, "overwritten where it should be added up",
         "only the last step counts for {W}: each turn overwrites what the others left",
         slice(-1, None)),
        (60, "the first step is left out", "the first step does not count for {W}", slice(1, None)),
        (60, "the last step is left out", "the last step does not count for {W}", slice(-1)),
    )  # fmt: skip
    for bug, name, says, cut in cuts:
        terms = _cut(right.terms, cut)
        yield Row(terms, bug, name, says, fix)
    for begun in _SUMS if tensor == "Wh" else ():
        yield Row(
            _sums(begun), 26, "z is used for h in the gradient",
            "the gradient of {W} is made with Z_{t−1}; what met {W} is h_{t−1}", _PRODUCT,
        )  # fmt: skip
    for alone in (False, True) if tensor == "Wx" else ():
        for last in (False, True):
            yield Row(
                right.terms, 49, "overwritten where it should be added up",
                "where an input comes again, {W} keeps for it what one step has set, and not the "
                "sum", fix, _last_of_each(alone, last),
            )  # fmt: skip
    words = Words(WORDS, W="{W}", b="{W}", A_in="h_{t−1}" if tensor == "Wh" else "x_{t}")
    layer = "Wh" if tensor == "Wh" else "Wx"
    for one in BIASES if tensor == "b" else WEIGHTS:
        if one.bug not in (36, 37):
            yield Row(
                right.terms, one.bug, one.name, one.says.format_map(words), _SUMMED[tensor],
                lambda at, one=one: one.value(at.all_steps(layer)),
            )  # fmt: skip


_SUMMED = {
    "Wx": "x_{t}.T @ dZ_{t}, added up over the steps", "Wh": _PRODUCT,
    "b": "dZ_{t}, added up over steps and sequences",
}  # fmt: skip


def _cut(terms: Terms, cut: slice) -> Terms:
    def found(at: Taken) -> list[Array]:
        every = terms(at)
        return every[cut] or [np.zeros_like(every[0])]

    return found
