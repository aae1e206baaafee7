"""What a network is judged by: the losses by name, or a formula in `output` and `target`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np

from backpass.calculus import losses
from backpass.calculus.fused import logsumexp
from backpass.calculus.library import FUNCTIONS
from backpass.language.errors import BackpassError, DerivationError, UnknownName, nearest
from backpass.nn.weighing import weighted

FORMULAS = 64  # that a process remembers
Targets = Literal["classes", "shares", "numbers"]  # labels; a share between 0 and 1; anything


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss as a function of what the network gives and what it should have given.

    `targets` says what the second may hold, and `sums` that samples are added, not averaged.
    `decided` is the output above which a single unit says yes. `takes_logits` names the loss for
    outputs that are probabilities already, made by the activation `squashes`. `weighted` is the
    loss where samples count unequally: a mean over samples becomes the mean by their weights. It
    is None for a formula that neither adds up what its samples cost nor averages it.
    """

    name: str
    function: Callable[[Any, Any], Any]
    weighted: Callable[[Any, Any, Any], Any] | None = None
    targets: Targets = "numbers"
    sums: bool = False
    decided: float = 0.5
    takes_logits: str = ""
    squashes: str = ""


def _of_numbers(entry: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """A mean over all entries, in which a sample's entries count by its weight."""

    def mean(output: Any, target: Any, weight: Any) -> Any:
        total = np.sum(weight)
        return np.sum(weight[:, None] * entry(output, target)) / (total * output.shape[1])

    return mean


def _of_logits(output: Any, target: Any, weight: Any) -> Any:
    """The cross-entropy of labels, or of shares that sum to 1, averaged by weight."""
    total = np.sum(weight)
    if target.ndim == 1:
        true = output[np.arange(len(output)), target]
    else:
        true = np.sum(target * output, axis=1)
    return np.sum(weight * (logsumexp(output, axis=1) - true)) / total


def _of_probabilities(output: Any, target: Any, weight: Any) -> Any:
    """The same of outputs that are probabilities already."""
    total = np.sum(weight)
    if target.ndim == 1:
        return -np.sum(weight * np.log(output[np.arange(len(output)), target])) / total
    return -np.sum(weight[:, None] * target * np.log(output)) / total


def _half(output: Any, target: Any, weight: Any) -> Any:
    return np.sum(weight[:, None] * (output - target) ** 2) / 2


def _whole(output: Any, target: Any, weight: Any) -> Any:
    return np.sum(weight[:, None] * (output - target) ** 2)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("half_sum_of_squares", losses.half_sum_of_squares, _half, sums=True),
        Loss("sum_of_squares", losses.sum_of_squares, _whole, sums=True),
        Loss("mse", losses.mse, _of_numbers(lambda a, y: (a - y) ** 2)),
        Loss("mae", losses.mae, _of_numbers(lambda a, y: np.abs(a - y))),
        Loss("huber", losses.huber, _of_numbers(lambda a, y: losses.huber_entry(a - y, 1.0))),
        Loss(
            "cross_entropy",
            losses.cross_entropy,
            _of_logits,
            "classes",
            takes_logits="cross_entropy_from_probabilities",
            squashes="softmax",
        ),
        Loss(
            "cross_entropy_from_probabilities",
            losses.cross_entropy_from_probabilities,
            _of_probabilities,
            "classes",
        ),
        Loss(
            "binary_cross_entropy",
            losses.binary_cross_entropy,
            _of_numbers(losses.logistic_loss),
            "shares",
            decided=0.0,
            takes_logits="binary_cross_entropy_from_probabilities",
            squashes="sigmoid",
        ),
        Loss(
            "binary_cross_entropy_from_probabilities",
            losses.binary_cross_entropy_from_probabilities,
            _of_numbers(losses.bernoulli_loss),
            "shares",
        ),
    )
}

# A probability that is rounded to 0 or 1 has no logarithm that a step could learn from, so the loss
# of probabilities that an activation made looks at what it made them of: name, activation -> loss.
LOGITS = {(one.takes_logits, one.squashes): one for one in LOSSES.values() if one.takes_logits}


def find_loss(text: str) -> Loss:
    """The loss of this name, else the one that the formula states.

    In a formula, such as `½ Σ (output − target)²`, both are matrices, a row for each sample.
    Raises UnknownName for a name that no loss has, and for a formula that speaks of other
    quantities; NotationError for one that cannot be read.
    """
    if text in LOSSES:
        return LOSSES[text]
    if not isinstance(text, str) or text.isidentifier():
        known = f"; there are {', '.join(LOSSES)}, or a formula in output and target"
        raise UnknownName(f"there is no loss {text!r}{nearest(str(text), LOSSES) or known}")
    from backpass.forward.formula import free_names  # most losses have a name

    given = ("output", "target")
    names = free_names(text, FUNCTIONS, given)
    for name in (*names, *given):
        if name not in given or name not in names:
            says = "says nothing of" if name in given else "speaks of"
            known = (*given, *FUNCTIONS) if f"{name}(" in text.replace(" ", "") else given
            meant = "" if name in given else nearest(name, known)
            told = meant or "; it is a formula in output and target"
            raise UnknownName(f"the loss {says} {name}{told}", line=text)

    return _stated(text)


@lru_cache(FORMULAS)
def _stated(text: str) -> Loss:
    """The loss that a formula states."""
    from backpass.forward.formula import run

    def formula(functions: Mapping[str, Any], output: Any, target: Any) -> Any:
        return run(text, {"output": output, "target": target}, functions)[-1].value

    loss = partial(formula, FUNCTIONS)
    _refuse_many(text, loss)
    sums = _adds_up(loss)
    known = {name: one.weighted for name, one in LOSSES.items() if one.weighted is not None}
    return Loss(text, loss, weighted(formula, FUNCTIONS, known, sums), sums=sums)


def _refuse_many(text: str, loss: Callable[[Any, Any], Any]) -> None:
    """Raise DerivationError for a formula that has a number for each output, as `(o − t)²` has."""
    try:
        with np.errstate(all="ignore"):
            shape = np.shape(loss(np.full((3, 2), 0.7), np.full((3, 2), 0.2)))
    except (BackpassError, ValueError):
        return  # what is wrong with it is said when it is derived
    if shape:
        raise DerivationError(
            "the loss has to be one number for all samples, and this is one for each; write "
            f"sum({text}), or mean({text})",
            line=text,
        )


def _adds_up(loss: Callable[[Any, Any], Any]) -> bool:
    """Whether the samples of a batch are added: then twice the same samples count twice."""
    output, target = np.array([[0.7]]), np.array([[0.2]])
    try:
        with np.errstate(all="ignore"):
            once, twice = (loss(np.tile(output, n), np.tile(target, n)) for n in ((1, 1), (2, 1)))
            return bool(np.isclose(twice, 2 * once) and not np.isclose(once, 0))
    except (BackpassError, ValueError):
        return False  # what is wrong with it is said when it is derived
