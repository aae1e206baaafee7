"""The range test finds where a loss falls and where it breaks, and changes nothing."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.rates import lr_range_test

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3))
Y = X @ RANDOM.normal(size=(3, 1))


def network(**options):
    options = {"loss": "mse", "dtype": "float64", "optimizer": bp.SGD(0.1), **options}
    return bp.Network([bp.Dense(1)], inputs=3, **options)


def test_a_square_breaks_where_theory_says():
    net = network()
    found = lr_range_test(net, X, Y, low=1e-3, high=100, steps=100, batch_size=40)
    # descent on a square diverges above 2 over the largest eigenvalue of its Hessian
    ones = np.column_stack([X, np.ones(40)])
    limit = 2 / np.linalg.eigvalsh(2 * ones.T @ ones / 40).max()
    assert limit < found.rates[-1] < 100 * limit
    assert limit / 30 < found.suggested < limit
    assert found.losses[0] == pytest.approx(net.gradients(X, Y)[0])
    assert f"{found.suggested:.2g}" in str(found)
    picture = found.plot().axes[0]
    assert picture.get_xscale() == "log"
    low, high = picture.get_ylim()
    assert low < found.losses.min() < found.smooth[0] < high < found.smooth[0] + 3


def test_nothing_of_the_network_changes_and_the_same_seed_gives_the_same():
    net = network(optimizer=bp.Adam(0.01))
    before = {name: one.copy() for name, one in {**net.weights, **net.state}.items()}
    first = lr_range_test(net, X, Y, steps=20, batch_size=7)
    np.testing.assert_array_equal(
        first.losses, lr_range_test(net, X, Y, steps=20, batch_size=7).losses
    )
    for name, values in before.items():
        np.testing.assert_array_equal({**net.weights, **net.state}[name], values)
    assert net.steps == 0


def test_where_the_loss_never_falls_nothing_is_suggested():
    found = lr_range_test(network(), X * 0, Y * 0, steps=10)
    assert found.suggested is None
    assert "fell nowhere" in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"low": 0}, "no range"),
        ({"low": 2, "high": 1}, "no range"),
        ({"steps": 1}, "steps=1"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_what_is_no_range_is_refused(options, said):
    with pytest.raises(BackpassError, match=said):
        lr_range_test(network(), X, Y, **options)


def test_penalties_dropped_units_and_norms_are_tested_as_they_are_trained():
    layers = [bp.Dense(4), bp.BatchNorm("tanh"), bp.Dropout(0.2), bp.Dense(1)]
    net = bp.Network(layers, inputs=3, loss="mse", l2=0.1)
    found = net.lr_range_test(X, Y, steps=30, batch_size=8)
    assert len(found.losses) == len(found.rates) <= 30
    with pytest.raises(BackpassError, match="LBFGS has no learning rate"):
        network(optimizer=bp.LBFGS()).lr_range_test(X, Y)
