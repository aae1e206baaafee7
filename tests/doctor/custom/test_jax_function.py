"""A jax.custom_vjp, held to the derivative of its function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backpass as bp

X, W = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(3, 3))


def pair(function, forward, backward, **how):
    made = jax.custom_vjp(function, **how)
    made.defvjp(forward, backward)
    return made


def product(x, w):
    return x @ w


def kept(x, w):
    return x @ w, (x, w)


def right(saved, g):
    x, w = saved
    return g @ w.T, x.T @ g


def unturned(saved, g):
    x, w = saved
    return g @ w, x.T @ g


def nothing(saved, g):
    _, w = saved
    return g @ w.T, None


def swish(x):
    return x * jax.nn.sigmoid(x)


def swish_forward(x):
    s = jax.nn.sigmoid(x)
    return x * s, (x, s)


def swish_right(saved, g):
    x, s = saved
    return (g * (s + x * s * (1 - s)),)


def swish_wrong(saved, g):
    x, s = saved
    return (2 * g * (s + x * s * (1 - s)),)


def test_right_rules_are_correct_and_said_to_be_derived_or_not():
    report = bp.doctor(pair(product, kept, right), X, W)
    assert report.verdict == "correct"
    assert "forward was traced" in report.loss
    report = bp.doctor(pair(swish, swish_forward, swish_right), jnp.asarray(X))
    assert report.verdict == "correct"
    assert "forward was traced" in report.loss


@pytest.mark.parametrize(
    ("function", "inputs", "bug", "name"),
    [
        (pair(product, kept, unturned), (X, W), 30, "x"),
        (pair(product, kept, nothing), (X, W), 36, "w"),
        (pair(swish, swish_forward, swish_wrong), (X,), 3, "x"),
    ],
)
def test_a_mistake_is_named_with_its_input(function, inputs, bug, name):
    report = bp.doctor(function, *inputs)
    assert report.verdict == "bug"
    assert [(one.bug, one.tensor) for one in report.findings] == [(bug, name)]
    assert report.findings[0].line is not None


def test_a_forward_pass_that_differs_from_the_function_is_told():
    report = bp.doctor(pair(product, lambda x, w: (x @ w + 1, (x, w)), right), X, W)
    assert [one.name for one in report.findings] == ["two forward passes"]


def test_arguments_that_are_not_differentiated_by_stay_as_they_are():
    def scaled(factor, x):
        return factor * x

    made = pair(scaled, lambda factor, x: (factor * x, None), lambda factor, _, g: (factor * g,),
                nondiff_argnums=(0,))  # fmt: skip
    assert bp.doctor(made, 3.0, X).verdict == "correct"


def test_a_rule_that_is_missing_or_short_is_one_sentence():
    with pytest.raises(bp.BackpassError, match="product has no rule yet"):
        bp.doctor(jax.custom_vjp(product), X, W)
    short = pair(product, kept, lambda saved, g: (g,))
    with pytest.raises(bp.BackpassError, match="returned 1 gradient for 2 inputs"):
        bp.doctor(short, X, W)


def test_arrays_of_jax_in_plain_training_code_are_refused_in_one_sentence():
    def step(X, y):
        return X

    with pytest.raises(bp.BackpassError, match=r"X is an ArrayImpl of JAX"):
        bp.doctor(step, jnp.asarray(X), W)
