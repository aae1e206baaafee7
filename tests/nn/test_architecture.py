"""Every network's gradients, against JAX on the same mathematics written out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backpass as bp
from backpass.nn.architecture import forward_only
from backpass.nn.layers import ACTIVATIONS
from backpass.nn.losses import LOSSES

N, INPUTS, HIDDEN, OUTPUTS = 5, 3, 4, 3
SQUASHED = {
    "cross_entropy_from_probabilities": "softmax",
    "binary_cross_entropy_from_probabilities": "sigmoid",
}

JAX_ACTIVATIONS = {
    "linear": lambda z: z,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
}


def labelled(log_p, y):
    return -log_p[jnp.arange(N), y].mean()


JAX_LOSSES = {
    "half_sum_of_squares": lambda a, y: 0.5 * ((a - y) ** 2).sum(),
    "sum_of_squares": lambda a, y: ((a - y) ** 2).sum(),
    "mse": lambda a, y: ((a - y) ** 2).mean(),
    "mae": lambda a, y: jnp.abs(a - y).mean(),
    "huber": lambda a, y: jnp.where(
        jnp.abs(a - y) <= 1, 0.5 * (a - y) ** 2, jnp.abs(a - y) - 0.5
    ).mean(),
    "cross_entropy": lambda z, y: labelled(jax.nn.log_softmax(z), y),
    "cross_entropy_from_probabilities": lambda p, y: labelled(jnp.log(p), y),
    "binary_cross_entropy": lambda z, y: (jnp.logaddexp(z, 0) - y * z).mean(),
    "binary_cross_entropy_from_probabilities": lambda p, y: (
        -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).mean()
    ),
}


def last_activation(activation, loss):
    """The output's own activation: what the loss asks for, else the one that is tried."""
    if loss in SQUASHED:
        return SQUASHED[loss]
    return activation if LOSSES[loss].targets == "numbers" else "linear"


def reference(activation, loss):
    last = JAX_ACTIVATIONS[last_activation(activation, loss)]

    def value(params, X, y):
        (W1, W2), (b1, b2) = params
        A1 = JAX_ACTIVATIONS[activation](X @ W1 + b1)
        return JAX_LOSSES[loss](last(A1 @ W2 + b2), y)

    return value


def given(loss, with_bias):
    random = np.random.default_rng(len(loss))
    W = [random.normal(size=(INPUTS, HIDDEN)), random.normal(size=(HIDDEN, OUTPUTS))]
    b = [with_bias * random.normal(size=HIDDEN), with_bias * random.normal(size=OUTPUTS)]
    targets = {
        "classes": np.array([0, 2, 1, 1, 0]),
        "shares": random.uniform(size=(N, OUTPUTS)),
        "numbers": random.normal(size=(N, OUTPUTS)),
    }
    return W, b, random.normal(size=(N, INPUTS)), targets[LOSSES[loss].targets]


def test_every_activation_and_loss_has_an_oracle():
    assert set(JAX_ACTIVATIONS) == set(ACTIVATIONS)
    assert set(JAX_LOSSES) == set(LOSSES)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_jax(activation, loss):
    for bias in ("separate", "augmented", None):
        W, b, X, y = given(loss, bias is not None)
        value, (dW, db) = jax.value_and_grad(reference(activation, loss))((W, b), X, y)
        for convention in ("rows", "columns"):
            last = bp.Dense(OUTPUTS, last_activation(activation, loss))
            net = bp.Network(
                [bp.Dense(HIDDEN, activation), last], INPUTS, loss,
                bias=bias, convention=convention, dtype="float64",
            )  # fmt: skip
            turn = np.asarray if convention == "rows" else np.transpose
            weights, wanted = W, dW
            if bias == "augmented":
                weights = [np.vstack([one, row]) for one, row in zip(W, b, strict=True)]
                wanted = [np.vstack([one, row]) for one, row in zip(dW, db, strict=True)]
            args = [turn(X), turn(y), [turn(one) for one in weights]]
            if bias == "separate":
                args.append(b)
            found, gradients = net.derivation()(*args)
            np.testing.assert_allclose(found, value, rtol=1e-11)
            for one, other in zip(gradients["W"], wanted, strict=True):
                np.testing.assert_allclose(turn(one), other, rtol=1e-8, atol=1e-12)
            if bias == "separate":
                for one, other in zip(gradients["b"], db, strict=True):
                    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)
            assert {name: shape.shape for name, shape in net.weights.items()} == (
                net.architecture.weight_shapes
            )


def test_a_formula_is_a_loss():
    W, b, X, y = given("mse", True)
    formula = "1/4 Σ (output − target)² + ½ Σ (target − output)⁴"

    def value(params):
        (W1, W2), (b1, b2) = params
        e = jnp.tanh(X @ W1 + b1) @ W2 + b2 - y
        return (e**2).sum() / 4 + (e**4).sum() / 2

    net = bp.Network([bp.Dense(HIDDEN, "tanh"), bp.Dense(OUTPUTS)], INPUTS, formula)
    found, gradients = net.derivation()(X, y, W, b)
    wanted, (dW, _) = jax.value_and_grad(value)((W, b))
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    for one, other in zip(gradients["W"], dW, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


SHOWN = """\
forward
  Z1 = X @ W1 + b1              (n×2)(2×3) + 3 → n×3
  A1 = relu(Z1)                 n×3
  Z2 = A1 @ W2 + b2             (n×3)(3×2) + 2 → n×2
  L  = cross_entropy(Z2, y)     scalar
backward
"""


def test_the_forward_pass_reads_as_a_textbook_writes_it():
    net = bp.Network([bp.Dense(3, "relu"), bp.Dense(2)], inputs=2)
    assert str(net.derivation()).startswith(SHOWN)
    assert net.derivation().check()
    columns = bp.Network([bp.Dense(3, "relu"), bp.Dense(2)], inputs=2, convention="columns")
    assert "Z1 = W1 @ X + b1[:, None]" in str(columns.derivation())


def test_a_sum_over_one_output_names_no_label_that_is_not_shown():
    net = bp.Network([bp.Dense(3, "tanh"), bp.Dense(1)], inputs=2, loss="mse")
    text = " ".join(str(net.derivation()).split())
    assert "the axis that is summed has length 1, so the sum has one term; W2 has 1 last" in text


def test_what_predicts_is_the_part_that_leads_to_the_output():
    net = bp.Network([bp.Dense(3, "relu"), bp.Dense(2)], inputs=2)
    program = forward_only(net.derivation(), "Z2")
    assert [step.name for step in program.steps] == ["Z1", "A1", "Z2"]
    assert [array.name for array in program.inputs] == ["X", "W1", "W2", "b1", "b2"]
    assert forward_only(net.derivation(), "A1").outputs == ("A1",)
