"""What `fit` is asked for, looked at before the first step: options, held-out samples, weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn import samples
from backpass.nn.architecture import Architecture
from backpass.nn.callbacks import EarlyStopping, refuse_no_callback
from backpass.nn.files import append_line, check_writable
from backpass.nn.forward import WEIGHT
from backpass.nn.judge import answers, labels
from backpass.nn.layers import is_count
from backpass.nn.run import Run
from backpass.nn.schedules import is_number

Array = NDArray[Any]
Watcher = Callable[[Run], str | None]


@dataclass(frozen=True)
class Options:
    """The arguments of `fit` besides X and y; refuses what cannot be meant."""

    epochs: int
    batch_size: int
    shuffle: bool
    backend: str
    progress: bool
    validation: Any
    early_stopping: Any
    callbacks: Sequence[Any]
    log: str | Path | None
    sample_weight: Any
    class_weight: Any
    checkpoint: str | Path | None = None
    every: int = 1
    resume: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "every"):
            value = getattr(self, name)
            if not is_count(value):
                raise BackpassError(f"{name}={value!r} is not valid; give a whole number from 1 on")
        if self.every > 1 and self.checkpoint is None:
            raise BackpassError(
                f"every={self.every} says how often a checkpoint is written; give checkpoint=, the "
                "file, too"
            )
        refuse_no_callback(self.callbacks)
        stops = self.early_stopping
        if not (isinstance(stops, (bool, EarlyStopping)) or stops is None or is_count(stops)):
            raise BackpassError(
                f"early_stopping={stops!r} is not valid; give True, a number of epochs to wait, or "
                "bp.EarlyStopping(…)"
            )
        for name in ("log", "checkpoint"):
            path = getattr(self, name)
            if path is not None and not isinstance(path, (str, PathLike)):
                raise BackpassError(f"{name}={path!r:.40} is no file; give its path")
        if self.log is not None:
            check_writable(self.log)
        if self.resume and self.checkpoint is None:
            raise BackpassError("resume=True needs the file to go on from; give checkpoint=…")

    @property
    def stopping(self) -> EarlyStopping | None:
        """When to end early: `True` and a number are short for `EarlyStopping`."""
        match self.early_stopping:
            case None | False:
                return None
            case True:
                return EarlyStopping()
            case EarlyStopping() as given:
                return given
            case patience:
                return EarlyStopping(patience)


@dataclass(frozen=True)
class Data:
    """The samples of a training, and those that were held out of it."""

    X: Array
    y: Array
    weight: Array | None
    held: tuple[Array, Array] | None

    def samples(self) -> dict[str, Array]:
        """What batches are taken of."""
        found = {"X": self.X, "y": self.y}
        return found if self.weight is None else found | {WEIGHT: self.weight}


def prepare(X: Any, y: Any, options: Options, plan: Architecture, dtype: Any, seed: int) -> Data:
    """The data as the network takes them; an error of the family `BackpassError` for any misfit.

    Samples that count nothing are left out, so that no batch is without weight.
    """
    given = samples.inputs(X, plan, dtype)
    goal = samples.targets(y, given, plan, dtype)
    samples.refuse_one_class(goal, plan)
    axis = plan.axis
    _refuse_unseen(options, goal, plan)
    count = given.X.shape[axis]
    weight = _weights(options, goal, count, plan, dtype)
    everyone = np.arange(count)
    held = None
    if isinstance(options.validation, (tuple, list)):
        held = _held(options.validation, plan, dtype)
    elif options.validation is not None and options.validation is not False:
        everyone, apart = _split(options.validation, count, seed)
        held = _taken(given.X, goal, apart, axis)
    if weight is not None:
        everyone = everyone[weight[everyone] > 0]
    if len(everyone) == count:
        return Data(given.X, goal, weight, held)
    own, targets = _taken(given.X, goal, everyone, axis)
    return Data(own, targets, None if weight is None else weight[everyone], held)


def _refuse_unseen(options: Options, goal: Array, plan: Architecture) -> None:
    """Raise BackpassError for early stopping by a curve that this training will not draw."""
    named = options.stopping.monitor if options.stopping else None
    classes = answers(goal, plan.loss, plan.axis) is not None
    held = options.validation is not None and options.validation is not False
    drawn = ["loss", *(["accuracy"] if classes else [])]
    if held:
        drawn += ["val_loss", "val_accuracy" if classes else "val_r2"]
    if named is not None and named not in drawn:
        raise BackpassError(
            f"monitor={named!r} is no curve of this training; there are {', '.join(drawn)}"
            + ("" if held else ", and more with validation=0.2")
        )


def _taken(X: Array, y: Array, places: Array, axis: int) -> tuple[Array, Array]:
    return X.take(places, axis=axis), y.take(places, axis=axis if y.ndim > 1 else 0)


def _held(pair: Sequence[Any], plan: Architecture, dtype: Any) -> tuple[Array, Array]:
    """Validation data that were given."""
    if len(pair) != 2:
        raise BackpassError(
            f"validation holds {len(pair)} arrays; give (X, y) of held-out samples, or a share"
        )
    try:
        given = samples.inputs(pair[0], plan, dtype)
        return given.X, samples.targets(pair[1], given, plan, dtype)
    except BackpassError as error:
        raise type(error)(f"in validation, {error}") from error


def _split(share: Any, count: int, seed: int) -> tuple[Array, Array]:
    """The places of the samples that are trained on, and of those that are held out."""
    real = isinstance(share, (float, np.floating)) and 0 < share < 1
    held = math.ceil(share * count) if real else 0
    if not real or not held < count:
        why = f"of {count} leaves none to train on" if real else "is not valid"
        raise BackpassError(
            f"validation={share!r:.40} {why}; give a share between 0 and 1, or (X, y)"
        )
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def _weights(
    options: Options, y: Array, count: int, plan: Architecture, dtype: Any
) -> Array | None:
    """What each sample counts; None where all count alike."""
    if options.sample_weight is None and options.class_weight is None:
        return None
    if plan.loss.weighted is None:
        raise BackpassError(
            f"the loss {plan.loss_text} neither adds up what its samples cost nor averages it, so "
            "weights have no place in it; let Σ or mean come last, or take a loss by name"
        )
    found = np.ones(count)
    if options.sample_weight is not None:
        found = np.asarray(options.sample_weight)
        if found.shape != (count,) or found.dtype.kind not in "fiub":
            raise ShapeError(
                f"sample_weight is {found.shape} of {found.dtype}; give one number for each of "
                f"the {count} samples"
            )
    if options.class_weight is not None:
        found = found * _of_classes(options.class_weight, y, plan)
    found = found.astype(dtype)
    bad = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if bad.size or not (found > 0).any():
        said = f"of sample {bad[0]} is {found[bad[0]]:g}" if bad.size else "of every sample is 0"
        raise BackpassError(f"the weight {said}; give numbers from 0 on, some above")
    return found


def _of_classes(weights: Any, y: Array, plan: Architecture) -> Array:
    """What the class of each sample counts; "balanced" makes all classes count alike in sum."""
    of = labels(y, plan.loss, plan.axis)
    if of is None:
        raise BackpassError("class_weight needs classes, and the targets are none")
    if isinstance(weights, str):
        if weights != "balanced":
            raise BackpassError(f'class_weight={weights!r} is not known; give "balanced"')
        there, place, counts = np.unique(of, return_inverse=True, return_counts=True)
        return (len(of) / (len(there) * counts))[place]
    if not isinstance(weights, Mapping):
        raise BackpassError(
            f'class_weight={weights!r:.40} is not valid; give "balanced", or {{class: weight}}'
        )
    given: Mapping[Any, Any] = weights
    count = plan.outputs if plan.outputs > 1 else 2
    for name, value in given.items():
        if not isinstance(name, (int, np.integer)) or not 0 <= name < count:
            raise BackpassError(
                f"class_weight speaks of a class {name!r:.40}; the network has classes from 0 to "
                f"{count - 1}"
            )
        if not is_number(value):
            raise BackpassError(f"class_weight[{name}]={value!r:.40} is not valid; give a number")
    return np.array([given.get(label, 1.0) for label in of.tolist()], float)


def watchers(options: Options, run: Run, call: Watcher) -> tuple[Watcher, ...]:
    """What is told of every epoch: who `call`s the callbacks, where there are any, and the log."""
    found = (call,) if options.callbacks else ()
    return found if options.log is None else (*found, log_to(options.log, run))


def log_to(path: str | Path, run: Run) -> Watcher:
    """What writes a line of JSON for every epoch, behind those that the run has had already."""
    if run.epoch:
        run.history.write(path)  # there may be lines of epochs that will be walked through again

    def write(run: Run) -> None:
        append_line(path, run.history.line(run.epoch), fresh=run.epoch == 1)

    return write
