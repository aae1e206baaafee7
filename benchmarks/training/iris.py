"""What small jobs cost beside scikit-learn: a process that fits on iris, and parts of a fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.clock import Race, Time
from benchmarks.report import Table, compared, markdown

PAIRS = 21
OURS, THEIRS = "backpass.sklearn", "sklearn.neural_network"
ROWS = ("import and first fit", "first fit", "a fit after it", "partial_fit, 10 samples")
PROGRAM = """
import json, time, warnings
def now():
    return time.process_time(), time.perf_counter()
def since(start):
    return [after - before for before, after in zip(start, now())]
start = now()
from {home} import MLPClassifier
importing = since(start)
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
warnings.simplefilter("ignore")
fits = []
for seed in (0, 1):
    start = now()
    MLPClassifier(random_state=seed).fit(X, y)
    fits.append(since(start))
model, parts = MLPClassifier(random_state=0), range(0, 150, 10)
model.partial_fit(X, y, classes=[0, 1, 2])
start = now()
for first in parts:
    model.partial_fit(X[first : first + 10], y[first : first + 10])
part = [one / len(parts) for one in since(start)]
whole = [one + other for one, other in zip(importing, fits[0])]
print(json.dumps([whole, *fits, part]))
"""
BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}  # kept between processes, as what is installed has it


def process(home: str) -> list[Time]:
    """The times of each of `ROWS` in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(home=home)],
        env={**os.environ, **BYTECODE}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [Time(*one) for one in json.loads(found.stdout)]


def block() -> str:
    """The table: the two in turns, and who goes first alternates."""
    found: dict[str, list[list[Time]]] = {OURS: [], THEIRS: []}
    for home in found:
        process(home)
    for count in range(PAIRS):
        for home in (OURS, THEIRS) if count % 2 else (THEIRS, OURS):
            found[home].append(process(home))
    rows = [
        compared(what, Race(ours, theirs), 1.0)
        for what, ours, theirs in zip(
            ROWS, zip(*found[OURS], strict=True), zip(*found[THEIRS], strict=True), strict=True
        )
    ]
    return markdown(Table("", ("backpass", "scikit-learn"), rows))
