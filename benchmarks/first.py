"""What the first derivation of a new process costs: `python -m benchmarks.first ours 100 named`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import backpass.derive  # noqa: F401  imports are not counted
from benchmarks.clock import Time
from benchmarks.networks import Sizes, derive_deep, trace_deep


def clock(side: str, layers: int, sizes: Sizes) -> Callable[[], Time]:
    """A clock for a derivation in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.first", side, str(layers), sizes]

    def measure() -> Time:
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        return Time(*json.loads(found.stdout))

    return measure


def main() -> None:
    """Derive once, and print both clocks."""
    side, layers, sizes = sys.argv[1:]
    go = (derive_deep if side == "ours" else trace_deep)(int(layers), sizes)
    cpu, wall = time.process_time(), time.perf_counter()
    go()
    print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))


if __name__ == "__main__":
    main()
