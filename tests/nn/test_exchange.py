"""Weights go to other houses and come back, laid out as those have them."""

import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

import backpass as bp
from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.exchange import NORMED, SEEN

X = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
each_kind = pytest.mark.parametrize(
    ("bias", "convention"),
    [(bias, way) for bias in ("separate", "augmented", None) for way in ("rows", "columns")],
)


def network(**options):
    layers = [bp.Dense(5, "relu"), bp.Dense(3, "tanh"), bp.Dense(2)]
    net = bp.Network(layers, inputs=4, **options)
    net.weights = {name: one + np.float32(0.1) for name, one in net.weights.items()}
    return net


def by_hand(state, samples):
    """What a Sequential of PyTorch would give: x Wᵀ + b, layer by layer."""
    found = samples
    for place, act in ((0, lambda z: np.maximum(z, 0)), (2, np.tanh), (4, lambda z: z)):
        found = act(found @ state[f"{place}.weight"].T + state.get(f"{place}.bias", 0))
    return found


@each_kind
def test_pytorch_finds_each_weight_out_by_in_and_laid_out_in_rows(bias, convention):
    net = network(bias=bias, convention=convention)
    state = net.to_state_dict()
    assert [one.shape for name, one in state.items() if "weight" in name] == [
        (5, 4),
        (3, 5),
        (2, 3),
    ]
    assert ("0.bias" in state) == (bias is not None)
    assert all(one.flags.c_contiguous and one.flags.owndata for one in state.values())
    given = X if convention == "rows" else X.T
    outputs = net.predict(given)
    outputs = outputs if convention == "rows" else outputs.T
    np.testing.assert_allclose(by_hand(state, X), outputs, rtol=1e-5, atol=1e-6)


@each_kind
def test_a_state_dict_comes_back(bias, convention):
    net = network(bias=bias, convention=convention)
    again = bp.Network.from_state_dict(
        net.to_state_dict(["fc1", "fc2", "out"]), ["relu", "tanh", "linear"],
        bias=bias, convention=convention,
    )  # fmt: skip
    assert again.architecture == net.architecture
    assert again.weights.keys() == net.weights.keys()
    assert all((again.weights[name] == one).all() for name, one in net.weights.items())
    assert again.weights["W1"].flags.c_contiguous


def test_activations_may_be_one_for_all_hidden_layers_and_precision_is_kept():
    state = {name: one.astype(np.float64) for name, one in network().to_state_dict().items()}
    net = bp.Network.from_state_dict(state, "silu")
    assert [layer.activation for layer in net.architecture.layers] == ["silu", "silu", "linear"]
    assert net.dtype == "float64"
    assert bp.Network.from_state_dict(state, "silu", dtype="float32").dtype == "float32"


def test_a_network_from_elsewhere_is_trained_on():
    net = bp.Network.from_state_dict(network().to_state_dict(), "relu", optimizer=bp.SGD(0.1))
    loss = net.fit(X, np.arange(7) % 2, epochs=30, progress=False).loss
    assert loss[-1] < loss[0]


