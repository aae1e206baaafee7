"""Sizes that tell each other apart, and that are large where memory allows."""

from backpass.forward.trials import large_worlds, small_worlds, worlds_of_lengths
from backpass.language.shapes import size

NAMES = ["n", "k", "m"]
FIXED = {3, 7, 1006}
SMALL = small_worlds(NAMES, FIXED)


def test_no_two_sizes_and_no_fixed_number_share_a_witness():
    worlds = (*SMALL, *large_worlds(NAMES, FIXED, SMALL))
    for world in worlds:
        assert len({*world.values(), *FIXED}) == 6
    for name in NAMES:
        assert max(world[name] for world in worlds) > 1000
        assert sorted(world[name] for world in worlds)[1] < 100
        assert len({world[name] % 2 for world in worlds}) == 2
    assert (*small_worlds([], ()), *large_worlds([], (), ({}, {}))) == ({}, {})


def test_large_is_what_the_code_asks_for_and_what_memory_allows():
    small = small_worlds(["n"], ())

    def large(asked, *made):
        ((found,),) = (one.values() for one in large_worlds(["n"], (), small, asked, made))
        return found

    assert 1000 < large(32) < 1100
    assert 7000 < large(7000) < 7100
    assert 1000 < large(32, size("n**2")) < 1100
    assert 60 < large(32, size("n**2"), size("n**3")) < 70
    assert 20 < large(0, size("n**4")) < 30
    assert 80 < large(80, size("n**4")) < 90


def test_a_length_is_tried_at_one_and_at_what_it_is_compared_with():
    tried = [*worlds_of_lengths(["k"], [0, 2, 7, 5000, -1], SMALL)]
    assert [(name, world[name]) for name, world in tried] == [("k", 1), ("k", 2), ("k", 7)]
    assert all(len({*world.values()}) == 3 for _, world in tried)
