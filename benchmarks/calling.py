"""Value and gradients of a batch, in a process that does nothing else.

How an array costs depends on what a process did before: glibc gives memory back that lies free at
the top of the heap, and the next call asks for it again, page by page, unless the heap has grown
large in the meantime. `kept` is for a process that never gives any back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import astuple

from threadpoolctl import threadpool_limits

from benchmarks.clock import Race, Time, race, warm
from benchmarks.networks import derive_digits, digits_arguments, digits_by_hand

NEVER = str(1 << 28)
THRESHOLDS = {"MALLOC_TRIM_THRESHOLD_": NEVER, "MALLOC_MMAP_THRESHOLD_": NEVER}


def calls(batch: int, count: int, *, kept: bool = False) -> Race:
    """A derivation called on a batch `count` times, beside the code by hand."""
    command = [sys.executable, "-m", "benchmarks.calling", str(batch), str(count)]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True,
        env={**os.environ, **(THRESHOLDS if kept else {})},
    )  # fmt: skip
    ours, theirs = ([Time(*one) for one in side] for side in json.loads(found.stdout))
    return Race(ours, theirs)


def main() -> None:
    """Measure, and print both sides."""
    threadpool_limits(1)
    batch, count = map(int, sys.argv[1:])
    derived, arguments = derive_digits(), digits_arguments(batch)
    found = race(
        warm(lambda: derived(*arguments), count),
        warm(lambda: digits_by_hand(*arguments), count),
        pairs=21,
    )
    print(json.dumps([[astuple(one) for one in side] for side in (found.ours, found.theirs)]))


if __name__ == "__main__":
    main()
