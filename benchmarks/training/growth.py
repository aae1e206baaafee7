"""How the time of a step grows with width, depth, batch and rows, beside what is computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from time import perf_counter

from benchmarks import page
from benchmarks.report import seconds
from benchmarks.training.peers.ours import trainer
from benchmarks.training.problems import Problem

BASE = Problem((256, 256, 10), 64, rows=1280, epochs=5)
ROUNDS = 7


def grown() -> Iterator[tuple[str, str, Problem]]:
    """What grows, to what, and the problem."""
    yield "as it is", "256-256-10, 64", BASE
    for width in (512, 1024):
        yield "width", f"{width}", replace(BASE, widths=(256, width, 10))
    for depth in (2, 4):
        yield "hidden layers", f"{depth}", replace(BASE, widths=(256, *(256,) * depth, 10))
    for batch in (128, 256):
        yield "batch", f"{batch}", replace(BASE, batch=batch)
    for rows in (12_800, 128_000):
        yield "samples", f"{rows:,}", replace(BASE, rows=rows, epochs=max(1, 6400 // rows))


def block() -> str:
    """The table: measured in turns, all networks of it side by side."""
    cases = list(grown())
    trainers = [trainer(problem, "SGD") for *_, problem in cases]
    found: list[list[float]] = [[] for _ in cases]
    for one in trainers:
        one.train()
    for _ in range(ROUNDS):
        for one, times in zip(trainers, found, strict=True):
            start = perf_counter()
            one.train()
            times.append((perf_counter() - start) / one.problem.steps)
    steps = [median(times) for times in found]
    rows = [
        (what, to, seconds(step), f"{step / steps[0]:.2f}",
         f"{problem.operations / BASE.operations:.2f}")
        for (what, to, problem), step in zip(cases, steps, strict=True)
    ]  # fmt: skip
    heads = ("what grows", "to", "a step", "times the first", "operations, times the first")
    return page.table(heads, rows)
