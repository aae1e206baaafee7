"""Array functions: their rules hold whatever the user's own arrays are called."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.evaluate import evaluate

NAMES = ["P", "Y", "T", "Z", "s", "t", "l", "L", "dL", "dZ", "E", "S", "c"]


def differences(d, values, leaf, direction, step=1e-6):
    loss = [
        evaluate(d.forward, {**values, leaf: values[leaf] + sign * step * direction})[d.loss]
        for sign in (1, -1)
    ]
    return (loss[0] - loss[1]) / (2 * step)


@pytest.mark.parametrize("function", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("name", NAMES)
def test_the_names_in_a_rule_never_meet_the_users_names(function, name):
    other = "Q" if name != "Q" else "R"
    text = f"F = {function}({other}) * {function}({name}); cost = Σ F * F"
    d = bp.derive(text, f"{name}: n k, {other}: n k")
    random = np.random.default_rng(0)
    values = {leaf: random.normal(size=(3, 4)) for leaf in (name, other)}
    found = evaluate(d.program, values)
    for leaf in values:
        direction = random.normal(size=(3, 4))
        slope = np.sum(found[d.gradients[leaf]] * direction)
        assert slope == pytest.approx(differences(d, values, leaf, direction), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_hand_written_cross_entropy_of_any_name(name):
    def loss(logits, targets):
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        probabilities = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
        return -np.mean(np.sum(targets * np.log(probabilities), axis=1))

    text = f"cost = cross_entropy(logits, {name})"
    random = np.random.default_rng(1)
    logits, targets = random.normal(size=(3, 4)), random.dirichlet(np.ones(4), size=3)
    short = bp.derive(text, f"logits: n k, {name}: n k", wrt="logits")
    long = bp.derive(loss, "logits: n k, targets: n k", wrt="logits")
    assert "softmax" in long.index()
    for d in (short, long, short.unfused(), long.unfused()):
        value, gradients = d(logits, targets)
        assert value == pytest.approx(loss(logits, targets), rel=1e-12)
        np.testing.assert_allclose(
            gradients["logits"],
            (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - targets) / 3,
            atol=1e-12,
        )