@each_kind
def test_arrays_of_numpy_are_in_by_out_and_come_back(tmp_path, bias, convention):
    net = network(bias=bias, convention=convention)
    net.export(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as file:
        assert file["W1"].shape == (4, 5)
        again = bp.Network.from_state_dict(file, "relu", convention=convention, bias=bias)
    assert all((again.weights[name] == one).all() for name, one in net.weights.items())


def test_safetensors_for_pytorch_hold_the_state_dict(tmp_path):
    net = network()
    net.export(tmp_path / "net.safetensors")
    found = load_file(tmp_path / "net.safetensors")
    assert found.keys() == net.to_state_dict().keys()
    assert all((found[name] == one).all() for name, one in net.to_state_dict().items())


def test_modules_are_put_in_the_order_of_their_numbers(tmp_path):
    net = bp.Network([bp.Dense(width, "relu") for width in range(2, 10)] + [bp.Dense(2)], inputs=4)
    net.export(tmp_path / "net.safetensors")
    again = bp.Network.from_state_dict(load_file(tmp_path / "net.safetensors"), "relu")
    assert again.architecture == net.architecture


W, B = np.zeros((3, 4)), np.zeros(3)


def norm(place, units):
    """What a BatchNorm1d of this many units keeps."""
    return {f"{place}.{part}": np.ones(units) for part in NORMED}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "there is nothing in it; give the state_dict of Linear layers"),
        ({"0.weight": W, "0.scale": B}, "0.scale is nothing of a Linear or a BatchNorm1d"),
        ({"0.weight": W, "1.running_mean": B}, "1 has no running_var; a BatchNorm1d has one for"),
        ({"0.weight": W, **norm(1, 4)}, "1 has 4 numbers as weight; a BatchNorm1d has one for"),
        (norm(0, 3), "0 is a batch norm that no Linear stands before"),
        ({"0.weight": W, **norm(1, 3), **norm(2, 3)}, "2 is a batch norm that no Linear stands"),
        ({"0.weight": W, "1.weight": B}, "the weight of 1 is 3;"),
        ({"W1": W.T, "mean1": B}, "the batch norm 1 has no running_var"),
        ({"0.weight": np.zeros((3, 4, 2, 2))}, "the weight of 0 is 3×4×2×2"),
        ({"0.weight": W, "0.bias": np.zeros(4)}, "a bias for each of its outputs"),
        ({"0.weight": W, "0.bias": B, "2.weight": W.T}, "some layers have a bias and some have"),
        ({"0.weight": W, "2.weight": W}, "layer 2 is 3 → 3, and its weight is 3×4"),
        ({"W1": W.T, "W2": W.T}, "layer 2 is 3 → 3, and its weight is 3×4"),
        ({"b1": B}, "the weight of W1 is missing"),
        ({"0.weight": W.astype(complex)}, "0.weight holds complex128"),
    ],
    ids=range(15),
)
def test_what_is_no_state_dict_of_linear_layers_is_refused(state, said):
    with pytest.raises(BackpassError) as caught:
        bp.Network.from_state_dict(state, "relu")
    assert said in str(caught.value)


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch):
    net = network()
    with pytest.raises(BackpassError, match=r"net\.h5 does not say in which form; let it end in"):
        net.export(tmp_path / "net.h5")
    with pytest.raises(BackpassError, match=r"names=\['a'\] are not one for each of the 3 layers"):
        net.to_state_dict(["a"])
    for module, ending in (("torch", "pt"), ("onnx", "onnx")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(BackpassError, match=f"an? .{ending} file .* not installed; "):
            net.export(tmp_path / f"net.{ending}")
    assert list(tmp_path.iterdir()) == []


def test_activations_are_one_for_each_layer():
    state = network().to_state_dict()
    with pytest.raises(BackpassError, match="2 activations for 3 layers"):
        bp.Network.from_state_dict(state, ["relu", "tanh"])
    with pytest.raises(ShapeError):
        bp.Network.from_state_dict({"0.weight": B}, "relu")


def test_a_dropout_is_left_out():
    kept = bp.Network([bp.Dense(5, "relu"), bp.Dropout(0.5), bp.Dense(2)], inputs=4)
    assert list(kept.to_state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def normed(**options):
    """A network whose batch norm has seen samples."""
    layers = [bp.Dense(5), bp.BatchNorm("tanh"), bp.Dropout(0.2), bp.Dense(2)]
    net = bp.Network(layers, inputs=4, optimizer=bp.Adam(0.05), **options)
    given = X if options["convention"] == "rows" else X.T
    net.fit(given, np.arange(7) % 2, epochs=9, progress=False)
    return net, given


@each_kind
def test_a_batch_norm_is_a_module_behind_its_linear(bias, convention):
    net, given = normed(bias=bias, convention=convention)
    state = net.to_state_dict()
    linear = ["weight"] if bias is None else ["weight", "bias"]
    assert list(state) == [
        *(f"0.{part}" for part in linear), *(f"1.{part}" for part in (*NORMED, SEEN)),
        *(f"3.{part}" for part in linear),
    ]  # fmt: skip
    Z = X @ state["0.weight"].T + state.get("0.bias", 0)
    scale, shift, mean, var = (state[f"1.{part}"] for part in NORMED)
    A = np.tanh((Z - mean) / np.sqrt(var + 1e-5) * scale + shift)
    outputs = net.predict(given)
    np.testing.assert_allclose(
        A @ state["3.weight"].T + state.get("3.bias", 0),
        outputs if convention == "rows" else outputs.T, rtol=1e-5, atol=1e-6,
    )  # fmt: skip


@each_kind
def test_a_batch_norm_comes_back(tmp_path, bias, convention):
    net, given = normed(bias=bias, convention=convention)
    net.export(tmp_path / "net.npz")
    net.export(tmp_path / "net.safetensors")
    with np.load(tmp_path / "net.npz") as file:
        held = dict(file)
    for state in (
        net.to_state_dict(["a", "n", "z"]),
        held,
        load_file(tmp_path / "net.safetensors"),
    ):
        again = bp.Network.from_state_dict(state, "tanh", bias=bias, convention=convention)
        assert again.architecture.norms == net.architecture.norms
        assert (again.predict(given) == net.predict(given)).all()


def test_a_norm_without_scales_has_ones_and_layers_must_fit():
    state = normed(convention="rows")[0].to_state_dict()
    bare = {name: one for name, one in state.items() if name not in ("1.weight", "1.bias")}
    again = bp.Network.from_state_dict(bare, "relu")
    assert (again.weights["γ1"] == 1).all()
    assert (again.weights["β1"] == 0).all()
    with pytest.raises(BackpassError, match="layer 1 has a batch norm in what was given, and"):
        bp.Network.from_state_dict(state, "relu", layers=[bp.Dense(5, "relu"), bp.Dense(2)])
