"""What a network is given, looked at before it is used: one sentence for everything that is wrong.

Samples stand as the network's convention says, as rows or as columns; one sample is a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.architecture import Architecture

Array = NDArray[Any]


@dataclass(frozen=True)
class Samples:
    """Inputs in the network's dtype and convention; `single` when it was one vector."""

    X: Array
    single: bool


def inputs(X: Any, architecture: Architecture, dtype: Any) -> Samples:
    """The inputs of a network; ShapeError for a wrong width, BackpassError for NaN and inf."""
    found = _numbers(X, "X")
    if found.shape == (0,):
        raise BackpassError("X holds no samples; give at least one")
    width = architecture.inputs
    single = found.ndim == 1 and len(found) == width
    if single:
        found = _batch(found, architecture)
    rows = architecture.convention == "rows"
    wanted = f"n×{width}" if rows else f"{width}×n"
    if found.ndim != 2 or found.shape[1 if rows else 0] != width:
        hint = f"give {wanted}, samples as {architecture.convention}, or one sample of {width}"
        if found.shape[::-1] != found.shape and found.ndim == 2 and width in found.shape:
            hint = f"samples are {architecture.convention} here, {wanted}: give X.T"
        elif found.ndim == 1 and width == 1:
            hint = f"give X.reshape({'-1, 1' if rows else '1, -1'})"
        raise ShapeError(f"X is {_shape(found)} and the network takes {width} inputs; {hint}")
    return Samples(_finite(found, "X", dtype), single)


def targets(y: Any, samples: Samples, architecture: Architecture, dtype: Any) -> Array:
    """The targets of these samples: labels as integers, everything else in the network's dtype.

    Raises ShapeError when there is not one target for each output of each sample, BackpassError
    for labels that no output stands for.
    """
    found = _numbers(y, "y")
    if samples.single:
        found = _batch(found, architecture) if found.ndim else found.reshape(1)
    count = samples.X.shape[0 if architecture.convention == "rows" else 1]
    if count == 0:
        raise BackpassError("there are no samples; give at least one")
    if architecture.loss.targets == "classes" and found.ndim < 2:
        return _labels(found, count, architecture)
    outputs = (count, architecture.outputs)
    outputs = outputs if architecture.convention == "rows" else outputs[::-1]
    if found.shape != outputs:
        raise ShapeError(_misfit(found, outputs, architecture))
    found = _finite(found, "y", dtype)
    _shares(found, architecture)
    return found


def refuse_one_class(y: Array, architecture: Architecture) -> None:
    """Raise BackpassError for several targets that are all of the same class."""
    if architecture.loss.targets == "numbers":
        return
    axis = 0 if y.ndim == 1 or architecture.convention == "rows" else 1
    count = y.shape[axis]
    certain = y.ndim == 1 or ((y == 0) | (y == 1)).all()
    if certain and count > 1 and (y == y.take([0], axis=axis)).all():
        same = f"labels are {y[0]}" if y.ndim == 1 else "targets are the same class"
        raise BackpassError(
            f"all {count} {same}: there is nothing to tell apart; give samples of at least two "
            "classes"
        )


def _labels(y: Array, count: int, architecture: Architecture) -> Array:
    classes, loss = architecture.outputs, architecture.loss.name
    if y.shape != (count,):
        raise ShapeError(f"y has {len(y)} labels and X {count} samples; give one label for each")
    if y.dtype.kind == "f":
        raise BackpassError(
            f"y holds {y.dtype} and {loss} takes labels, integers from 0 to {classes - 1}; "
            "if they are whole numbers, give y.astype(int)"
        )
    y = y.astype(np.int64)
    wrong = np.flatnonzero((y < 0) | (y >= classes))
    if wrong.size:
        raise BackpassError(
            f"y[{wrong[0]}] is {y[wrong[0]]}; with {classes} outputs labels run from 0 to "
            f"{classes - 1}"
        )
    return y


def _shares(y: Array, architecture: Architecture) -> None:
    """Targets that are shares lie between 0 and 1, and those of a sample's classes sum to 1."""
    kind, loss = architecture.loss.targets, architecture.loss.name
    if kind == "numbers":
        return
    wrong = np.argwhere((y < 0) | (y > 1))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise BackpassError(
            f"y{list(place)} is {y[place]:g}; targets of {loss} lie between 0 and 1"
        )
    across = 1 if architecture.convention == "rows" else 0
    if kind == "classes":
        totals = y.sum(axis=across)
        wrong = np.flatnonzero(np.abs(totals - 1) > 1e-3)
        if wrong.size:
            raise BackpassError(
                f"the targets of sample {wrong[0]} sum to {totals[wrong[0]]:g}; {loss} takes "
                "shares that sum to 1 over the classes, or integer labels"
            )


