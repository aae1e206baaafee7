"""What should stand in a line, in the names of its function."""

import pytest

from backpass.doctor.lines import Lines
from backpass.doctor.repair.synthesis import Named, Names, slopes
from backpass.doctor.right import chain
from backpass.doctor.watched import watched
from tests.doctor.mutants import load
from tests.doctor.repair.test_recheck import SQUARES
from tests.doctor.test_verdict import X, Y


@pytest.fixture
def three(tmp_path):
    module, _ = load("three", tmp_path)
    (way,) = watched(module.Three().fit_partial, (X, Y), None, None)
    run = next(way.passes(way.networks()))[0]
    lines = Lines(way.probes[0].run, run.A[-1])
    return chain(run, SQUARES), Names(lines, "Three.fit_partial")


def test_quantities_are_called_as_the_function_calls_them(three):
    (first, _, last), names = three
    assert names.of(last.dZ)[0] == Named("d3", False, 2)
    assert names.of(first.dZ)[0].text == "d1"
    assert [one.text for one in names.of(last.into)][:1] == ["self.A2"]
    assert names.of(first.dA)[0].text == "d2 @ self.W2.T"


def test_a_slope_is_asked_for_as_in_another_layer(three):
    (first, _, last), names = three
    assert next(slopes(first, names)) == "dtanh(self.A1)"
    assert "out * (1 - out)" in list(slopes(last, names))


def test_a_quantity_that_stands_turned_is_turned_back():
    assert Named("A", True, 2).rows == "A.T"
    assert Named("A", True, 2).columns == "A"
    assert Named("A", False, 2).columns == "A.T"
