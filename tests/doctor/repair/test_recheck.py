"""Edited code, run again and held to the gradient."""

import numpy as np
import pytest

from backpass.doctor.bank import FAMILIES
from backpass.doctor.repair.recheck import Subject, distance
from backpass.doctor.watched import watched
from tests.doctor.mutants import load
from tests.doctor.test_verdict import X, Y

SQUARES = next(one for one in FAMILIES if one.base == "half_sum_of_squares")


@pytest.fixture
def subject(tmp_path):
    module, lines = load("three", tmp_path, ("* dtanh(self.A1)", ""))
    call = module.Three().fit_partial
    source = "\n".join(lines)
    return Subject(call, (X, Y), None, None, False), module.__file__, source


def test_only_the_right_source_comes_out_at_the_gradient(subject):
    one, file, source = subject
    right = source.replace("d1 = (d2 @ self.W2.T)", "d1 = (d2 @ self.W2.T) * dtanh(self.A1)")
    assert one.again(file, right, SQUARES, 3) < 1e-12
    assert one.again(file, right, SQUARES, 2) is None
    assert one.again(file, source, SQUARES, 3) is None
    assert one.again(file, right.replace("out - Y", "Y - out"), SQUARES, 3) is None


@pytest.mark.parametrize("text", ["d1 = nobody", "d1 = d2 @", "d1 = d2[:1]", "d1 = None"])
def test_whatever_does_not_run_is_not_the_repair(subject, text):
    one, file, source = subject
    assert one.again(file, source.replace("d1 = (d2 @ self.W2.T)", text), SQUARES, 3) is None


def test_the_distance_is_that_of_the_worst_tensor(tmp_path):
    module, _ = load("three", tmp_path)
    (way,) = watched(module.Three().fit_partial, (X, Y), None, None)
    passes = next(way.passes(way.networks()))
    assert distance(passes, SQUARES) < 1e-12
    passes[0].moved["b", 1][:] *= 1.001
    assert distance(passes, SQUARES) == pytest.approx(1e-3, rel=0.1)
    passes[0].moved["b", 1][:] = np.nan
    assert distance(passes, SQUARES) is None
