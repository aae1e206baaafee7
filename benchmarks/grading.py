"""How long a class of submissions takes to grade: `python -m benchmarks.grading --count 200`.

The assignment is a network 64-32-10 with 32 samples. Half of the submissions are right, the others
make one of the usual mistakes; every one is written with names of its own, so that no two are the
same text.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from backpass.grading.grade import Way, grade
from backpass.grading.graded import Graded
from backpass.grading.key import key
from backpass.grading.limits import Limits
from backpass.grading.submissions import submissions
from backpass.terminal.model_file import load_module

REFERENCE = """
import numpy as np
import backpass as bp

X, y = np.zeros((32, 64)), np.eye(10)[np.arange(32) % 10]
params = {"W1": np.zeros((64, 32)), "b1": np.zeros(32)}
params |= {"W2": np.zeros((32, 10)), "b2": np.zeros(10)}


def loss(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = bp.sigmoid(A1 @ params["W2"] + params["b2"])
    return 0.5 * np.sum((A2 - y) ** 2) / len(X)
"""

SUBMISSION = """
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def grads(params, X, y):
    hidden = np.tanh(X @ params["W1"] + params["b1"])
    output = sigmoid(hidden @ params["W2"] + params["b2"])
    delta2 = (output - y) / len(X) * output * (1 - output)
    back = delta2 @ params["W2"].T
    delta1 = back * (1 - hidden**2)
    return {"W1": X.T @ delta1, "b1": delta1.sum(0), "W2": hidden.T @ delta2, "b2": delta2.sum(0)}
"""

MISTAKES = (
    ("back * (1 - hidden**2)", "back"),
    ("1 - hidden**2", "1 - hidden"),
    (" * output * (1 - output)", ""),
    (" / len(X)", ""),
    ("(output - y)", "(y - output)"),
    ("delta1.sum(0)", "delta1.mean(0)"),
    ("delta1.sum(0)", "np.zeros(32)"),
    ("delta2.sum(0)", "back.sum(0)[:10]"),
    ("hidden.T @ delta2", "-hidden.T @ delta2"),
    ('delta2 @ params["W2"].T', '(output - y) / len(X) @ params["W2"].T'),
    ("back * (1 - hidden**2)", "back * hidden * (1 - hidden)"),
    ("X.T @ delta1", "delta1.T @ X"),
)
NAMES = "hidden", "output", "delta1", "delta2", "back"


def written(count: int) -> Iterator[tuple[str, str]]:
    """File names and texts: a right one, then a wrong one, and so on."""
    for number in range(count):
        text = SUBMISSION
        if number % 2:
            old, new = MISTAKES[number // 2 % len(MISTAKES)]
            assert old in text, old
            text = text.replace(old, new, 1)
        for name in NAMES:
            text = text.replace(name, f"{name}_{random.randrange(10**6)}")
        yield f"s{number:04}.py", text


def measured(count: int, jobs: int) -> tuple[list[Graded], float, float]:
    """What came out, seconds of the clock, and processor seconds of the grader itself."""
    with TemporaryDirectory() as folder:
        reference = Path(folder) / "reference.py"
        reference.write_text(REFERENCE, "utf-8")
        inside = Path(folder) / "submissions"
        inside.mkdir()
        for name, text in written(count):
            (inside / name).write_text(text, "utf-8")
        begun, used = time.perf_counter(), time.process_time()
        answers = key(load_module(reference))
        found = grade(submissions(inside), answers, Way(Limits(60), jobs, seed=0))
        return found, time.perf_counter() - begun, time.process_time() - used


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.grading")
    given.add_argument("--count", type=int, default=200)
    given.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    asked = given.parse_args()
    found, clock, own = measured(asked.count, asked.jobs)
    theirs = sum(one.seconds for one in found)
    each = 1000 / asked.count
    print(f"{asked.count} submissions of a 64-32-10 network, {asked.jobs} at once")
    print(f"  clock                    {clock:7.1f} s   {clock * each:6.0f} ms each")
    print(f"  processor, grader        {own:7.1f} s   {own * each:6.0f} ms each")
    print(f"  processor, submissions   {theirs:7.1f} s   {theirs * each:6.0f} ms each")
    print(f"  a thousand, two cores    {(own + theirs) * each / 2:7.0f} s   if both are free")
    verdicts = Counter(one.verdict or one.reason for one in found)
    for verdict, times in verdicts.most_common():
        print(f"  {times:5}  {verdict}")
    hints = [hint for one in found for hint in one.hints]
    print(f"  {sum(hint.line is not None for hint in hints)} of {len(hints)} hints have a line")


if __name__ == "__main__":
    main()
