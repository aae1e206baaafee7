"""How much memory a training takes beyond what it must."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import page
from benchmarks.report import megabytes
from benchmarks.training.peers.ours import trainer
from benchmarks.training.problems import BY_NAME, PROBLEMS, Problem

FACTOR, SPARE = 1.1, 8e6  # of what is needed, and bytes besides
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def needed(problem: Problem) -> int:
    """Bytes of the weights, of buffers for a batch, and of a copy of the data, in float32.

    A buffer is what a layer makes going forward and what flows back into it.
    """
    weights = sum(W.size + b.size for W, b in problem.weights())
    buffers = 2 * problem.batch * sum(problem.widths[1:])
    X, y = problem.data()
    return 4 * (weights + buffers + X.size) + 8 * y.size


def grown(problem: Problem) -> int:
    """Bytes by which this process grows at most while it trains; machine code is there before."""
    network = trainer(problem, "SGD")
    network.train()
    del network
    network = trainer(problem, "SGD")
    gc.collect()
    FORGET.write_text("5")  # Linux takes the peak back to what is used now
    before = _kilobytes("VmHWM")
    network.train()
    return 1024 * (_kilobytes("VmHWM") - before)


def _kilobytes(name: str) -> int:
    (line,) = (one for one in STATUS.read_text().splitlines() if one.startswith(name))
    return int(line.split()[1])


def block() -> str:
    """The table, a process for each network."""
    rows = []
    for problem in PROBLEMS:
        command = [sys.executable, "-m", "benchmarks.training.memory", problem.name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found, least = json.loads(done.stdout), needed(problem)
        most = round(FACTOR * least + SPARE)
        mark = "✓" if found <= most else "✗"
        rows.append((problem.name, megabytes(found), megabytes(least), f"{megabytes(most)} {mark}"))
    heads = ("network, batch", "fit adds at its peak", "weights, buffers, data", "wanted at most")
    return page.table(heads, rows)


if __name__ == "__main__":
    print(json.dumps(grown(BY_NAME[sys.argv[1]])))
