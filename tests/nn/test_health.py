"""What ails a network is found where it was put, and nothing in one that is well."""

import warnings

import numpy as np
import pytest

import backpass as bp
from backpass.nn.data import load_digits, split

(X, Y), _ = split(*load_digits())
X, Y = X[:320], Y[:320]


def trained(*layers, lr=0.1, epochs=2, scale=1.0, **options):
    net = bp.Network([*layers, bp.Dense(10)], inputs=64, optimizer=bp.SGD(lr), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        net.fit(X * scale, Y, epochs=epochs, progress=False)
    return net


def kinds(found):
    return {one.kind for one in found.findings}


def test_a_network_that_learns_is_well():
    net = trained(bp.Dense(32, "relu"), epochs=4)
    before = {name: one.copy() for name, one in net.weights.items()}
    found = net.health(X, Y)
    assert found
    assert "Nothing conspicuous" in str(found)
    assert found.loss == pytest.approx(net.gradients(X, Y)[0], rel=1e-6)
    for name, values in before.items():
        np.testing.assert_array_equal(net.weights[name], values)


def test_units_that_never_fire_are_counted():
    net = trained(bp.Dense(20, "relu"))
    net.weights["b1"][:7] = -100
    (found,) = net.health(X, Y, by_heart=False).findings
    assert (found.kind, found.layer) == ("dead", 1)
    assert found.what.startswith("7 of the 20 units of layer 1")
    assert net.health(X, Y, by_heart=False).layers[0].dead == 7


def test_a_layer_of_large_weights_is_saturated():
    net = trained(bp.Dense(16, "tanh"))
    net.weights["W1"] *= 200
    found = net.health(X, Y, by_heart=False)
    assert "saturated" in kinds(found)
    assert found.layers[0].flat > 0.5


def test_gradients_vanish_through_many_sigmoids_and_explode_through_large_weights():
    deep = trained(*[bp.Dense(16, "sigmoid")] * 8)
    assert "vanishing" in kinds(deep.health(X, Y, by_heart=False))
    wide = trained(*[bp.Dense(16)] * 5, lr=1e-6)
    for number in range(1, 6):
        wide.weights[f"W{number}"] *= 10
    assert "exploding" in kinds(wide.health(X, Y, by_heart=False))


def test_steps_inputs_and_the_first_loss_are_held_to_what_is_usual():
    assert "step" in kinds(trained(bp.Dense(8, "tanh"), lr=1e-9).health(X, Y, by_heart=False))
    new = bp.Network([bp.Dense(10)], inputs=64, optimizer=bp.SGD(0.5))
    new.weights["W1"] *= 100
    assert kinds(new.health(X * 255, Y, by_heart=False)) >= {"inputs", "start", "step"}


def test_a_rate_that_is_far_too_small_learns_nothing_by_heart():
    found = trained(bp.Dense(8, "tanh"), lr=1e-7).health(X, Y)
    assert kinds(found) >= {"guessing", "by heart"}
    assert max(map(len, str(found).splitlines())) <= 80
    assert found.to_json()["findings"][0]["kind"] == "guessing"


@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_quantities_are_those_of_the_derivation(convention):
    net = bp.Network(
        [bp.Dense(5, "tanh"), bp.Dense(2)], inputs=3, loss="mse", convention=convention,
        optimizer=bp.SGD(0.5), dtype="float64",
    )  # fmt: skip
    shapes = {"rows": ((7, 3), (7, 2)), "columns": ((3, 7), (2, 7))}[convention]
    x, y = (np.random.default_rng(0).normal(size=shape) for shape in shapes)
    seen = net.quantities(x, y)
    loss, gradients = net.gradients(x, y)
    assert seen["L"] == pytest.approx(loss)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(seen[f"d{name}"], gradient)
        np.testing.assert_allclose(seen[f"{name}′"], net.weights[name] - 0.5 * gradient)
    assert net.health(x, y, by_heart=False).samples == 7


def test_an_optimiser_that_looks_at_everything_first_has_no_next_step():
    net = bp.Network([bp.Dense(8, "tanh"), bp.Dense(10)], inputs=64, optimizer=bp.LBFGS())
    found = net.health(X, Y, by_heart=False)
    assert [one.step for one in found.layers] == [None, None]
    assert "–" in str(found)
