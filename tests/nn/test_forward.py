"""Dropout, batch norm and penalties: lines of the derivation, trained as their papers say."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.layers import described_layer, restored_layer
from backpass.running.epoch import Drawn

CONVENTIONS = "rows", "columns"


def data(count=40):
    random = np.random.default_rng(1)
    y = np.arange(count) % 3
    return random.normal(size=(count, 4)) + np.eye(3, 4)[y], y


def net(*between, optimizer=None, **options):
    return bp.Network(
        [bp.Dense(6), *between, bp.Dense(3)], 4, dtype="float64",
        optimizer=optimizer or bp.SGD(0.2), **options,
    )  # fmt: skip


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_what_is_dropped_is_a_line_and_changes_with_every_step(convention):
    X, y = data()
    one = bp.Network(
        [bp.Dropout(0.2), bp.Dense(6), bp.Dropout(0.5), bp.Dense(3)], 4, dtype="float64",
        optimizer=bp.SGD(0.2), convention=convention, seed=3,
    )  # fmt: skip
    forward = str(one.derivation()).split("backward")[0]
    assert "D0 = X ⊙ M0" in forward
    assert "D1 = Z1 ⊙ M1" in forward
    assert "M" not in str(one.derivation(training=False))
    turned = convention == "columns"
    w = {n: v.T.copy() if v.ndim > 1 and turned else v.copy() for n, v in one.weights.items()}
    given = X.T if turned else X
    one.fit(given, y, epochs=2, batch_size=20, shuffle=False, progress=False)
    for step in range(4):
        part = slice(step % 2 * 20, step % 2 * 20 + 20)
        M0 = Drawn(0, 0.8).draw(3, step, (20, 4), "float64")
        M1 = Drawn(1, 0.5).draw(3, step, (20, 6), "float64")
        D0 = X[part] * M0
        Z1 = D0 @ w["W1"] + w["b1"]
        D1 = Z1 * M1
        d2 = (softmax(D1 @ w["W2"] + w["b2"]) - np.eye(3)[y[part]]) / 20
        d1 = d2 @ w["W2"].T * M1
        w["W2"], w["b2"] = w["W2"] - 0.2 * D1.T @ d2, w["b2"] - 0.2 * d2.sum(axis=0)
        w["W1"], w["b1"] = w["W1"] - 0.2 * D0.T @ d1, w["b1"] - 0.2 * d1.sum(axis=0)
    for name, values in w.items():
        found = one.weights[name].T if turned else one.weights[name]
        np.testing.assert_allclose(found, values, rtol=1e-10)
    out = (X @ w["W1"] + w["b1"]) @ w["W2"] + w["b2"]
    found = one.predict(given)
    np.testing.assert_allclose(found.T if turned else found, out, rtol=1e-10)


def normed(X, y, w, eps=1e-5):
    """Batch normalisation by hand, with the backward pass of the paper's appendix."""
    Z = X @ w["W1"] + w["b1"]
    m, v = Z.mean(axis=0), Z.var(axis=0)
    N = (Z - m) / np.sqrt(v + eps)
    H = w["γ1"] * N + w["β1"]
    A = np.tanh(H)
    d2 = (softmax(A @ w["W2"] + w["b2"]) - np.eye(3)[y]) / len(y)
    dH = d2 @ w["W2"].T * (1 - A**2)
    dN = dH * w["γ1"]
    dZ = (dN - dN.mean(axis=0) - N * (dN * N).mean(axis=0)) / np.sqrt(v + eps)
    gradients = {
        "W1": X.T @ dZ, "b1": dZ.sum(axis=0), "γ1": (dH * N).sum(axis=0), "β1": dH.sum(axis=0),
        "W2": A.T @ d2, "b2": d2.sum(axis=0),
    }  # fmt: skip
    return gradients, m, v


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_batch_is_normed_and_predictions_take_what_was_kept(convention):
    X, y = data()
    one = net(bp.BatchNorm("tanh"), convention=convention)
    turned = convention == "columns"
    w = {n: v.T.copy() if v.ndim > 1 and turned else v.copy() for n, v in one.weights.items()}
    mean, var = np.zeros(6), np.ones(6)
    given = X.T if turned else X
    one.fit(given, y, epochs=3, batch_size=20, shuffle=False, progress=False)
    for step in range(6):
        part = slice(step % 2 * 20, step % 2 * 20 + 20)
        gradients, m, v = normed(X[part], y[part], w)
        w = {name: values - 0.2 * gradients[name] for name, values in w.items()}
        mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * v
    for name, values in w.items():
        found = one.weights[name]
        found = found.T if turned and found.ndim > 1 else found
        np.testing.assert_allclose(found, values, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(one.state["mean1"], mean, rtol=1e-9)
    np.testing.assert_allclose(one.state["var1"], var, rtol=1e-9)
    N = (X @ w["W1"] + w["b1"] - mean) / np.sqrt(var + 1e-5)
    out = np.tanh(w["γ1"] * N + w["β1"]) @ w["W2"] + w["b2"]
    found = one.predict(given)
    np.testing.assert_allclose(found.T if turned else found, out, rtol=1e-8)


def test_layers_are_numbered_by_the_dense_one_that_they_stand_behind():
    one = bp.Network(
        [bp.Dense(5, "tanh"), bp.Dense(6), bp.BatchNorm("relu"), bp.Dropout(0.1), bp.Dense(3)], 4
    )
    assert list(one.weights) == ["W1", "b1", "W2", "b2", "γ2", "β2", "W3", "b3"]
    assert {"mean2", "var2"} <= set(one.state)
    forward = str(one.derivation()).split("backward")[0]
    assert "N2 = (Z2 − m2) / s2" in forward
    assert "D2 = A2 ⊙ M2" in forward
    assert one.derivation().check(times=1)
    assert "4 → 5 tanh → 6 linear → batch norm relu → dropout 0.1 → 3 linear" in str(one)


@pytest.mark.parametrize("bias", ["separate", "augmented", None])
def test_weights_cost_and_biases_do_not(bias):
    X, y = data()
    free, dear = net(bias=bias), net(bias=bias, l1=0.01, l2=0.1)
    before = {name: values.copy() for name, values in free.weights.items()}
    plain = free.fit(X, y, epochs=1, batch_size=40, shuffle=False, progress=False).loss[0]
    loss = dear.fit(X, y, epochs=1, batch_size=40, shuffle=False, progress=False).loss[0]
    W = {n: v[:-1] if bias == "augmented" else v for n, v in before.items() if n[0] == "W"}
    cost = sum(0.01 * np.abs(v).sum() + 0.05 * (v**2).sum() for v in W.values())
    assert loss == pytest.approx(plain + cost, rel=1e-12)
    for name, values in before.items():
        moved = 0.2 * (0.01 * np.sign(values) + 0.1 * values)
        if name[0] == "b":
            moved = 0 * moved
        if bias == "augmented":
            moved[-1] = 0
        np.testing.assert_allclose(dear.weights[name], free.weights[name] - moved, atol=1e-12)
    assert dear.gradients(X, y)[0] > dear.fit(X, y, epochs=9, progress=False).loss[-1] - 0.5


def test_a_network_with_all_of_it_is_kept_and_goes_on(tmp_path):
    X, y = data()
    one = net(bp.BatchNorm("relu"), bp.Dropout(0.3), optimizer=bp.AdamW(0.05), l2=0.01)
    one.fit(X, y, epochs=2, progress=False)
    one.save(tmp_path / "net")
    again = bp.load(tmp_path / "net")
    for network in (one, again):
        network.fit(X, y, epochs=5, validation=(X, y), progress=False)
    for name, values in {**one.weights, **one.state}.items():
        assert ({**again.weights, **again.state}[name] == values).all()
    assert again.architecture == one.architecture
    for layer in one.architecture.layers:
        assert restored_layer(described_layer(layer)) == layer


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: bp.Dropout(1), "leaves no chance"),
        (lambda: bp.Dropout("0.5"), "leaves no chance"),
        (lambda: bp.BatchNorm(eps="0"), "eps='0' is not valid; give a small number above 0"),
        (lambda: net(l1="a"), "l1='a' is not valid; give a number from 0 on"),
        (lambda: bp.Network(bp.Dense(1), 3), r"is no list of them; give \[bp.Dense"),
        (lambda: bp.BatchNorm("rleu"), "relu"),
        (lambda: bp.BatchNorm(momentum=0), "momentum=0 is not valid"),
        (lambda: bp.Network([bp.Dense(2), bp.Dropout(0.5)], 3), "comes last"),
        (lambda: bp.Network([bp.BatchNorm(), bp.Dense(2)], 3), "right behind a bp.Dense"),
        (lambda: net(bp.Dropout(0.1), bp.Dropout(0.1)), "two Dropouts follow each other"),
        (lambda: net(bp.Dense(3, "tanh"), bp.BatchNorm()), r'bp.Dense\(3\), bp.BatchNorm\("tanh"'),
        (lambda: net(l2=-1), "l2=-1 is not valid"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, says):
    with pytest.raises(BackpassError, match=says):
        make()


