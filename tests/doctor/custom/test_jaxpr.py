"""Functions traced through their jaxprs, held to differences and to JAX's own gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from backpass.doctor.custom.derivative import derived, right
from backpass.doctor.custom.jax_function import JaxPair

RANDOM = np.random.default_rng(0)
X, W, B, S = (RANDOM.normal(size=shape) for shape in ((6, 3), (3, 4), (4,), (3,)))
Y = np.array([0, 1, 2, 0, 1, 2])


def layer(x, w, b):
    z = x @ w + b
    a = jax.nn.sigmoid(z)
    return a * a


def normed(x, gamma):
    mu = jnp.mean(x, axis=-1, keepdims=True)
    var = jnp.var(x, axis=-1, keepdims=True)
    return (x - mu) / jnp.sqrt(var + 1e-5) * gamma


def one_hot_loss(x, y):
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, 3) * jax.nn.log_softmax(x), axis=1))


def picked_loss(x, y):
    logp = jax.nn.log_softmax(x)
    return -logp[jnp.arange(6), y].mean()


def two_results(x, w):
    return x.T @ x, jnp.dot(x[0], w)


def bent(x):
    return jax.nn.relu(x) + jax.nn.leaky_relu(x) * jax.nn.silu(x) + jnp.clip(x, -1, 1)


FUNCTIONS = (
    (bent, (X,)),
    (layer, (X, W, B)),
    (normed, (X, S)),
    (one_hot_loss, (X, Y)),
    (picked_loss, (X, Y)),
    (two_results, (X, W)),
    (lambda x: jax.nn.softmax(x, axis=1), (X,)),
    (lambda x: x / jnp.linalg.norm(x, axis=1, keepdims=True), (X,)),
    (lambda x: jax.scipy.special.logsumexp(x, axis=1), (X,)),
    (lambda x, w: jnp.einsum("ij,jk->ki", x, w), (X, W)),
    (lambda x: x[:, 0] - x[:, 1:].max(1), (X,)),
    (lambda x: jnp.stack([x, x])[1] + jnp.outer(x[:, 0], x[0]), (X,)),
)


def pair(function, inputs):
    made = jax.custom_vjp(function)
    made.defvjp(lambda *given: (function(*given), None), lambda kept, g: (g,))
    return JaxPair(made, inputs)


@pytest.mark.parametrize(("function", "inputs"), FUNCTIONS)
def test_the_derived_gradient_is_that_of_differences_and_of_jax(function, inputs):
    subject = pair(function, inputs)
    found = derived(subject)
    assert found is not None
    outputs = subject.forward(subject.inputs)
    incoming = [np.random.default_rng(1).normal(size=one.shape) for one in outputs]
    gradients = right(found, subject, subject.inputs, incoming)
    assert gradients is not None
    with jax.enable_x64(True):
        count = len(subject.inputs)
        out, back = jax.vjp(lambda *x: function(*x, *inputs[count:]), *subject.inputs)
        theirs = back(tuple(incoming) if isinstance(out, tuple) else incoming[0])
    way = [RANDOM.normal(size=one.shape) for one in subject.inputs]
    ends = [
        sum(np.sum(a * b) for a, b in zip(subject.forward(moved), incoming, strict=True))
        for moved in ([x + h * v for x, v in zip(subject.inputs, way, strict=True)]
                      for h in (1e-6, -1e-6))
    ]  # fmt: skip
    along = sum(np.sum(g * v) for g, v in zip(gradients, way, strict=True))
    np.testing.assert_allclose(along, (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)
    for mine, own in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(mine, own, atol=1e-12)


def test_values_have_the_names_of_the_code():
    found = derived(pair(layer, (X, W, B)))
    assert found is not None
    assert [step.name for step in found.d.forward.steps] == ["z", "a", "L"]
    assert [step.name for step in found.d.backward] == ["da", "dz", "dx", "dw", "db"]


@pytest.mark.parametrize(
    "function", [lambda x: jnp.cumsum(x, axis=0), jax.lax.erf, lambda x: jnp.sort(x, axis=0)]
)
def test_what_has_no_meaning_here_is_not_traced(function):
    assert derived(pair(function, (X,))) is None
