"""`python -m benchmarks.doctor` puts every program to the doctor; `--write` fills the page."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import page
from benchmarks.doctor.asking import Question, asked
from benchmarks.doctor.cases import Bench
from benchmarks.doctor.measured import Measured, blocks
from benchmarks.doctor.workers import answers

PAGE = "doctor.md"
LIMIT = 120.0  # seconds for one program


def measured(every: int) -> list[Measured]:
    """Answers to one in `every` cases, told on standard error as they come."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        cases = [*bench.correct(), *bench.singles(), *bench.pairs()][::every]
    questions = [Question(case.variation, case.text, not case.mistakes) for case in cases]

    def told(done: int) -> None:
        print(f"\r{done} of {len(cases)}", end="", file=sys.stderr, flush=True)

    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # two processes on two cores, and small matrices
    found = answers(asked, questions, LIMIT, told=told)
    print(file=sys.stderr)
    return [Measured(case, answer) for case, answer in zip(cases, found, strict=True)]


def main(*, write: bool = False, every: int = 1) -> None:
    """Run it all, print the tables, and write the page where that is asked for."""
    tables = blocks(measured(every))
    for text in tables.values():
        print(f"{text}\n")
    if write:
        page.write(PAGE, tables)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doctor", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into the page too")
    parser.add_argument("--every", type=int, default=1, help="only one case in so many")
    options = parser.parse_args()
    main(write=options.write, every=options.every)
