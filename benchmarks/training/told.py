"""Races in words: a step's time, how many times ours the others take, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb, exp, log
from statistics import median

from benchmarks.report import seconds
from benchmarks.training.peers import PEERS
from benchmarks.training.race import OURS, Raced

AHEAD, NOT_BEHIND = 1.0, 0.97  # of the fastest peer; a tie within the noise is not behind
SURE = 0.95


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Two of the values between which the median lies with 95 % certainty.

    Order statistics (Conover, Practical Nonparametric Statistics, §3.2): how many of `n` values
    lie below the median is binomial, whatever their distribution. Few values give their extremes.
    """
    ordered, count = sorted(values), len(values)
    cut, below = 0, 0.0
    while cut < count // 2:
        below += comb(count, cut) / 2**count
        if 2 * below > 1 - SURE:
            break
        cut += 1
    cut = max(cut, 1)
    return ordered[cut - 1], ordered[count - cut]


def against(raced: Raced, peer: str) -> str:
    """`1.52 (1.47–1.55)`: how many times our time."""
    ratios = raced.ratios(peer)
    low, high = interval(ratios)
    return f"{median(ratios):.2f} ({low:.2f}–{high:.2f})"


HEADS = ("network, batch", "a step of backpass", *(name for name in PEERS if name != OURS), "lead")


def rows(races: Sequence[Raced]) -> Iterator[tuple[str, ...]]:
    """A row for each network: our step, and for the others how many times that they take."""
    others = [name for name in PEERS if name != OURS]
    for place, raced in enumerate(races):
        lead = median(raced.ratios(raced.fastest))
        mark = "✓" if lead >= (AHEAD if place < 3 else NOT_BEHIND) else "✗"
        yield (
            raced.problem.name,
            seconds(raced.step(OURS)),
            *(against(raced, name) if name in raced.seconds else "–" for name in others),
            f"{lead:.2f} {mark} {raced.fastest}",
        )


def lead(races: Sequence[Raced]) -> float:
    """The geometric mean of what the fastest of the others takes, over all networks."""
    logs = [log(median(raced.ratios(raced.fastest))) for raced in races]
    return exp(sum(logs) / len(logs))


def absences(races: Sequence[Raced]) -> list[str]:
    """Who did not take part, and why, once."""
    found = {name: why for raced in races for name, why in raced.absent.items()}
    return [f"{name} is absent: {why}." for name, why in found.items()]
