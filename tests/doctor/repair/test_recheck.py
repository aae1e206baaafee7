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
    (way,) = watched(call, (X, Y), None, None)
    layers = way.networks()[0].layers
    return Subject(call, (X, Y), None, None, False), module.__file__, "\n".join(lines), layers


def test_only_the_right_source_comes_out_at_the_gradient(subject):
    one, file, source, layers = subject
    right = source.replace("d1 = (d2 @ self.W2.T)", "d1 = (d2 @ self.W2.T) * dtanh(self.A1)")
    assert one.again(file, right, SQUARES, layers) < 1e-12
    assert one.again(file, right, SQUARES, layers[:2]) is None
    assert one.again(file, source, SQUARES, layers) is None
    assert one.again(file, right.replace("out - Y", "Y - out"), SQUARES, layers) is None


@pytest.mark.parametrize("text", ["d1 = nobody", "d1 = d2 @", "d1 = d2[:1]", "d1 = None"])
def test_whatever_does_not_run_is_not_the_repair(subject, text):
    one, file, source, layers = subject
    assert one.again(file, source.replace("d1 = (d2 @ self.W2.T)", text), SQUARES, layers) is None


def test_a_source_whose_forward_pass_stays_mistaken_is_not_the_repair(tmp_path):
    over_classes, over_samples = "axis=1, keepdims=True)\n", "axis=0)\n"
    module, lines = load(
        "chooser", tmp_path, (f"e / e.sum({over_classes}", f"e / e.sum({over_samples}")
    )
    random = np.random.default_rng(0)
    args = module.start(3, 4, 2), random.normal(size=(6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]]
    one, source = Subject(module.train, args, None, None, False), "\n".join(lines) + "\n"
    meant, _ = load("chooser", tmp_path)
    layers = watched(meant.train, args, None, None)[0].networks()[0].layers
    entropy = next(one for one in FAMILIES if one.base == "cross_entropy_from_probabilities")
    same = source.replace("e / e.sum", "2 * e / (2 * e).sum")
    right = source.replace(f"e / e.sum({over_samples}", f"e / e.sum({over_classes}")
    assert one.again(module.__file__, same, entropy, layers) is None
    assert one.again(module.__file__, right, entropy, layers) < 1e-12


def test_the_distance_is_that_of_the_worst_tensor(tmp_path):
    module, _ = load("three", tmp_path)
    (way,) = watched(module.Three().fit_partial, (X, Y), None, None)
    passes = next(way.passes(way.networks()))
    assert distance(passes, SQUARES) < 1e-12
    passes[0].moved["b", 1][:] *= 1.001
    assert distance(passes, SQUARES) == pytest.approx(1e-3, rel=0.1)
    passes[0].moved["b", 1][:] = np.nan
    assert distance(passes, SQUARES) is None


def test_another_activation_whose_gradient_it_is_is_not_the_repair(subject):
    one, file, source, layers = subject
    straight = source.replace("self.A1 = np.tanh(self.Z1)", "self.A1 = self.Z1")
    assert one.again(file, straight, SQUARES, layers) is None
