"""Weights held apart, by neuron or one by one, are the arrays of layers all the same."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.probe import probe
from backpass.doctor.state import Roots
from backpass.doctor.units import gathered, together
from tests.doctor.programs import neurons, numbers, tables

RANDOM = np.random.default_rng(1)
X, Y = RANDOM.normal(size=(5, 3)), RANDOM.uniform(size=(5, 2))


def apart():
    return neurons.learn, neurons.make(3, 4, 2), X.tolist(), Y.tolist()


def alone():
    return numbers.Numbers().step, [0.05, 0.1], [0.01, 0.99]


@pytest.mark.parametrize(
    ("program", "shapes"),
    [(apart, ["4×4", "2×5"]), (alone, ["2×2", "2", "2×2", "2"])],
    ids=["neurons", "numbers"],
)
def test_it_is_read_and_judged_like_any_network(program, shapes):
    call, *args = program()
    report = bp.doctor(call, *args, lr=0.5)
    assert report.verdict == "correct"
    assert ["×".join(map(str, one.shape)) for one in report.tensors] == shapes
    found = bp.annotate(call, *args)
    assert found.share > 0.95
    assert found.summary[-1].startswith("It descends ½Σ(a − y)²")


def test_a_mistake_in_one_number_is_found():
    class Wrong(numbers.Numbers):
        def step(self, x, y):
            kept = self.w3
            super().step(x, y)
            self.w3 = 2 * kept - self.w3

    report = bp.doctor(Wrong().step, [0.05, 0.1], [0.01, 0.99])
    assert report.verdict in ("bug", "unknown")
    wrong = [one.path for one in report.tensors if one.verdict != "correct"]
    assert wrong == ["[self.w1 self.w2; self.w3 self.w4]"]


def test_arrays_are_left_as_they_are():
    run = probe(tables.step, [tables.make(3, 4, 1), X.T, np.array([[0, 1, 1, 0, 1]])])
    assert gathered([run])[0] is run


def test_equal_numbers_are_not_one_number():
    held = {"a": 0.1, "b": 0.1}
    held["b"] = held["a"]
    state = Roots.of(lambda held: None, [held]).state()
    state.replace("held['a']", np.asarray(0.7))
    assert held == {"a": 0.7, "b": 0.1}


def test_paths_that_count_are_written_with_dots():
    rows = [("net[0]['w']",), ("net[1]['w']",), ("net[2]['w']",)]
    assert together(rows) == "net[0…2]['w']"
    assert together([("w1", "w2"), ("w3", "w4")]) == "[w1 w2; w3 w4]"
    assert together([("b",), ("b",)]) == "b"
