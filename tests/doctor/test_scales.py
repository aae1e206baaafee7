"""Factors: each tensor's own where updates have rates of their own, a mistake in a gradient."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.uniform(size=(6, 2))
PARAMS = [RANDOM.normal(size=size) for size in [(4, 3), (3,), (3, 2), (2,)]]
RETURN = "return X.T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)"
NAMES = ["dW1", "db1", "dW2", "db2"]
GRADIENTS = ["X.T @ e", "e.sum(axis=0)", "h.T @ d", "d.sum(axis=0)"]


class Network:
    def __init__(self, grads, params):
        self.W1, self.b1, self.W2, self.b2 = params
        self.grads = grads

    def gradients(self, X, Y):
        return self.grads([self.W1, self.b1, self.W2, self.b2], X, Y)


def program(folder, *factors):
    """Gradients that are returned with a factor each, a number or a name."""
    made = zip(NAMES, factors, GRADIENTS, strict=True)
    lines = [f"{name} = {factor} * {one}" for name, factor, one in made]
    text = "\n    ".join(["scale, small = 0.37, 0.1", *lines, f"return {', '.join(NAMES)}"])
    return load("returning", folder, (RETURN, text))


def asked(way, module):
    """The report on these gradients: with their loss, without it, or as those of an object."""
    if way == "loss":
        return bp.doctor(module.grads, loss=module.loss, params=PARAMS, args=(X, Y))
    if way == "object":
        return bp.doctor(Network(module.grads, PARAMS).gradients, X, Y)
    return bp.doctor(module.grads, PARAMS, X, Y)


@pytest.mark.parametrize("way", ["loss", "alone", "object"])
@pytest.mark.parametrize(
    ("factor", "place"), [("scale", 0), ("small", 2), ("0.3", 3), ("0.5", 0), ("small", 1)]
)
def test_a_factor_of_one_returned_gradient_is_a_mistake(tmp_path, way, factor, place):
    factors = [factor if one == place else "1" for one in range(4)]
    module, lines = program(tmp_path, *factors)
    report = asked(way, module)
    assert report.verdict == "bug"
    (found,) = report.findings
    assert found.bug == 4
    assert lines[found.line - 1].strip() == f"{NAMES[place]} = {factor} * {GRADIENTS[place]}"
    wrong = [one.verdict == "bug" for one in report.tensors]
    assert wrong == [one == place for one in range(4)]


@pytest.mark.parametrize("way", ["loss", "alone", "object"])
def test_returned_gradients_of_two_scales_are_not_right(tmp_path, way):
    module, lines = program(tmp_path, "small", "small", "scale", "scale")
    report = asked(way, module)
    assert report.verdict == "bug"
    (found,) = (one for one in report.findings if one.accuses)
    assert found.bug == 4
    assert lines[found.line - 1].strip().startswith("dW1 =")


@pytest.mark.parametrize("way", ["loss", "alone", "object"])
@pytest.mark.parametrize(("factor", "value"), [("scale", 0.37), ("0.1", 0.1)])
def test_one_factor_of_all_returned_gradients_is_a_scale(tmp_path, way, factor, value):
    module, _ = program(tmp_path, *[factor] * 4)
    report = asked(way, module)
    assert report.verdict == "correct up to a scale"
    assert not any(one.accuses for one in report.findings)
    if way == "loss":  # which else might be another multiple of the mean, or of the sum
        assert [one.scale for one in report.tensors] == pytest.approx([value] * 4)


@pytest.mark.parametrize("way", ["loss", "alone", "object"])
def test_returned_gradients_without_a_factor_are_right(tmp_path, way):
    module, _ = program(tmp_path, "1", "1", "1", "1")
    assert asked(way, module).verdict == "correct"


def updating(params, X, Y, slow=0.1, fast=0.3):
    W1, b1, W2, b2 = params
    h = np.tanh(X @ W1 + b1)
    d = h @ W2 + b2 - Y
    e = d @ W2.T * (1 - h**2)
    W2 -= fast * h.T @ d
    b2 -= fast * d.sum(axis=0)
    W1 -= slow * X.T @ e
    b1 -= slow * e.sum(axis=0)


def updated(params, X, Y, slow=0.1, fast=0.3):
    W1, b1, W2, b2 = params
    h = np.tanh(X @ W1 + b1)
    d = h @ W2 + b2 - Y
    e = d @ W2.T * (1 - h**2)
    W2, b2 = W2 - fast * h.T @ d, b2 - fast * d.sum(axis=0)
    W1, b1 = W1 - slow * X.T @ e, b1 - slow * e.sum(axis=0)
    return W1, b1, W2, b2


@pytest.mark.parametrize("update", [updating, updated])
def test_updates_may_have_rates_of_their_own(update):
    report = bp.doctor(update, PARAMS, X, Y)
    assert (report.verdict, report.findings) == ("correct", ())