def _misfit(y: Array, outputs: tuple[int, ...], architecture: Architecture) -> str:
    rows = architecture.convention == "rows"
    said = f"y is {_shape(y)} and the outputs are {_show(outputs)}"
    count, width = outputs if rows else outputs[::-1]
    if y.shape == (count,) and width == 1:
        return (
            f"{said}, which NumPy would spread to {count}×{count}; "
            f"give y.reshape({'-1, 1' if rows else '1, -1'})"
        )
    if y.shape == (count,) and y.dtype.kind in "iub":
        one_hot = f"np.eye({width})[y]" + ("" if rows else ".T")
        return (
            f'{said}; for labels take loss="cross_entropy", or give {architecture.loss.name} '
            f"one column a class, {one_hot}"
        )
    if y.shape == outputs[::-1]:
        return f"{said}, as samples are {architecture.convention} here; give y.T"
    if architecture.loss.targets == "classes":
        return f"{said}; give {count} integer labels, or a share for every class"
    return f"{said}; give one target for each output of each sample"


def _numbers(values: Any, name: str) -> Array:
    """An array of real numbers; BackpassError for text, None, gaps and what is no array."""
    if hasattr(values, "toarray"):
        raise BackpassError(f"{name} is sparse; give {name}.toarray()")
    if type(values) is not np.ndarray and np.ma.is_masked(values):
        # np.asarray would take what lies below the mask for a number
        place = np.argwhere(np.ma.getmaskarray(values))[0].tolist()
        raise BackpassError(f"{name}{place} is masked; replace it or leave its sample out")
    try:
        found = np.asarray(values)
    except ValueError:
        raise ShapeError(f"the rows of {name} are of different lengths; make them alike") from None
    if found.dtype.kind == "O":
        found = _of_objects(found, name, getattr(values, "columns", None))
    if found.dtype.kind in "US":
        advice = "number its classes, as np.unique(y, return_inverse=True)[1] does"
        raise BackpassError(f"{name} holds text; {advice if name == 'y' else 'give numbers'}")
    if found.dtype.kind not in "fiub":
        raise BackpassError(f"{name} holds {found.dtype}; give real numbers")
    return found


def _of_objects(values: Array, name: str, columns: Any) -> Array:
    """Python numbers as an array; BackpassError for the first that is none, with its column."""
    for place, value in np.ndenumerate(values):
        if not isinstance(value, (bool, int, float, np.number, np.bool_)):
            if not place:
                raise BackpassError(f"{name} is of type {type(value).__name__}; give an array")
            where = f"{name}{list(place)} is {value!r:.40}"
            if columns is not None and len(place) == 2:
                where += f", in column {columns[place[1]]!r:.40}"
            advice = "give an input for each of its values, or leave it out"
            if name == "y":
                advice = "number its classes, as np.unique(y, return_inverse=True)[1] does"
            elif not isinstance(value, str):
                advice = "replace it or leave its sample out"
            raise BackpassError(f"{where}, and no number; {advice}")
    return np.array(values.tolist())


def _finite(values: Array, name: str, dtype: Any) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype, order="C", copy=False)
        if np.isfinite(cast.sum()):  # of which inf and NaN make another; one pass, no memory
            return cast
    good = np.isfinite(cast)
    if not good.all():
        row, column = np.argwhere(~good)[0].tolist()
        value = values[row, column]
        why = f", which {np.dtype(dtype)} cannot hold" if np.isfinite(value) else ""
        raise BackpassError(
            f"{name}[{row}, {column}] is {value}{why} (row {row}, column {column}, from 0); "
            "replace it or leave its sample out"
        )
    return cast


def _batch(vector: Array, architecture: Architecture) -> Array:
    """One sample as a batch of one."""
    return vector[None, :] if architecture.convention == "rows" else vector[:, None]


def _shape(values: Array) -> str:
    return _show(values.shape)


def _show(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"({shape[0]},)"
    return "×".join(map(str, shape)) if shape else "a single number"
