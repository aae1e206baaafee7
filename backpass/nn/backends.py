"""What runs the steps of a training: emitted NumPy source, one call for each batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import UnknownName, choices
from backpass.running.epoch import Arrays, Backend, Epoch, Stepping
from backpass.running.runner import Runner, compile_numpy

Array = NDArray[Any]
BACKENDS = ("auto", "numpy")


def backend_for(stepping: Stepping, wanted: str) -> Backend:
    """The back end of this name; "auto" chooses by the problem alone.

    Raises UnknownName for a name that none has.
    """
    if wanted not in BACKENDS:
        hint = choices(wanted, BACKENDS, "there are")
        raise UnknownName(f"backend={wanted!r} is not known{hint}")
    return NumPy(stepping)


class NumPy:
    """Emitted source, called for every batch."""

    name = "numpy"

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
