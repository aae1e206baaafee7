"""What a network is judged by: the losses by name, or a formula in `output` and `target`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from backpass.calculus import losses
from backpass.calculus.library import FUNCTIONS
from backpass.forward.formula import free_names, run
from backpass.language.errors import BackpassError, UnknownName, nearest

Targets = Literal["classes", "shares", "numbers"]  # labels; a share between 0 and 1; anything


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss as a function of what the network gives and what it should have given.

    `targets` says what the second may hold, and `sums` that samples are added, not averaged.
    `decided` is the output above which a single unit says yes. `takes_logits` names the loss for
    outputs that are probabilities already, made by the activation `squashes`.
    """

    name: str
    function: Callable[[Any, Any], Any]
    targets: Targets = "numbers"
    sums: bool = False
    decided: float = 0.5
    takes_logits: str = ""
    squashes: str = ""


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("half_sum_of_squares", losses.half_sum_of_squares, sums=True),
        Loss("sum_of_squares", losses.sum_of_squares, sums=True),
        Loss("mse", losses.mse),
        Loss("mae", losses.mae),
        Loss("huber", losses.huber),
        Loss(
            "cross_entropy",
            losses.cross_entropy,
            "classes",
            takes_logits="cross_entropy_from_probabilities",
            squashes="softmax",
        ),
        Loss(
            "cross_entropy_from_probabilities", losses.cross_entropy_from_probabilities, "classes"
        ),
        Loss(
            "binary_cross_entropy",
            losses.binary_cross_entropy,
            "shares",
            decided=0.0,
            takes_logits="binary_cross_entropy_from_probabilities",
            squashes="sigmoid",
        ),
        Loss(
            "binary_cross_entropy_from_probabilities",
            losses.binary_cross_entropy_from_probabilities,
            "shares",
        ),
    )
}


def find_loss(text: str) -> Loss:
    """The loss of this name, else the one that the formula states.

    In a formula, such as `½ Σ (output − target)²`, both are matrices, a row for each sample.
    Raises UnknownName for a name that no loss has, and for a formula that speaks of other
    quantities; NotationError for one that cannot be read.
    """
    if text in LOSSES:
        return LOSSES[text]
    if not isinstance(text, str) or text.isidentifier():
        raise UnknownName(
            f"there is no loss {text!r}{nearest(str(text), LOSSES)}; there are "
            f"{', '.join(LOSSES)}, or a formula in output and target"
        )
    given = ("output", "target")
    names = free_names(text, FUNCTIONS, given)
    for name in (*names, *given):
        if name not in given or name not in names:
            says = "says nothing of" if name in given else "speaks of"
            raise UnknownName(
                f"the loss {says} {name}; it is a formula in output and target", line=text
            )

    def formula(output: Any, target: Any) -> Any:
        values = {"output": output, "target": target}
        return run(text, values, FUNCTIONS)[-1].value

    return Loss(text, formula, sums=_adds_up(formula))


def _adds_up(loss: Callable[[Any, Any], Any]) -> bool:
    """Whether the samples of a batch are added: then twice the same samples count twice."""
    output, target = np.array([[0.7]]), np.array([[0.2]])
    try:
        with np.errstate(all="ignore"):
            once, twice = (loss(np.tile(output, n), np.tile(target, n)) for n in ((1, 1), (2, 1)))
            return bool(np.isclose(twice, 2 * once) and not np.isclose(once, 0))
    except (BackpassError, ValueError):
        return False  # what is wrong with it is said when it is derived
