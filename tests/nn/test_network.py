"""A network is its derivation: it trains, predicts and warns as that says."""

import pickle
from copy import deepcopy
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import backpass as bp
from backpass.language.program import Program
from backpass.nn.data import load_digits, split

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR_Y = np.array([[0], [1], [1], [0]])
BIASES, CONVENTIONS = ("separate", "augmented", None), ("rows", "columns")


def blobs(classes=3, count=60, inputs=4, seed=0):
    """Clouds of points, one for each class."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % classes
    return random.normal(size=(count, inputs)) + 2 * np.eye(classes, inputs)[y], y


def small(**options):
    layers = [bp.Dense(5, "tanh"), bp.Dense(3)]
    return bp.Network(layers, inputs=4, **{"optimizer": bp.SGD(0.2), **options})


def test_xor_is_learnt():
    net = bp.Network(
        [bp.Dense(4, "tanh"), bp.Dense(1, "sigmoid")], inputs=2,
        loss="half_sum_of_squares", optimizer=bp.SGD(0.5), seed=1,
    )  # fmt: skip
    history = net.fit(XOR, XOR_Y, epochs=1000, batch_size=1, progress=False)
    assert history.loss[-1] < 0.01
    assert history.accuracy[-1] == 1
    assert net.predict_class(XOR).tolist() == [0, 1, 1, 0]
    assert net.predict_class(XOR[1]) == 1


def test_held_out_digits_are_read():
    (X, y), (X_held, y_held) = split(*load_digits())
    layers = [bp.Dense(64, "tanh"), bp.Dense(64, "tanh"), bp.Dense(10)]
    net = bp.Network(layers, inputs=64, optimizer=bp.SGD(0.5))
    net.fit(X, y, epochs=30, batch_size=16, progress=False)
    assert np.mean(net.predict_class(X_held) == y_held) >= 0.97


@pytest.mark.parametrize("bias", BIASES)
def test_rows_and_columns_train_alike(bias):
    X, y = blobs()
    nets = [small(bias=bias, convention=one, dtype="float64") for one in CONVENTIONS]
    losses = [
        net.fit(given, y, epochs=5, batch_size=8, progress=False).loss
        for net, given in zip(nets, (X, X.T), strict=True)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)
    for name, values in nets[0].weights.items():
        np.testing.assert_allclose(values, nets[1].weights[name].T, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(nets[0].predict(X), nets[1].predict(X.T).T, rtol=1e-10)


def test_a_separate_bias_trains_as_the_last_row_of_an_augmented_weight():
    X, y = blobs()
    separate, augmented = (small(bias=one, dtype="float64") for one in ("separate", "augmented"))
    for net in (separate, augmented):
        net.fit(X, y, epochs=3, progress=False)
    W, own = augmented.weights, separate.weights
    for layer in "12":
        together = np.vstack([own[f"W{layer}"], own[f"b{layer}"]])
        np.testing.assert_allclose(W[f"W{layer}"], together, rtol=1e-10, atol=1e-13)


def test_the_same_seed_gives_the_same_network_bit_for_bit():
    X, y = blobs()
    nets = [small(seed=seed) for seed in (3, 3, 4)]
    losses = [net.fit(X, y, epochs=3, progress=False).loss for net in nets]
    assert losses[0] == losses[1] != losses[2]
    for name, values in nets[0].weights.items():
        assert (values == nets[1].weights[name]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("bias", "convention"), list(product(BIASES, CONVENTIONS)))
def test_numbers_keep_their_precision(dtype, bias, convention):
    X, y = blobs()
    X = X if convention == "rows" else X.T
    net = small(dtype=dtype, bias=bias, convention=convention)
    net.fit(X, y, epochs=1, progress=False)
    runner, seen = net._backends.last.runner, set()
    inside = runner.run

    def run(*arrays):
        results = inside(*arrays)
        seen.update(str(one.dtype) for one in (*arrays, *results) if one.dtype.kind == "f")
        return results

    runner.run = run
    net.fit(X, y, epochs=2, progress=False)
    assert seen == {dtype}
    assert {str(values.dtype) for values in net.weights.values()} == {dtype}
    assert net.predict(X).dtype == dtype


def test_what_is_printed_is_what_trains():
    X, y = blobs()
    plain, halved = small(dtype="float64"), small(dtype="float64")
    before = {name: values.copy() for name, values in plain.weights.items()}
    derivation = halved.derivation()
    steps = tuple(
        replace(step, body=tuple(replace(one, term=one.term / 2) for one in step.body))
        if step.name == "dW2" else step
        for step in derivation.backward
    )  # fmt: skip
    changed = replace(derivation, backward=steps)
    assert "/ 2" in str(changed) or "½" in str(changed)
    halved.derivation = lambda *asked: changed
    for net in (plain, halved):
        net.fit(X, y, epochs=1, batch_size=60, progress=False)
    moved = {name: plain.weights[name] - values for name, values in before.items()}
    slower = {name: halved.weights[name] - values for name, values in before.items()}
    for name in before:
        factor = 0.5 if name == "W2" else 1.0
        np.testing.assert_allclose(slower[name], factor * moved[name], rtol=1e-9, atol=1e-14)


def test_what_is_printed_is_what_predicts():
    net = small()
    X, _ = blobs()
    derivation = net.derivation()
    forward = derivation.forward
    steps = tuple(
        replace(step, body=tuple(replace(one, term=2 * one.term) for one in step.body))
        if step.name == "Z2" else step
        for step in forward.steps
    )  # fmt: skip
    program = Program(forward.inputs, steps, forward.outputs, forward.constants)
    before = net.predict(X)
    net.derivation = lambda shares=False, training=False: replace(derivation, forward=program)
    np.testing.assert_allclose(net.predict(X), 2 * before, rtol=1e-6)


def test_all_gradients_are_taken_before_the_first_update():
    X, y = blobs()
    net = small(dtype="float64")
    before = {name: values.copy() for name, values in net.weights.items()}
    W, b = ([before[f"{kind}{layer}"] for layer in "12"] for kind in "Wb")
    _, gradients = net.derivation()(X, y, W, b)
    net.fit(X, y, epochs=1, batch_size=60, shuffle=False, progress=False)
    for kind, layer in product("Wb", "12"):
        name = f"{kind}{layer}"
        step = before[name] - 0.2 * gradients[kind][int(layer) - 1]
        np.testing.assert_allclose(net.weights[name], step, rtol=1e-12, atol=1e-15)


def test_ones_beside_the_inputs_are_never_trained():
    net = small(bias="augmented")
    assert {name: values.shape for name, values in net.weights.items()} == {
        "W1": (5, 5), "W2": (6, 3),
    }  # fmt: skip
    forward = str(net.derivation()).split("backward")[0]
    assert "B1 = [X | 1]" in forward
    assert "B2 = [A1 | 1]" in forward


def test_shares_train_as_the_labels_that_they_stand_for():
    X, y = blobs()
    labels, shares = small(dtype="float64"), small(dtype="float64")
    one = labels.fit(X, y, epochs=2, progress=False)
    other = shares.fit(X, np.eye(3)[y], epochs=2, progress=False)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-10)
    assert one.accuracy == other.accuracy


def test_one_sample_is_a_batch_of_one():
    X, y = blobs()
    one, other = small(), small()
    one.fit(X[0], y[0], epochs=1, progress=False)
    other.fit(X[:1], y[:1], epochs=1, progress=False)
    assert all((values == other.weights[name]).all() for name, values in one.weights.items())
    assert one.predict(X[0]).shape == (3,)
    turned = small(convention="columns")
    np.testing.assert_allclose(turned.predict(X[0]), small().predict(X[0]), rtol=1e-5)
    assert turned.predict_class(X.T).shape == (60,)


def test_a_batch_larger_than_the_data_takes_all_of_them():
    X, y = blobs()
    large, whole = small(), small()
    one, other = (
        net.fit(X, y, epochs=2, batch_size=size, progress=False)
        for net, size in ((large, 10_000), (whole, 60))
    )
    assert one.loss == other.loss


def test_a_loss_that_is_not_finite_stops_with_its_place():
    X, y = blobs()
    net = bp.Network([bp.Dense(5, "relu"), bp.Dense(3)], inputs=4, optimizer=bp.SGD(1e30))
    with pytest.warns(RuntimeWarning, match=r"loss is (nan|inf) in epoch 1, step \d.*layer \d"):
        history = net.fit(X, y, epochs=3, progress=False)
    assert "training stopped" in history.stopped
    assert history.stopped.endswith("try a smaller learning rate")
    with pytest.warns(RuntimeWarning, match="or scale the inputs, which go up to"):
        net.fit(1000 * X, y, epochs=3, progress=False)
    broken = small()
    broken.weights["W2"][0, 0] = np.nan
    with pytest.warns(RuntimeWarning, match="not finite are W2, in layer 2"):
        broken.fit(X, y, epochs=1, progress=False)


def test_a_loss_that_does_not_fall_is_told():
    X, y = blobs()
    net = bp.Network([bp.Dense(5, "relu"), bp.Dense(3)], inputs=4, optimizer=bp.SGD(1e3))
    with pytest.warns(RuntimeWarning, match="the loss did not fall"):
        net.fit(X, y, epochs=3, progress=False)


def test_the_bar_tells_loss_and_accuracy(capsys):
    X, y = blobs()
    small().fit(X, y, epochs=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
    assert "loss" in err
    assert "accuracy" in err


def test_regression_has_no_accuracy():
    X, _ = blobs()
    net = bp.Network([bp.Dense(1)], inputs=4, loss="mse", optimizer=bp.SGD(0.1))
    history = net.fit(X, X[:, :1] - 2 * X[:, 1:2] + 1, epochs=30, progress=False)
    assert history.accuracy == []
    assert history.loss[-1] < 1e-4
    np.testing.assert_allclose(net.weights["W1"].ravel(), [1, -2, 0, 0], atol=0.02)


@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_the_score_is_the_share_of_right_classes(convention):
    X, y = blobs()
    X, one_hot = (X, np.eye(3)[y]) if convention == "rows" else (X.T, np.eye(3)[y].T)
    net = small(convention=convention)
    net.fit(X, y, epochs=3, progress=False)
    share = np.mean(net.predict_class(X) == y)
    assert 0.5 < share < 1
    assert net.score(X, y) == net.score(X, one_hot) == pytest.approx(share)
    first = X[0] if convention == "rows" else X[:, 0]
    assert net.score(first, y[0]) == float(net.predict_class(first) == y[0])


def test_held_out_samples_of_one_class_have_a_score():
    X, y = blobs()
    net = small()
    assert net.score(X[y == 1], y[y == 1]) == np.mean(net.predict_class(X[y == 1]) == 1)


def test_the_score_of_numbers_is_the_variance_that_is_explained():
    X, _ = blobs()
    net = bp.Network([bp.Dense(1)], inputs=4, loss="mse", optimizer=bp.SGD(0.1))
    y = X[:, :1] - 2 * X[:, 1:2] + 1
    before = net.score(X, y)
    net.fit(X, y, epochs=30, progress=False)
    assert before < 0.99 < net.score(X, y) <= 1


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_gradients_are_those_that_train(bias, convention):
    X, y = blobs()
    X = X if convention == "rows" else X.T
    net = small(bias=bias, convention=convention, dtype="float64")
    before = dict(net.weights)
    loss, gradients = net.gradients(X, y)
    assert list(gradients) == list(before)
    history = net.fit(X, y, epochs=1, batch_size=60, shuffle=False, progress=False)
    assert loss == pytest.approx(history.loss[0])
    for name, gradient in gradients.items():
        np.testing.assert_allclose(net.weights[name], before[name] - 0.2 * gradient, rtol=1e-12)


@pytest.mark.parametrize("passed_on", [deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_trained_network_can_be_copied_and_pickled(passed_on):
    X, y = blobs()
    net = small()
    net.fit(X, y, epochs=2, progress=False)
    net.gradients(X, y)
    other = passed_on(net)
    assert (other.predict(X) == net.predict(X)).all()
    assert other.fit(X, y, epochs=2, progress=False).loss == net.fit(X, y, 2, progress=False).loss
    other.weights["W1"][:] = 0
    assert net.weights["W1"].any()


def test_a_notebook_shows_the_network_and_its_passes():
    net = small(loss="½ Σ (output − target)²")
    shown = net._repr_mimebundle_()
    assert shown["text/plain"] == repr(net)
    assert str(net) in shown["text/html"]
    assert "Backward pass" in shown["text/html"]


@pytest.mark.parametrize("convention", ["rows", "columns"])
@pytest.mark.parametrize(
    "loss", ["binary_cross_entropy", "binary_cross_entropy_from_probabilities"]
)
def test_several_labels_of_a_sample_are_predicted_one_for_each_output(tmp_path, loss, convention):
    X = np.random.default_rng(0).normal(size=(80, 3))
    Y = (X > 0).astype(int)
    X, Y = (X, Y) if convention == "rows" else (X.T, Y.T)
    last = "linear" if loss == "binary_cross_entropy" else "sigmoid"
    net = bp.Network([bp.Dense(3, last)], 3, loss, bp.Adam(0.1), convention=convention)
    history = net.fit(X, Y, epochs=20, progress=False)
    net.save(tmp_path / "net")
    for one in (net, bp.load(tmp_path / "net")):
        found = one.predict_class(X)
        assert found.shape == Y.shape
        assert set(np.unique(found)) == {0, 1}
        axis = 1 if convention == "rows" else 0
        assert (found == Y).all(axis=axis).mean() == one.score(X, Y) > 0.9
    assert history.accuracy[-1] > 0.9
    sample = X[0] if convention == "rows" else X[:, 0]
    assert net.predict_class(sample).tolist() == (found[0] if axis else found[:, 0]).tolist()


def test_a_one_among_zeros_is_a_class_with_any_loss():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X.argmax(axis=1)
    net = bp.Network([bp.Dense(3)], 3, "binary_cross_entropy", bp.Adam(0.1))
    net.fit(X, np.eye(3)[y], epochs=60, progress=False)
    assert (net.predict_class(X) == y).mean() == net.score(X, np.eye(3)[y]) > 0.9
