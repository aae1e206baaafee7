"""What runs the steps of a training: NumPy, a call for each batch, or machine code for an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import UnknownName, choices
from backpass.language.expr import reads
from backpass.language.program import Step, Write, axis_labels, step_sizes
from backpass.language.shapes import evaluate_size, names
from backpass.running.epoch import Arrays, Backend, Epoch, Stepping
from backpass.running.runner import Runner, compile_numpy

Array = NDArray[Any]
BACKENDS = ("auto", "compiled", "numpy")
CALL = 1.5e-6  # seconds of NumPy that machine code does without: for a line, however small
TOUCHED = 6e-10  # and for each entry that a line writes; products take both about as long
START, LINE = 2.0, 0.05  # seconds that a compilation takes, and for each line of the program


def backend_for(stepping: Stepping, wanted: str) -> Backend:
    """The back end of this name, NumPy where it is left open; UnknownName for another name."""
    if choose(stepping, wanted) == "numpy":
        return NumPy(stepping)
    from backpass.running.compiled.backend import Compiled  # numba takes a second to import

    return Compiled(stepping)


class Backends:
    """The back ends of a network: one is made once for all trainings that are alike."""

    def __init__(self) -> None:
        self.last: Backend | None = None
        self._key: Any = None
        self._stepping: Stepping | None = None
        self._made: dict[str, Backend] = {}

    def take(
        self, key: Any, make: Callable[[], Stepping], wanted: str, batch_size: int, steps: int
    ) -> Backend:
        """The one that is wanted for trainings of this key, whose steps `make` makes."""
        if self._stepping is None or self._key != key:
            self._key, self._stepping, self._made = key, make(), {}
        name = choose(self._stepping, wanted, batch_size, steps)
        if name not in self._made:
            self._made[name] = backend_for(self._stepping, name)
        self.last = self._made[name]
        return self.last


def choose(stepping: Stepping, wanted: str, batch_size: int = 1, steps: int = 0) -> str:
    """The name of a back end; "auto" compiles what would take NumPy long.

    A compilation has to pay for itself within the training, as if nothing were cached. What it
    takes and what it saves is estimated from the program, the size of a batch and the number of
    steps, so that a problem gets the same back end wherever and whenever.
    """
    if wanted not in BACKENDS:
        hint = choices(wanted, BACKENDS, "there are")
        raise UnknownName(f"backend={wanted!r} is not known{hint}")
    if wanted != "auto":
        return wanted
    price = START + LINE * len(stepping.program.steps)
    return "compiled" if steps and steps * saved(stepping, batch_size) > price else "numpy"


def saved(stepping: Stepping, batch_size: int) -> float:
    """About how many seconds less machine code takes for one step than NumPy."""
    program = stepping.program
    batch = str(program.arrays["X"].shape[stepping.axes["X"]])
    found = 0.0
    for step in program.steps:
        sizes = {name: batch_size if name == batch else 1 for name in _names(step)}
        nests = [(one.labels, _multiplies(one)) for one in step.writes]
        for labels, multiplies in nests or [(axis_labels(step.target.shape), False)]:
            entries = prod(evaluate_size(label.size, sizes) for label in labels)
            found += CALL + (0 if multiplies else entries * TOUCHED)
    return found


def _multiplies(write: Write) -> bool:
    """Whether a loop nest is a matrix product."""
    return bool(write.summed) and len(reads(write.term)) > 1


def _names(step: Step) -> set[str]:
    return {name for size in step_sizes(step) for name in names(size)}


class NumPy:
    """Emitted source, called for every batch."""

    name = "numpy"
    compiling = 0.0

    def __init__(self, stepping: Stepping) -> None:
        self.stepping = stepping
        self.runner: Runner = compile_numpy(stepping.program, name="step")

    def epoch(
        self,
        samples: Mapping[str, Array],
        order: Array,
        batch_size: int,
        arrays: Arrays,
        numbers: Mapping[str, Array],
        *,
        seed: int = 0,
        first: int = 0,
    ) -> Epoch:
        """Take the batches one by one; see `Backend.epoch`."""
        one, losses, right = self.stepping, list[Any](), 0
        several = [name for name, values in numbers.items() if values.ndim]
        given = dict(numbers)
        with np.errstate(all="ignore"):
            for step, start in enumerate(range(0, len(order), batch_size)):
                picked = order[start : start + batch_size]
                batch = {
                    name: samples[name].take(picked, axis=axis) for name, axis in one.axes.items()
                }
                for name in several:
                    given[name] = numbers[name][step : step + 1].reshape(())
                drawn = self._drawn(len(picked), batch["X"].dtype, seed, first + step)
                loss, outputs, *new = self.runner({**batch, **drawn, **arrays, **given})
                losses.append(loss)
                if not math.isfinite(loss):
                    break
                arrays.update(zip(one.changed, map(np.asarray, new), strict=True))
                if one.answers is not None:
                    right += one.answers.count(outputs, batch["y"])
        finite = not losses or math.isfinite(losses[-1])
        counted = None if one.answers is None else right
        return Epoch(np.asarray(losses), counted, len(losses) - (not finite), finite)

    def _drawn(self, count: int, dtype: Any, seed: int, step: int) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for name, one in self.stepping.drawn.items():
            across = self.stepping.program.arrays[name].shape[1 - one.axis].number
            assert across is not None, name
            shape = (count, across) if one.axis == 0 else (across, count)
            found[name] = one.draw(seed, step, shape, dtype)
        return found

    def plan(self) -> str:
        """The source that runs."""
        return self.runner.source.text
