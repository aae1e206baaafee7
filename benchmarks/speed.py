"""How long things take beside others, and how much they keep: two or three minutes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from backpass.nn.data import load_digits, split
from benchmarks import page
from benchmarks.calling import calls
from benchmarks.clock import Race, memory, middle, process, race, warm
from benchmarks.first import clock
from benchmarks.networks import (
    BATCH,
    STEPS,
    Sizes,
    derive_deep,
    derive_digits,
    digits_arguments,
    digits_by_hand,
    fit,
    fit_by_hand,
    network,
    trace_deep,
)
from benchmarks.report import Row, Table, compared, markdown, megabytes, show

PAGE = "benchmarks.md"

SHORT, LONG = 100, 1000  # layers
PAIRS = {SHORT: 21, LONG: 7}
SIZES: dict[Sizes, str] = {
    "named": "n and k",  # JAX knows numbers alone: 5 and 8
    "numbers": "5 and 8",
    "different": "all different",
}
Races = dict[tuple[Sizes, int], Race]  # by the sizes and the number of layers


def deriving() -> Races:
    """Derive again and again in one process, as in a notebook or a search."""
    return {
        (sizes, layers): race(
            warm(derive_deep(layers, sizes)), warm(trace_deep(layers, sizes)), pairs
        )
        for sizes in ("named", "numbers")
        for layers, pairs in PAIRS.items()
    }


def first_deriving() -> Races:
    """Derive once in a process of its own, imports not counted: nothing is known yet."""
    return {
        (sizes, layers): race(clock("ours", layers, sizes), clock("JAX", layers, sizes), 3)
        for sizes in ("named", "different")
        for layers in PAIRS
    }


def derived(races: Races, wanted: float | None = None) -> Iterator[Row]:
    """The races, and how both sides grew with the number of layers."""
    for (sizes, layers), found in races.items():
        yield compared(f"{layers:,} layers, sizes {SIZES[sizes]}", found, wanted)
    for sizes in dict.fromkeys(sizes for sizes, _ in races):
        short, long = races[sizes, SHORT], races[sizes, LONG]
        ours, theirs = (
            f"× {middle(after).cpu / middle(before).cpu:.1f}"
            for before, after in ((short.ours, long.ours), (short.theirs, long.theirs))
        )
        what = f"{LONG:,} layers against {SHORT}, {SIZES[sizes]}"
        yield Row(what, ours, theirs, wanted=f"about × {LONG // SHORT}")


def running() -> Iterator[Row]:
    """Value and gradients of the network that reads digits."""
    for batch, count in ((32, 400), (1024, 40)):
        arguments = digits_arguments(batch)
        (value, ours), (hand, theirs) = derive_digits()(*arguments), digits_by_hand(*arguments)
        np.testing.assert_allclose(value, hand, rtol=1e-12)
        for name, gradient in theirs.items():
            np.testing.assert_allclose(ours[name], gradient, rtol=1e-9, atol=1e-12)
        yield compared(f"batch of {batch:,}", calls(batch, count), wanted=1)
    yield compared("batch of 1,024, memory kept", calls(1024, 40, kept=True))


def training() -> Iterator[Row]:
    """A step of `net.fit` beside a loop by hand that takes the same steps."""
    (X, y), _ = split(*load_digits())
    ours, theirs = network(), network()
    fit(ours, X, y)
    fit_by_hand(theirs, X, y)
    for name, values in ours.weights.items():
        np.testing.assert_allclose(values, theirs.weights[name], rtol=1e-9, atol=1e-12)
    found = race(warm(lambda: fit(ours, X, y)), warm(lambda: fit_by_hand(theirs, X, y)), pairs=21)
    yield compared(f"a step of {BATCH}", found.shared(STEPS), wanted=1)


HELP = "import sys; from backpass.cli import main; sys.exit(main())"  # what the command runs


def starting() -> Iterator[Row]:
    """Whole processes, from start to end."""
    python = sys.executable
    theirs = process(python, "-c", "import numpy")
    for what, *command in (("backpass --help", HELP, "--help"), ("import backpass",) * 2):
        yield compared(what, race(process(python, "-c", *command), theirs, pairs=15), wanted=0.5)


def remembering() -> Iterator[Row]:
    """What Python allocates on the way, and what stays: the derivation itself."""
    for sizes in ("named", "different"):
        for layers in PAIRS:
            peak, kept = memory(derive_deep(layers, sizes))
            yield Row(f"{layers:,} layers, sizes {SIZES[sizes]}", megabytes(peak), megabytes(kept))


# the block of the page, the title, both heads, and the rows
TABLES: tuple[tuple[str, str, tuple[str, str], Callable[[], Iterable[Row]]], ...] = (
    (
        "again",
        "derive and jax.make_jaxpr(jax.grad(f))",
        ("backpass", "JAX"),
        lambda: derived(deriving(), 2),
    ),
    (
        "first",
        "the first derivation of a new process",
        ("backpass", "JAX"),
        lambda: derived(first_deriving()),
    ),
    ("memory", "memory of a derivation", ("at the peak", "stays"), remembering),
    ("calls", "64-32-10, value and gradients, d(...)", ("backpass", "NumPy by hand"), running),
    ("steps", "64-32-10, training by net.fit", ("backpass", "NumPy by hand"), training),
    ("starts", "a process from start to end", ("backpass", "import numpy"), starting),
)

NAMES = tuple(name for name, *_ in TABLES)  # of the blocks of the page


def main(only: Sequence[str] | None, *, write: bool) -> None:
    """Measure, print a table as soon as it is known, and put it into the page if that is wanted."""
    threadpool_limits(1)  # two threads would wait for each other on a busy machine
    print("Processor time, in brackets time on the wall clock: medians of pairs run in turns.")
    print("Ratios are of processor time, in brackets the quartiles over the pairs.\n")
    for name, title, heads, measure in page.chosen(TABLES, only, lambda table: table[0]):
        table = Table(title, heads, list(measure()))
        show(table)
        if write:
            page.write(PAGE, {name: markdown(table)})
