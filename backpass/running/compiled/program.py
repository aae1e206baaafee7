"""Any program, compiled and run once: no samples, no steps, no weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.program import Array, Program, Step, fresh
from backpass.language.shapes import bind, evaluate_size
from backpass.running.compiled.backend import Compiled
from backpass.running.epoch import Stepping

KINDS = {"real": None, "int": np.int64, "bool": np.bool_}


class CompiledProgram:
    """A program as a function of its inputs by name, which gives its outputs by name.

    `dtype` is the precision in which all real numbers are computed. Raises what `Compiled` does.
    """

    def __init__(self, program: Program, dtype: Any = np.float64) -> None:
        self.program = program
        self.dtype = np.dtype(dtype)
        taken = set(program.arrays)
        self._places: dict[str, Array] = {}
        for name in dict.fromkeys(program.outputs):
            array = program.arrays[name]
            place = Array(fresh(f"{name}_out", taken), array.shape, array.kind)
            taken.add(place.name)
            self._places[name] = place
        nothing = Step(Array(fresh("nothing", taken), ()), ())
        given = tuple(one.name for one in program.inputs)
        whole = Program(
            (*program.inputs, *self._places.values()),
            (*program.steps, nothing),
            (nothing.name, nothing.name, *given, *self._places),
            program.constants,
        )
        changed = (*given, *(place.name for place in self._places.values()))
        self.backend = Compiled(Stepping(whole, changed, {}, ()))

    def __call__(self, values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Run on arrays by name."""
        arrays = {
            one.name: np.array(values[one.name], KINDS[one.kind] or self.dtype, order="C")
            for one in self.program.inputs
        }
        sizes = bind((one.name, one.shape, arrays[one.name].shape) for one in self.program.inputs)
        for place in self._places.values():
            shape = [evaluate_size(axis, sizes) for axis in place.shape]
            arrays[place.name] = np.zeros(shape, KINDS[place.kind] or self.dtype)
        order = np.zeros(1, np.int64)
        self.backend.epoch({}, order, 1, arrays, {}, dtype=self.dtype)
        return {name: arrays[place.name] for name, place in self._places.items()}
