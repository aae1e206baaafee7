"""Update rules are index notation: they print as they run, and keep state of their own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.optim import Optimizer, with_updates


@dataclass(frozen=True)
class Heavy(Optimizer):
    """A ball that keeps rolling: a rule with state."""

    lr: float
    beta: float
    rules: ClassVar[tuple[str, ...]] = (
        "V′[k,j] = beta * V[k,j] + dW[k,j]",
        "W′[k,j] = W[k,j] - lr * V′[k,j]",
    )


def test_a_rule_prints_as_it_runs():
    assert str(bp.SGD(0.1)) == "SGD(lr=0.1)\n  W′[k,j] = W[k,j] - lr * dW[k,j]"
    net = bp.Network([bp.Dense(2)], inputs=3, optimizer=bp.SGD(0.1))
    net.fit([[1, 2, 3], [3, 2, 1]], [0, 1], epochs=1, progress=False)
    source = net.plan()
    assert "W1_prime = W1 - lr * dW1" in source
    assert "b1_prime = b1 - lr * db1" in source


def test_updates_stand_behind_every_gradient():
    net = bp.Network([bp.Dense(4, "relu"), bp.Dense(2)], inputs=3)
    d = net.derivation()
    program = with_updates(d.program, d.gradients, bp.SGD(0.1), ("L",))
    names = [step.name for step in program.steps]
    assert names[-4:] == ["W1′", "W2′", "b1′", "b2′"]
    assert {*d.gradients.values()} < {*names[:-4]}
    assert program.steps[:-4] == d.program.steps


def test_a_rule_may_keep_state():
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(6, 3)), random.normal(size=(6, 2))
    net = bp.Network(
        [bp.Dense(2)], 3, "mse", optimizer=Heavy(0.1, 0.9), dtype="float64"
    )  # fmt: skip
    W, b = net.weights["W1"].copy(), net.weights["b1"].copy()
    assert {name: values.shape for name, values in net.state.items()} == {
        "V_W1": (3, 2), "V_b1": (2,),
    }  # fmt: skip
    net.fit(X, Y, epochs=2, batch_size=6, shuffle=False, progress=False)
    net.fit(X, Y, epochs=1, batch_size=6, shuffle=False, progress=False)
    V, v = np.zeros_like(W), np.zeros_like(b)
    for _ in range(3):
        dZ = 2 * (X @ W + b - Y) / Y.size
        V, v = 0.9 * V + X.T @ dZ, 0.9 * v + dZ.sum(axis=0)
        W, b = W - 0.1 * V, b - 0.1 * v
    np.testing.assert_allclose(net.weights["W1"], W, rtol=1e-12)
    np.testing.assert_allclose(net.weights["b1"], b, rtol=1e-12)
    np.testing.assert_allclose(net.state["V_W1"], V, rtol=1e-12)


def test_an_optimizer_of_ones_own_is_not_saved(tmp_path):
    net = bp.Network([bp.Dense(2)], 3, optimizer=Heavy(0.1, 0.9))
    with pytest.raises(BackpassError, match="Heavy is an optimizer of your own"):
        net.save(tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf")])
def test_a_learning_rate_is_a_number_above_zero(lr):
    with pytest.raises(BackpassError, match="is no learning rate"):
        bp.SGD(lr)
