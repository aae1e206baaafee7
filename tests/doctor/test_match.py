"""An array is found among quantities whole, turned, in part and to scale, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from backpass.doctor.match import Index

RANDOM = np.random.default_rng(0)
Z, b, L = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=3), np.asarray(0.7)
INDEX = Index({"Z": Z, "b": b, "L": L})


@pytest.mark.parametrize(
    ("value", "name", "part", "place"),
    [
        (Z, "Z", "whole", ()),
        (Z.T, "Z", "transposed", ()),
        (Z[2], "Z", "row", (2,)),
        (Z[2:3], "Z", "row", (2,)),
        (Z[:, 1], "Z", "column", (1,)),
        (Z[:, 1:2], "Z", "column", (1,)),
        (Z[:, :-1], "Z", "narrower", (5, 2)),
        (Z[4, 0], "Z", "entry", (4, 0)),
        (b, "b", "whole", ()),
        (b[:, None], "b", "flat", ()),
        (L, "L", "whole", ()),
    ],
)
def test_an_array_is_found_by_what_it_holds(value, name, part, place):
    found = INDEX.find(np.asarray(value))[0]
    assert (found.name, found.part, found.place) == (name, part, place)


def test_a_scale_is_taken_out_first():
    found = INDEX.find(-2 * Z, scale=-2.0)
    assert [(one.name, one.part, one.scale) for one in found] == [("Z", "whole", -2.0)]
    assert INDEX.find(-2 * Z) == []


def test_what_differs_in_one_entry_or_in_order_is_not_found():
    other = Z.copy()
    other[0, 0] += 1e-6
    assert INDEX.find(other) == []
    assert INDEX.find(Z[::-1]) == []
    assert INDEX.find(Z.reshape(3, 5)) == []
    assert INDEX.find(np.full((5, 3), np.nan)) == []
    assert INDEX.find(np.zeros((5, 3))) == []


def test_zeros_and_ones_alone_tell_nothing():
    index = Index({"mask": np.array([[0.0, 1.0], [1.0, 0.0]])})
    assert index.find(np.asarray(1.0)) == []
    assert index.find(np.array([[0.0, 1.0], [1.0, 0.0]]))[0].part == "whole"


def test_parts_can_be_left_out():
    index = Index({"Z": Z}, parts=False)
    assert index.find(Z[2]) == []
    assert [one.part for one in index.find(Z.T)] == ["transposed"]
