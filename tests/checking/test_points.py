"""Sizes and inputs that are drawn."""

import numpy as np

from backpass.checking.points import draw_inputs, draw_sizes, size_names, work
from backpass.language.notation import parse_program
from backpass.language.program import Array
from backpass.language.shapes import size

INPUTS = (
    Array("X", (size("n"), size("k+1"))),
    Array("y", (size("n"),), "int", size("m")),
    Array("mask", (size(3),), "bool"),
)


def test_every_name_counts_also_the_range_of_integers():
    assert size_names(INPUTS) == ("n", "k", "m")


def test_sizes_are_small_and_no_two_alike_and_one_of_them_may_be_1():
    random = np.random.default_rng(0)
    for _ in range(50):
        sizes = draw_sizes("nkm", random, one=False)
        assert len(set(sizes.values())) == 3
        assert min(sizes.values()) >= 2
        assert max(sizes.values()) <= 9
        assert min(draw_sizes("nkm", random, one=True).values()) == 1


def test_there_are_sizes_for_many_names():
    names = [f"n{place}" for place in range(40)]
    assert len(set(draw_sizes(names, np.random.default_rng(0), one=False).values())) == 40


def test_inputs_have_their_shapes_kinds_and_ranges():
    random = np.random.default_rng(0)
    for positive in (False, True):
        values = draw_inputs(INPUTS, {"n": 200, "k": 4, "m": 3}, random, positive=positive)
        assert {name: value.shape for name, value in values.items()} == {
            "X": (200, 5), "y": (200,), "mask": (3,),
        }  # fmt: skip
        assert set(values["y"].tolist()) == {0, 1, 2}
        assert values["mask"].dtype == bool
        assert (values["X"].min() >= 0.1) == positive
        assert (values["X"].max() <= 0.9) or not positive


def test_work_is_the_number_of_terms():
    program = parse_program("X: n k\nW: k j\nZ[n,j] = X[n,k] * W[k,j]\nL = Z[n,j]\nreturn L")
    assert work(program, {"n": 2, "k": 3, "j": 5}) == 30 + 10