@pytest.mark.parametrize(
    ("loss", "last", "y"),
    [
        ("binary_cross_entropy", "sigmoid", [[1.0], [0.0]]),
        ("cross_entropy", "softmax", [1, 0]),
        ("cross_entropy", "softmax", [[0.0, 1.0], [1.0, 0.0]]),
    ],
)
@pytest.mark.parametrize("weight", [None, [1.0, 3.0]])
def test_a_probability_that_is_rounded_to_0_or_1_is_learnt_from(loss, last, y, weight):
    X, y = np.array([[-200.0], [200.0]]), np.array(y)  # e⁻²⁰⁰ is 0 in float32, and both are wrong
    logits, squashed = (
        bp.Network([bp.Dense(1 if last == "sigmoid" else 2, act)], 1, name, bp.SGD(0.01))
        for act, name in (("linear", loss), (last, f"{loss}_from_probabilities"))
    )
    for net in (logits, squashed):
        net.weights["W1"][:] = np.array([[-1.0, 1.0]])[:, 2 - net.architecture.outputs :]
        net.fit(X, y, epochs=1, sample_weight=weight, progress=False)
    assert set(squashed.predict(X).ravel()) == {0.0, 1.0}
    for name, values in logits.weights.items():
        assert np.isfinite(values).all()
        np.testing.assert_allclose(squashed.weights[name], values, 1e-6)
