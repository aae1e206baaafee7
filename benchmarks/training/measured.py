"""Training beside the others: the tables of the page, one optimiser a block."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks import page
from benchmarks.training import accuracy, first, growth, iris, memory, told
from benchmarks.training.peers import PEERS
from benchmarks.training.problems import OPTIMIZERS, PROBLEMS, Problem
from benchmarks.training.race import AGREE, OURS, Raced, race

PAGE = "benchmarks.md"
ROUNDS = (15, 15, 15, 9, 5)  # for each of the problems
PEAKS = {"64-64-10, 32": 40, "784-128-10, 64": 70, "784-512-512-10, 128": 82,
         "1024-4096-4096-1000, 512": 92}  # fmt: skip
GEOMETRIC = 1.6
FEW_CLASSES = 100  # so few that every one occurs among the samples
RECORD = Path(__file__).with_name("record.json")  # the ratios that a quick run is held to
FALL = 0.3  # a ratio may fall by this share before a quick run fails


def raced(optimizer: str, peers: Sequence[str] = tuple(PEERS)) -> list[Raced]:
    """All networks with one optimiser; stops where two did not learn the same."""
    found = []
    for problem, rounds in zip(PROBLEMS, ROUNDS, strict=True):
        one = race(problem, optimizer, rounds, [name for name in peers if takes(name, problem)])
        refuse_other_weights(one)
        print(f"{optimizer}: {problem.name}", file=sys.stderr, flush=True)
        found.append(one)
    return found


def takes(peer: str, problem: Problem) -> bool:
    """Whether a peer can train this network: scikit-learn's classes are those of the data."""
    return peer != "scikit-learn" or problem.widths[-1] <= FEW_CLASSES


def refuse_other_weights(one: Raced) -> None:
    """SystemExit where somebody's weights are not those by hand: then times mean nothing."""
    for name, apart in one.apart.items():
        if not apart < AGREE[one.optimizer]:
            sys.exit(f"{one.problem.name}, {one.optimizer}: {name} learnt other weights ({apart})")


def optimizers(optimizer: str) -> Callable[[], str]:
    """The table of one optimiser."""

    def block() -> str:
        races = raced(optimizer)
        text = page.table(told.HEADS, told.rows(races))
        mean = told.lead(races)
        wanted = f" (wanted: {GEOMETRIC})" if optimizer == "SGD" else ""
        said = [f"Geometric mean of the lead: {mean:.2f}{wanted}.", *told.absences(races)]
        if optimizer == "SGD":
            said.append(f"\n\n{share_of_peak(races)}")
        return f"{text}\n\n{' '.join(said)}"

    return block


def share_of_peak(races: Sequence[Raced]) -> str:
    """How much of what the BLAS can do at most a step makes use of."""
    rows = []
    for one in races:
        if (wanted := PEAKS.get(one.problem.name)) is None:
            continue
        shares = {name: one.share(name) for name in one.seconds}
        mark = "✓" if 100 * shares[OURS] >= wanted else "✗"
        others = max((share, name) for name, share in shares.items() if name != OURS)
        rows.append((one.problem.name, f"{shares[OURS]:.0%}", f"{wanted} % {mark}",
                     f"{others[0]:.0%} {others[1]}"))  # fmt: skip
    heads = ("of sgemm's peak", "backpass", "wanted", "best of the others")
    peaks = sorted(1e-9 / seconds for one in races for seconds in one.peaks)
    found = f"{median(peaks):.0f} ({peaks[0]:.0f}–{peaks[-1]:.0f})"
    return f"{page.table(heads, rows)}\n\nThe peak in the rounds of this run: {found} GFLOP/s."


BLOCKS: dict[str, Callable[[], str]] = {
    **{f"training-{optimizer.lower()}": optimizers(optimizer) for optimizer in OPTIMIZERS},
    "training-first": first.block,
    "training-iris": iris.block,
    "training-memory": memory.block,
    "training-growth": growth.block,
    "training-accuracy": accuracy.block,
}

NAMES = tuple(BLOCKS)  # of the blocks of the page


def main(only: Sequence[str] | None, *, write: bool) -> None:
    """Measure, and put each table into the page as soon as it is known, if that is wanted."""
    for name in page.chosen(list(BLOCKS), only, str):
        text = BLOCKS[name]()
        print(f"{name}\n\n{text}\n", flush=True)
        if write:
            page.write(PAGE, {name: text})


def quick(*, write: bool) -> None:
    """The small networks in under a minute; fails when a lead over NumPy or JAX has fallen."""
    recorded: dict[str, float] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    found: dict[str, float] = {}
    failed = []
    for problem in PROBLEMS[:3]:
        one = race(problem, "SGD", 9, (OURS, "NumPy by hand", "JAX"))
        refuse_other_weights(one)
        for peer in ("NumPy by hand", "JAX"):
            what, ratio = f"{problem.name}: {peer}", sorted(one.ratios(peer))[4]
            found[what] = round(ratio, 2)
            fell = ratio < (1 - FALL) * recorded.get(what, 0.0)
            mark = f", and was {recorded[what]}" if fell else ""
            print(f"{what} takes {ratio:.2f} × our time{mark}")
            failed += [what] if fell else []
    if write:
        RECORD.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if failed:
        sys.exit(f"the lead has fallen by more than {FALL:.0%}: {'; '.join(failed)}")
