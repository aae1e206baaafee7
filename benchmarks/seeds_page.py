"""The blocks of docs/seeds.md: each runs an experiment of `seeds` and says what came out."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import page, picture, seeds
from benchmarks.clock import middle, race, warm
from benchmarks.report import seconds

PAGE, PICTURE = "seeds.md", "seeds.svg"
EPOCHS = 20  # of each network in the picture


def xor() -> str:
    """How many seeds solve it."""
    count, epochs = 20, 20_000
    rows: list[Sequence[str]] = []
    for what, found in (
        ("the class, 2-2-1", seeds.xor((2, 2, 1), count, epochs)),
        ("the class, 2-1", seeds.xor((2, 1), count, epochs)),
        ("`bp.Network`, 2-2-1", seeds.xor_network(count, epochs)),
    ):
        losses = (found.losses[found.solved], found.losses[~found.solved])
        shown = [f"{np.median(one):.5f}" if one.size else "–" for one in losses]
        rows.append((what, f"{found.solved.sum()} of {count}", *shown))
    heads = ("XOR", "seeds that solve it", "their median loss", "that of the others")
    return page.table(heads, rows)


def digits() -> str:
    """What is read as training goes on."""
    count, marks = 10, (10, 30, 100, 300, 1000)
    found = seeds.read_digits(count, marks)
    rows = [
        (f"{mark:,}", *(f"{share:.1%}" for share in (np.median(all_), all_.min(), all_.max())))
        for mark, all_ in found.items()
    ]
    last = found[marks[-1]]
    enough, good = (int(np.sum(np.round(last, 2) >= least)) for least in (0.98, 0.96))
    _, share = seeds.read_digits_network(marks[-1])
    heads = ("epochs", f"median of {count} seeds", "worst", "best")
    said = (
        f"After {marks[-1]:,} epochs {enough} of {count} seeds read 0.98, in the two digits that "
        f"the tutorial prints, and {good} read at least 0.96. One `bp.Network` reads {share:.1%}."
    )
    return f"{page.table(heads, rows)}\n\n{wrapped(said)}"


def order() -> str:
    """What updating on the way back does."""
    rows = [
        (f"digits, {one.rate:g}", *(f"{off:.0%}" for off in one.off), *shares(one.right, one.early))
        for one in seeds.order((0.1, 0.3, 1.0), seeds=5, epochs=50)
    ]
    for rate in (0.5, 8, 32):
        both = [
            float(seeds.xor((2, 2, 1), 100, 20_000, rate, early=early).solved.mean())
            for early in (False, True)
        ]
        rows.append((f"XOR, {rate:g}", "–", "–", *shares(*both)))
    heads = ("α", "first dW1 off by", "first dW2 off by", "right order", "updated on the way back")
    return page.table(heads, rows)


def shares(*found: float) -> list[str]:
    return [f"{one:.1%}" for one in found]


def rates() -> str:
    """The picture, and its best cell in words."""
    found = picture.compare(EPOCHS)
    best, init, rate = max(
        (share, init, rate)
        for init, all_ in found.items()
        for rate, share in zip(picture.RATES, all_, strict=True)
    )
    at = picture.RATES.index(0.1)
    ranked = sorted(found, key=lambda name: -found[name][at])
    order = ", ".join(f"{name} {found[name][at]:.1%}" for name in ranked)
    said = f"At the rate of the tutorial, 0.1: {order}. The best is {init} at {rate:g}: {best:.1%}."
    shown = "How many of the held-out digits are read, by initialiser and learning rate"
    return f"![{shown}]({PICTURE})\n\n{wrapped(said)}"


def styles() -> str:
    """The three styles of the same derivation, timed in turns."""
    rows: list[Sequence[str]] = []
    for layers, repeats in ((3, 200), (100, 10)):
        calls = seeds.styles(layers)
        clocks = {style: warm(call, repeats) for style, call in calls.items()}
        loop = race(clocks["unrolled"], clocks["loop"], 15)
        recursive = race(clocks["unrolled"], clocks["recursive"], 15)
        times = (loop.ours, loop.theirs, recursive.theirs)
        same = "yes" if seeds.same_bits(calls) else "no"
        rows.append((f"{layers} layers", *(seconds(middle(one).cpu) for one in times), same))
    return page.table(("", "line by line", "a loop", "a recursion", "the same bits"), rows)


def bias() -> str:
    """Separate and augmented bias, none, and ones that are trained."""
    epochs, count = 50, 5
    fixed, free = (seeds.ones(count, epochs, 0.1, trained=one) for one in (False, True))
    fixed_all, free_all = (
        seeds.ones(3, 500, 0.01, trained=one, whole=True) for one in (False, True)
    )
    rows = [
        (what, f"{loss:.1f}", f"{share:.1%}")
        for what, loss, share in (
            ("one after the other, ones stay 1", fixed.loss, fixed.read),
            ("… one number a layer, trained", free.loss, free.read),
            ("… trained, and 1 again afterwards", free.loss_at_one, free.read_at_one),
            ("all in one batch, ones stay 1", fixed_all.loss, fixed_all.read),
            ("… a column a layer, trained", free_all.loss, free_all.read),
            ("… trained, and 1 again afterwards", free_all.loss_at_one, free_all.read_at_one),
        )
    ]
    ends = ", ".join(f"{value:.2f}" for value in free.values.mean(axis=(1, 2)))
    gap = seeds.apart(20)
    differ = f"differ by at most {gap:.0e}" if gap else "do not differ in a single bit"
    _, none = seeds.read_digits_network(epochs, bias=None)
    _, some = seeds.read_digits_network(epochs, bias="separate")
    said = (
        f"A separate bias and the last row of an augmented weight {differ} after 20 epochs. With "
        f"a bias {some:.1%} of the held-out digits are read after {epochs} epochs, without "
        f"{none:.1%}."
    )
    heads = ("digits, means of a few seeds", "loss on what it learnt from", "held out read")
    went = f"One after the other, the trained numbers went from 1 to {ends}, layer by layer."
    return f"{wrapped(said)}\n\n{page.table(heads, rows)}\n\n{wrapped(went)}"


def wrapped(text: str) -> str:
    """A paragraph in lines as long as the page's own."""
    return textwrap.fill(text, 100)


BLOCKS: tuple[Callable[[], str], ...] = (xor, digits, order, rates, styles, bias)

NAMES = tuple(block.__name__ for block in BLOCKS)  # of the blocks of the page


def main(only: Sequence[str] | None, *, write: bool) -> None:
    """Run the experiments, and put what came out into the page if it is wanted there."""
    threadpool_limits(1)  # the products are too small for two
    for block in page.chosen(BLOCKS, only, lambda block: block.__name__):
        start = time.perf_counter()
        text = block()
        print(f"{block.__name__}\n\n{text}\n", flush=True)
        print(f"{block.__name__}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        if write:
            page.write(PAGE, {block.__name__: text})
        if write and block is rates:
            picture.draw(picture.compare(EPOCHS), picture.RATES, EPOCHS, page.DOCS / PICTURE)
