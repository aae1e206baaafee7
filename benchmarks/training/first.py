"""From the start of a process to the end of its first epoch on the digits, cold and warm."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import page
from benchmarks.report import seconds
from benchmarks.training.iris import BYTECODE

ROUNDS = 5
COLD, WARM = 5.0, 1.0  # seconds that are wanted, without and with a cache
OURS = """
import backpass as bp
from backpass.nn.data import load_digits
X, y = load_digits()
net = bp.Network([bp.Dense(64, "relu"), bp.Dense(10)], inputs=64)
net.fit(X, y, epochs=1, progress=False, backend="{backend}")
"""
SKLEARN = """
import warnings
from sklearn.neural_network import MLPClassifier
from backpass.nn.data import load_digits
X, y = load_digits()
warnings.simplefilter("ignore")
MLPClassifier(64, solver="sgd", batch_size=32, max_iter=1).fit(X, y)
"""
TORCH = """
import torch
from backpass.nn.data import load_digits
X, y = (torch.as_tensor(one) for one in load_digits())
X = X.float()
net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
rule = torch.optim.SGD(net.parameters(), 0.01)
for part in torch.randperm(len(X)).split(32):
    rule.zero_grad()
    torch.nn.functional.cross_entropy(net(X[part]), y[part]).backward()
    rule.step()
"""


def whole(program: str, environment: Mapping[str, str]) -> float:
    """The seconds of a process from start to end; NaN where it fails."""
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **BYTECODE, **environment},
        check=False,
        capture_output=True,
    )
    return perf_counter() - start if done.returncode == 0 else float("nan")


def block() -> str:
    """The table: in turns, each row with the median of a few processes."""
    compiled, numpy = OURS.format(backend="compiled"), OURS.format(backend="numpy")
    with tempfile.TemporaryDirectory() as folder:
        kept = {"XDG_CACHE_HOME": folder}
        whole(compiled, kept)
        found: dict[str, list[float]] = {}
        for count in range(ROUNDS):
            empty = Path(folder) / f"empty{count}"
            empty.mkdir()
            for name, program, environment in (
                ("compiled, nothing cached", compiled, {"XDG_CACHE_HOME": str(empty)}),
                ("compiled, cached", compiled, kept),
                ("backend numpy", numpy, kept),
                ("scikit-learn", SKLEARN, kept),
                ("PyTorch", TORCH, kept),
                ("import numpy", "import numpy", kept),
            ):
                found.setdefault(name, []).append(whole(program, environment))
    wanted = {"compiled, nothing cached": COLD, "compiled, cached": WARM}
    rows = []
    for name, values in found.items():
        value = median(values)
        shown = seconds(value) if value == value else "absent"
        goal = (
            f"{wanted[name]:g} s {'✓' if value <= wanted[name] else '✗'}" if name in wanted else ""
        )
        rows.append((name, shown, goal))
    return page.table(("a process that trains one epoch on the digits", "median", "wanted"), rows)
