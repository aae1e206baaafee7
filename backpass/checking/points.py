"""Where a program is tried: sizes for its axes and random inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from backpass.language.program import Array, Program
from backpass.language.shapes import evaluate_size, names

Sizes = Mapping[str, int]


def size_names(inputs: Iterable[Array]) -> tuple[str, ...]:
    """Every name that the sizes of the inputs mention, the ranges of integers included."""
    sizes = [size for one in inputs for size in (*one.shape, *([one.below] if one.below else []))]
    return tuple(dict.fromkeys(name for size in sizes for name in names(size)))


def draw_sizes(wanted: Iterable[str], random: np.random.Generator, *, one: bool) -> dict[str, int]:
    """Small sizes, no two alike; with `one`, one of them is 1."""
    wanted = list(wanted)
    drawn = random.permutation(np.arange(2, 5 + max(4, len(wanted))))[: len(wanted)]
    sizes = {name: int(length) for name, length in zip(wanted, drawn, strict=True)}
    if one and wanted:
        sizes[wanted[int(random.integers(len(wanted)))]] = 1
    return sizes


def draw_inputs(
    inputs: Iterable[Array], sizes: Sizes, random: np.random.Generator, *, positive: bool
) -> dict[str, Any]:
    """Random inputs: real numbers around 0 or, with `positive`, between 0.1 and 0.9."""
    return {one.name: _draw(one, sizes, random, positive) for one in inputs}


def _draw(one: Array, sizes: Sizes, random: np.random.Generator, positive: bool) -> Any:
    shape = tuple(evaluate_size(axis, sizes) for axis in one.shape)
    if one.kind == "bool":
        return random.random(shape) < 0.5
    if one.kind == "int":
        return random.integers(0, evaluate_size(one.below, sizes) if one.below else 2, shape)
    if positive:
        return random.uniform(0.1, 0.9, shape)
    # a deep network of such weights neither dies out nor explodes
    size = 1.2 / max(shape[-2:]) ** 0.5 if len(shape) > 1 and 0 not in shape else 0.3
    return size * random.standard_normal(shape)


def work(program: Program, sizes: Sizes) -> int:
    """The terms that the reference runner adds up, one by one."""
    total = 0
    for step in program.steps:
        for write in step.writes:
            total += int(np.prod([evaluate_size(one.size, sizes) for one in write.labels]))
    return total
