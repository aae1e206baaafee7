"""A network read off a derivation, or off a `bp.Network`."""

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.printed.stated import stated
from tests.doctor.printed.networks import NUMBERS, classifier, published


def test_a_derivation_is_read_for_its_layers_loss_and_weights():
    one = stated(published(), list(NUMBERS.values()), 0.5)
    assert [layer.activation for layer in one.seen.layers] == ["sigmoid", "sigmoid"]
    assert (one.title, one.times) == ("½Σ(a − y)²", 1)
    assert one.trained == {("W", 1), ("W", 2)}
    assert np.array_equal(one.weights["W", 1], np.transpose(NUMBERS["W1"]))
    assert np.array_equal(one.shaped(("W", 1), one.weights["W", 1]), NUMBERS["W1"])
    assert one.names["hidden"] == ("A", 1, False)


@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_a_network_is_stated_in_either_convention(convention):
    net, X, y = classifier(convention)
    one = stated(net, (X, y), None)
    assert one.rate == 0.5
    assert [layer.units for layer in one.seen.layers] == [4, 4, 3]
    assert len(one.trained) == 6
    value, _ = net.gradients(X, y)
    assert one.times * one.family.value(one.first().A[-1], one.y) == pytest.approx(value)


def test_outputs_without_a_line_of_their_own_are_told_from_the_error():
    d = bp.derive(
        lambda X, y, W, b: 0.5 * np.sum((np.tanh(X @ W + b) @ W.T - y) ** 2),
        "X: n k, y: n k, W: k j, b: j", wrt="W b",
    )  # fmt: skip
    with pytest.raises(bp.BackpassError, match="y does not stand"):  # one weight in two layers
        stated(d, (np.ones((3, 2)), np.ones((3, 2)), np.ones((2, 4)), np.ones(4)), 0.1)
    d = bp.derive(lambda X, y, W: 0.5 * np.sum((y - X @ W) ** 2), "X: n k, y: n m, W: k m", "W")
    one = stated(d, (np.ones((3, 2)), np.ones((3, 5)), np.ones((2, 5))), 0.1)
    assert [layer.activation for layer in one.seen.layers] == ["linear"]


def test_what_is_missing_is_said():
    d = published()
    with pytest.raises(bp.BackpassError, match="say the learning rate"):
        stated(d, list(NUMBERS.values()), None)
    net, X, _ = classifier()
    with pytest.raises(bp.BackpassError, match="give the samples and their targets"):
        stated(net, (X,), None)
    net.optimizer = bp.SGD(0.1, momentum=0.9)
    with pytest.raises(bp.BackpassError, match="train by plain SGD, and this network by SGD"):
        stated(net, (X, np.zeros(6, int)), None)
    curve = bp.derive("L = sum((exp(w x) - y)²)", "x: n, y: n, w: ()", wrt="w")
    with pytest.raises(bp.BackpassError, match="no chain of dense layers was recognised"):
        stated(curve, ([1.0, 2.0], [1.0, 2.0], 0.3), 0.1)
    odd = bp.derive(lambda X, y, W: np.sum((X @ W - y) ** 6), "X: n k, y: n m, W: k m", wrt="W")
    with pytest.raises(bp.BackpassError, match="L is no loss known here"):
        stated(odd, (np.ones((3, 2)), np.ones((3, 2)), np.eye(2)), 0.1)
