"""Functions that stand in for those that were only declared: each has the slope it claims."""

import numpy as np
import pytest

import backpass as bp
from backpass.checking.differences import compare, noise
from backpass.checking.stand_ins import cost, declared, elementwise, specified
from backpass.language.evaluate import evaluate


@pytest.mark.parametrize("name", ["g", "h", "sigma", "g′", "g″"])
def test_the_prime_is_the_slope(name):
    slope = {"′": name[:-1] + "″", "″": name + "′"}.get(name[-1], name + "′")
    for x in (-1.3, 0.0, 0.4, 2.0):
        value, claimed = elementwise(name), elementwise(slope)(x)

        def phi(t, value=value, x=x):
            return float(value(x + t))

        assert compare(phi, float(claimed), here=phi(0), sigma=noise(phi)).verdict == "agrees"


def test_nabla_is_the_gradient():
    y, u = np.random.default_rng(0).standard_normal((2, 4, 3))

    def phi(t):
        return float(cost("C")(y + t * u))

    claimed = float(np.sum(cost("∇C")(y) * u))
    assert compare(phi, claimed, here=phi(0), sigma=noise(phi)).verdict == "agrees"


def test_functions_of_different_names_differ():
    assert elementwise("g")(0.3) != elementwise("h")(0.3)


def test_a_program_gets_a_body_for_every_function():
    d = bp.derive("L = C(g(W @ x))", "W: j k, x: k", functions="g: elementwise, C: scalar")
    bodies = declared(d.program)
    assert set(bodies) == {"g", "g′", "g″", "C", "∇C"}
    values = {"W": np.ones((2, 3)), "x": np.ones(3)}
    found = evaluate(specified(d.program, bodies), values)
    assert found["L"] == pytest.approx(cost("C")(elementwise("g")(np.full(2, 3.0))))


def test_bodies_of_others_are_taken_as_they_are():
    d = bp.derive("L = sum(g(x) * tanh(x))", "x: k", functions="g: elementwise")
    program = specified(d.program, {"g": np.square, "g′": lambda x: 2 * x})
    found = evaluate(program, {"x": np.array([0.5, 2.0])})
    assert found["L"] == pytest.approx(0.25 * np.tanh(0.5) + 4 * np.tanh(2))
