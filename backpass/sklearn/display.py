"""Pictures of fitted estimators, made and drawn as scikit-learn's displays are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from backpass.language.errors import BackpassError, ShapeError

ACROSS = 10  # pictures in a row


class LossCurveDisplay:
    """The loss of every iteration, and beside it the score of early stopping, where there is one.

    After `plot`, `ax_` and `figure_` hold what was drawn on, `line_` the loss and `score_line_`
    the score.
    """

    def __init__(
        self,
        *,
        loss_curve: Sequence[float],
        validation_scores: Sequence[float] | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_scores = validation_scores
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, name: str | None = None, **kwargs: Any
    ) -> LossCurveDisplay:
        """Draw the curve of a fitted estimator; `kwargs` go to matplotlib's `plot`."""
        check_is_fitted(estimator)
        if not hasattr(estimator, "loss_curve_"):
            raise BackpassError(
                f"solver={estimator.solver!r} keeps no curve of its loss; fit with adam or sgd"
            )
        display = cls(
            loss_curve=estimator.loss_curve_,
            validation_scores=estimator.validation_scores_,
            estimator_name=type(estimator).__name__ if name is None else name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, name: str | None = None, **kwargs: Any) -> LossCurveDisplay:
        """Draw it, into `ax` where that is given."""
        self.ax_ = _axes() if ax is None else ax
        self.figure_ = self.ax_.figure
        label = self.estimator_name if name is None else name
        iterations = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = self.ax_.plot(iterations, self.loss_curve, label=label, **kwargs)
        self.ax_.set(xlabel="iteration", ylabel="loss")
        lines = [self.line_]
        if self.validation_scores:
            beside = self.ax_.twinx()
            scored = iterations[-len(self.validation_scores) :]
            (self.score_line_,) = beside.plot(
                scored, self.validation_scores, linestyle="--",
                color=self.line_.get_color(), label="validation score",
            )  # fmt: skip
            beside.set_ylabel("validation score")
            lines.append(self.score_line_)
        if label is not None:
            free = "center right" if self.validation_scores else "best"  # of one falls, one rises
            self.ax_.legend(handles=lines, loc=free)
        return self


class WeightsDisplay:
    """What each unit of the first hidden layer looks for: its weights as a picture.

    After `plot`, `figure_` holds the pictures and `images_` each of them.
    """

    def __init__(self, *, weights: NDArray[Any], shape: tuple[int, int]) -> None:
        self.weights = weights
        self.shape = shape

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, shape: tuple[int, int], units: int = 30, **kwargs: Any
    ) -> WeightsDisplay:
        """Draw the first `units` of a fitted estimator, whose samples are pictures of `shape`."""
        check_is_fitted(estimator)
        weights = estimator.coefs_[0]
        if math.prod(shape) != len(weights):
            raise ShapeError(
                f"shape={shape} is {math.prod(shape)} numbers, and a sample has {len(weights)}; "
                "give the height and width of a sample"
            )
        return cls(weights=weights[:, :units], shape=shape).plot(**kwargs)

    def plot(self, **kwargs: Any) -> WeightsDisplay:
        """Draw them, on one scale around zero; `kwargs` go to matplotlib's `imshow`."""
        from matplotlib import pyplot as plt

        count = self.weights.shape[1]
        across = min(count, ACROSS)
        down = -(-count // across)
        self.figure_, axes = plt.subplots(
            down, across, squeeze=False, figsize=(across, down), layout="constrained"
        )
        largest = np.abs(self.weights).max()
        given = {"cmap": "RdBu", "vmin": -largest, "vmax": largest, **kwargs}
        for ax in axes.flat:
            ax.axis("off")
        self.images_ = [
            ax.imshow(one.reshape(self.shape), **given)
            for ax, one in zip(axes.flat, self.weights.T, strict=False)
        ]
        return self


def _axes() -> Any:
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained")[1]
