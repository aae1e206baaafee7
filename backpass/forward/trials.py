"""The sizes at which a forward pass is tried."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from backpass.language.shapes import Size, evaluate_size

World = Mapping[str, int]  # what every named size is in one run
BEYOND = (1000, 250, 60, 20)  # what a large size is above: the first that memory allows
FULL = 4 * 10**6  # entries of an array that the forward pass fills itself


def small_worlds(names: Sequence[str], fixed: Collection[int]) -> tuple[World, World]:
    """Two choices of small primes, in which no two names and no fixed number share a size.

    The second runs through the names backwards, so that no two sizes differ by the same amount
    everywhere, and `k` is never mistaken for `n+6`. Without any names there are two runs all the
    same: random numbers and counters differ between them.
    """
    small = list(islice((p for p in _primes(5) if p not in fixed), 2 * len(names)))
    return (
        dict(zip(names, small, strict=False)),
        dict(zip(reversed(names), small[len(names) :], strict=True)),
    )


def large_worlds(
    names: Sequence[str],
    fixed: Collection[int],
    small: tuple[World, World],
    asked: int = 0,
    made: Iterable[Size] = (),
) -> tuple[World, ...]:
    """For every size a run in which it is large: above 1,000, and above what the code `asked`.

    Large sizes are even, since small ones are not. With three names or more they take turns: a
    forward pass may fill an array of its own with three axes. If the arrays that it has `made`
    would grow too big all the same, large is a smaller number.
    """
    if not names:
        return ()
    made = tuple(made)
    found: tuple[World, ...] = ()
    for beyond in BEYOND:
        found = _large(names, fixed, small, max(beyond, asked))
        if all(evaluate_size(entries, one) <= FULL for entries in made for one in found):
            break
    return found


def _large(
    names: Sequence[str], fixed: Collection[int], small: tuple[World, World], beyond: int
) -> tuple[World, ...]:
    evens = (2 * p for p in _primes(beyond // 2 + 1))
    large = list(islice((one for one in evens if one not in fixed), len(names)))
    turns = 1 if len(names) < 3 else 3
    return tuple(
        {
            name: large[place] if place % turns == turn else small[turn % 2][name]
            for place, name in enumerate(names)
        }
        for turn in range(turns)
    )


def _primes(start: int) -> Iterator[int]:
    candidate = start | 1
    while True:
        if all(candidate % d for d in range(3, int(candidate**0.5) + 1, 2)):
            yield candidate
        candidate += 2


def worlds_of_lengths(
    counted: Iterable[str], constants: Iterable[int], small: tuple[World, World]
) -> Iterator[tuple[str, World]]:
    """Runs in which a size is 1, or one of the numbers that the code may compare it with."""
    asked = sorted({1, *(one for one in constants if 1 < one <= 1000)})
    for name in counted:
        for length in asked:
            for world in small:
                if length not in world.values():
                    yield name, {**world, name: length}
                    break
