"""Whether a training is long enough for compiled steps: a rule of its sizes and nothing else.

What compiled steps save is what NumPy spends around its arithmetic: a call for every line, and a
walk through memory for every line that acts entry by entry. The products are BLAS's either way.
Importing the compiler, compiling or loading take a while; a training that saves less runs on NumPy.
The rule never asks the clock or the cache, so the same problem always takes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from backpass.language.program import Call, Step
from backpass.language.shapes import evaluate_size, names
from backpass.running.epoch import Stepping

CALL = 2.5e-6  # seconds that NumPy takes for a line, however short
ENTRY = 1.0e-9  # seconds that NumPy spends more on an entry that a line makes
WHOLE = 4  # lines that a function of whole arrays, such as softmax, is worth
WORTH = 2.0  # seconds to be saved


def saves(stepping: Stepping, batch: int, steps: int) -> float:
    """The seconds that compiled steps are expected to save over so many steps."""
    program = stepping.program
    sizes = {str(program.arrays["X"].shape[stepping.axes["X"]]): batch}
    total = CALL * (len(program.inputs) + len(program.steps))
    for step in program.steps:
        lines = WHOLE if isinstance(step.body, Call) else 1
        total += (lines - 1) * CALL
        if not any(write.summed for write in step.writes):
            total += lines * ENTRY * _entries(step, sizes)
    return steps * total


def pays(stepping: Stepping, batch: int, steps: int) -> bool:
    """Whether a training of so many steps is to be compiled."""
    return saves(stepping, batch, steps) >= WORTH


def _entries(step: Step, sizes: Mapping[str, int]) -> int:
    """The entries of what a step makes; a size that nobody tells yet counts as 1."""
    shape = step.target.shape
    unknown = {name: 1 for size in shape for name in names(size)}
    return prod(evaluate_size(size, {**unknown, **sizes}) for size in shape)
