"""Every optimiser goes where its paper says, by a transcription of its own, and says its rules."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.optimizers import OPTIMIZERS

STEPS = 200


def sgd(w, g, s, lr, momentum=0.0, nesterov=False):
    s["v"] = momentum * s.get("v", 0) + g
    return w - lr * (g + momentum * s["v"] if nesterov else s["v"])


def rmsprop(w, g, s, lr, alpha=0.99, eps=1e-8):
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g * g
    return w - lr * g / (np.sqrt(s["v"]) + eps)


def adagrad(w, g, s, lr, eps=1e-10):
    s["v"] = s.get("v", 0) + g * g
    return w - lr * g / (np.sqrt(s["v"]) + eps)


def adam(w, g, s, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    s["t"] = s.get("t", 0) + 1
    s["m"] = beta1 * s.get("m", 0) + (1 - beta1) * g
    s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * g * g
    m, v = s["m"] / (1 - beta1 ** s["t"]), s["v"] / (1 - beta2 ** s["t"])
    return w - lr * m / (np.sqrt(v) + eps)


def adamw(w, g, s, lr, weight_decay=0.01, **more):
    decayed = w * (1 - lr * weight_decay) if w.ndim > 1 else w
    return decayed + adam(w, g, s, lr, **more) - w


def data(count=60):
    random = np.random.default_rng(1)
    return random.normal(size=(count, 4)), np.arange(count) % 3


def gradients(w, X, y, activation):
    """Backpropagation by hand: one hidden layer, softmax and the mean cross-entropy."""
    z1 = X @ w["W1"] + w["b1"]
    a1 = np.tanh(z1) if activation == "tanh" else np.maximum(z1, 0)
    z2 = a1 @ w["W2"] + w["b2"]
    p = np.exp(z2 - z2.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    d2 = (p - np.eye(3)[y]) / len(y)
    d1 = d2 @ w["W2"].T * (1 - a1**2 if activation == "tanh" else z1 > 0)
    return {"W1": X.T @ d1, "b1": d1.sum(axis=0), "W2": a1.T @ d2, "b2": d2.sum(axis=0)}


def by_hand(net, rule, options, activation, clip=lambda gradients: gradients):
    weights = {name: one.copy() for name, one in net.weights.items()}
    states = {name: {} for name in weights}
    X, y = data()
    for step in range(STEPS):
        batch = slice(step % 3 * 20, step % 3 * 20 + 20)
        found = clip(gradients(weights, X[batch], y[batch], activation))
        weights = {
            name: rule(one, found[name], states[name], **options) for name, one in weights.items()
        }
    return weights


def trained(optimizer, activation="tanh"):
    net = bp.Network(
        [bp.Dense(7, activation), bp.Dense(3)], 4, optimizer=optimizer, dtype="float64"
    )
    start = bp.Network([bp.Dense(7, activation), bp.Dense(3)], 4, dtype="float64")
    X, y = data()
    epochs, rest = divmod(STEPS, 3)
    net.fit(X, y, epochs=epochs, batch_size=20, shuffle=False, progress=False)
    net.fit(X[: 20 * rest], y[: 20 * rest], epochs=1, batch_size=20, shuffle=False, progress=False)
    return net, start


CASES = [
    (bp.SGD, sgd, {"lr": 0.1}),
    (bp.SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (bp.SGD, sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (bp.RMSProp, rmsprop, {"lr": 0.01}),
    (bp.RMSProp, rmsprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-3}),
    (bp.Adagrad, adagrad, {"lr": 0.05}),
    (bp.Adam, adam, {"lr": 0.01}),
    (bp.Adam, adam, {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4}),
    (bp.AdamW, adamw, {"lr": 0.01, "weight_decay": 0.1}),
]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("kind", "rule", "options"), CASES)
def test_two_hundred_steps_go_where_the_paper_says(kind, rule, options, activation):
    net, start = trained(kind(**options), activation)
    for name, expected in by_hand(start, rule, options, activation).items():
        np.testing.assert_allclose(net.weights[name], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("how", "clip"),
    [
        ({"clip_value": 0.02}, lambda g: {n: np.clip(one, -0.02, 0.02) for n, one in g.items()}),
        (
            {"clip_norm": 0.1},
            lambda g: {
                name: one * min(1, 0.1 / (np.sqrt(sum((o**2).sum() for o in g.values())) + 1e-6))
                for name, one in g.items()
            },
        ),
    ],
)
def test_gradients_are_clipped_before_the_rule(how, clip):
    options = {"lr": 0.1, "momentum": 0.9}
    net, start = trained(bp.SGD(**options, **how))
    expected = by_hand(start, sgd, options, "tanh", clip)
    free = by_hand(start, sgd, options, "tanh")
    for name in expected:
        np.testing.assert_allclose(net.weights[name], expected[name], rtol=1e-10, atol=1e-12)
        assert np.abs(net.weights[name] - free[name]).max() > 1e-3


PRINTED = """\
AdamW(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01, clip_norm=1)
  Q += dW[k,j]**2
  s = minimum(1, clip_norm / (Q**(1/2) + 1e-6))
  G[k,j] = s * dW[k,j]
  t′ = t + 1
  r = lr / (1 - beta1**t′)
  c = (1 - beta2**t′)**(1/2)
  M′[k,j] = beta1 * M[k,j] + (1 - beta1) * G[k,j]
  V′[k,j] = beta2 * V[k,j] + (1 - beta2) * G[k,j]**2
  W′[k,j] = (1 - lr * weight_decay) * W[k,j] - r * M′[k,j] / (V′[k,j]**(1/2) / c + eps)
  (a bias does not decay)"""


def test_an_optimizer_prints_the_lines_that_run():
    assert str(bp.AdamW(clip_norm=1.0)) == PRINTED
    assert str(bp.SGD(0.1, momentum=0.9, nesterov=True)).splitlines() == [
        "SGD(lr=0.1, momentum=0.9, nesterov=True)",
        "  V′[k,j] = momentum * V[k,j] + dW[k,j]",
        "  W′[k,j] = W[k,j] - lr * (dW[k,j] + momentum * V′[k,j])",
    ]
    assert str(bp.LBFGS(memory=3)).splitlines() == [
        "LBFGS(tol=1e-05, memory=3)",
        "  W′ = W - a * D, D = H⁻¹ dW by late steps and gradients; SciPy finds a",
    ]
    for one in OPTIMIZERS.values():
        assert one.__doc__
        assert getattr(bp, one.__name__) is one


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_state_is_kept_in_the_dtype_of_the_weights_and_in_files(kind, tmp_path):
    X, y = data()
    nets = [bp.Network([bp.Dense(7, "tanh"), bp.Dense(3)], 4, optimizer=kind()) for _ in "12"]
    for net in nets:
        net.fit(X, y, epochs=2, progress=False)
        assert {one.dtype.name for one in net.state.values()} <= {"float32"}
    nets[0].save(tmp_path / "net")
    loaded = bp.load(tmp_path / "net")
    assert loaded.optimizer == nets[1].optimizer
    for net in (loaded, nets[1]):
        net.fit(X, y, epochs=2, progress=False)
    for name, values in nets[1].weights.items():
        assert (loaded.weights[name] == values).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: bp.SGD(0.1, momentum=1), "momentum=1 is not valid; give a number from 0 to below"),
        (lambda: bp.Adam(beta2=-0.1), "beta2=-0.1 is not valid"),
        (lambda: bp.Adam(beta1="0.9"), "beta1='0.9' is not valid"),
        (lambda: bp.SGD(nesterov=True), "nesterov=True looks ahead along a momentum; give it"),
        (lambda: bp.RMSProp(eps=0), "eps=0 is not valid; give a number above 0"),
        (lambda: bp.Adagrad(lr=-1), "lr=-1 is no learning rate"),
        (lambda: bp.AdamW(weight_decay=2), "weight_decay=2 is not valid"),
        (lambda: bp.SGD(clip_norm=0), "clip_norm=0 is not valid"),
        (lambda: bp.SGD(clip_norm=1, clip_value=1), "give one of them"),
    ],
)
def test_numbers_out_of_range_are_refused(make, says):
    with pytest.raises(BackpassError, match=says):
        make()


def test_a_name_of_the_rules_may_be_taken():
    net = bp.Network(
        [bp.Dense(3, "log_softmax"), bp.Dense(3)], 4, optimizer=bp.SGD(0.1, clip_norm=0.1)
    )
    assert "s" in net.derivation().program.arrays
    X, y = data()
    loss = net.fit(X, y, epochs=3, progress=False).loss
    assert loss[2] < loss[0]
