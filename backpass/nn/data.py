"""Real data that ships in the package, and the holding out of a part of it."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError

Samples = tuple[NDArray[Any], NDArray[Any]]


def load_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return 1,797 handwritten digits, each seen through a window of 8×8 pixels.

    Returns
    -------
    images : (1797, 64) float64, from 0 (paper) to 1 (ink), the rows of a picture one after another
    labels : (1797,) int64, the digit 0…9 that the writer meant

    The data are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
    C. Kaynak (UCI Machine Learning Repository, doi 10.24432/C50P49), licensed CC BY 4.0.
    """
    with (
        files("backpass.nn").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return stored["images"] / 16.0, stored["labels"].astype(np.int64)


def split(
    X: NDArray[Any], y: NDArray[Any], held_out: float = 0.25, seed: int = 0
) -> tuple[Samples, Samples]:
    """Shuffle the samples and hold out a part of them, to be judged on what was never seen.

    ``(X, y), (X_held, y_held) = split(X, y)``: of n samples, ceil(held_out·n) are held out.
    The same seed gives the same parts on every machine.

    Parameters
    ----------
    X, y : (n, …) arrays, whose first axis counts the samples
    held_out : the share that is held out, between 0 and 1, both excluded
    seed : of the shuffle

    Raises
    ------
    ShapeError
        X and y do not have the same number of samples.
    BackpassError
        One of the two parts would be empty.
    """
    if len(X) != len(y):
        raise ShapeError(f"X has {len(X)} samples and y has {len(y)}; give one y for each X")
    held = math.ceil(held_out * len(X)) if 0 < held_out < 1 else 0
    if not 0 < held < len(X):
        within = "give at least two samples" if len(X) < 2 else "choose a smaller share"
        advice = within if 0 < held_out < 1 else "choose a share between 0 and 1"
        raise BackpassError(
            f"held_out={held_out} of {len(X)} samples leaves one part empty; {advice}"
        )
    order = np.random.default_rng(seed).permutation(len(X))
    return (X[order[held:]], y[order[held:]]), (X[order[:held]], y[order[:held]])
