"""Saved networks come back as they were, and files that are none are refused."""

import contextlib
import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn import checkpoint, files

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 3)).astype("float32"), np.arange(20) % 2


def network(**options):
    layers = [bp.Dense(4, "tanh"), bp.Dense(2)]
    return bp.Network(layers, inputs=3, optimizer=bp.SGD(0.3), **options)


@pytest.mark.parametrize("bias", ["separate", "augmented", None])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_training_goes_on_after_loading_as_if_nothing_had_happened(tmp_path, bias, convention):
    given = X if convention == "rows" else X.T
    net = network(bias=bias, convention=convention, dtype="float64")
    net.fit(given, Y, epochs=2, progress=False)
    net.save(tmp_path / "net.safetensors")
    again = bp.load(str(tmp_path / "net.safetensors"))
    assert str(again) == str(net)
    assert (again.predict(given) == net.predict(given)).all()
    losses = [one.fit(given, Y, epochs=2, progress=False).loss for one in (net, again)]
    assert losses[0] == losses[1]
    assert all((again.weights[name] == values).all() for name, values in net.weights.items())
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_formula_comes_back(tmp_path):
    net = bp.Network([bp.Dense(1)], inputs=3, loss="½ Σ (output − target)²")
    net.save(tmp_path / "net")
    assert bp.load(tmp_path / "net").architecture == net.architecture


def test_arrays_that_lie_transposed_are_kept_as_they_read(tmp_path):
    array = np.arange(6.0).reshape(2, 3).T
    checkpoint.write(tmp_path / "a", {"a": array, "b": array[::2, ::-1]}, {})
    arrays, about = checkpoint.read(tmp_path / "a")
    assert about == {}
    np.testing.assert_array_equal(arrays["a"], array)
    np.testing.assert_array_equal(arrays["b"], array[::2, ::-1])


def test_foreign_and_damaged_files_are_refused(tmp_path):
    net = network()
    path = tmp_path / "net.safetensors"
    net.save(path)
    whole = path.read_bytes()
    for count in (0, 4, 8, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:count])
        with pytest.raises(BackpassError, match=r"is no safetensors file, or a damaged one"):
            bp.load(path)
    path.write_bytes(b"\x80\x04\x95pickled")
    with pytest.raises(BackpassError, match="is no safetensors file"):
        bp.load(path)
    save_file({"W1": np.zeros((2, 2))}, path)
    with pytest.raises(BackpassError, match="holds arrays and no backpass network"):
        bp.load(path)
    with pytest.raises(BackpassError, match=r"missing cannot be read: no such file"):
        bp.load(tmp_path / "missing")
    with pytest.raises(BackpassError, match="cannot be read"):
        bp.load(tmp_path)


def test_a_description_that_does_not_fit_is_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    network().save(path)
    arrays, about = checkpoint.read(path)
    too_large = {**about["random"], "uinteger": 2**40}
    for change, message in (
        ({"format": 99}, "has format 99"),
        ({"layers": [[7, "tanh"], [2, "linear"]]}, "does not hold W1 as its layers need it"),
        ({"layers": 3}, "does not describe a network"),
        ({"optimizer": ["Magic", {}]}, "does not describe a network"),
        ({"random": {}}, "does not describe a network"),
        ({"random": too_large}, "does not describe a network"),
        ({"loss": "hinge"}, "there is no loss 'hinge'"),
    ):
        checkpoint.write(path, arrays, {**about, **change})
        with pytest.raises(BackpassError, match=message):
            bp.load(path)
    checkpoint.write(path, arrays, {name: about[name] for name in about if name != "format"})
    with pytest.raises(BackpassError, match="does not describe a network"):
        bp.load(path)
    save_file(arrays, path, metadata={"backpass": json.dumps([1, 2])})
    with pytest.raises(BackpassError, match="is damaged: its description cannot be read"):
        bp.load(path)


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path):
    with pytest.raises(BackpassError, match="missing/net cannot be written: no such file"):
        network().save(tmp_path / "missing" / "net")
    (tmp_path / "taken").mkdir()
    with pytest.raises(BackpassError, match="taken cannot be written"):
        network().save(tmp_path / "taken")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BackpassError, match="cannot be written: not a directory"):
        network().save(tmp_path / "file" / "net")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]


def test_equal_networks_are_equal_files(tmp_path):
    for name in "abcdef":
        net = network()
        net.fit(X, Y, epochs=2, progress=False)
        net.save(tmp_path / name)
    bp.load(tmp_path / "a").save(tmp_path / "again")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_what_was_saved_before_survives_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "net"
    network(seed=1).save(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(BackpassError, match="cannot be written: no space left"):
        network(seed=2).save(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["net"]


def small(path):
    """A file of a few hundred bytes, with every kind of array."""
    arrays = {
        "W": np.arange(4.0).reshape(2, 2), "t": np.array(3, np.float32), "none": np.zeros((0, 2)),
    }  # fmt: skip
    checkpoint.write(path, arrays, {"format": 2, "random": 2**100})
    return arrays


def test_single_numbers_and_empty_arrays_come_back(tmp_path):
    arrays = small(tmp_path / "a")
    found, about = checkpoint.read(tmp_path / "a")
    assert {name: (one.shape, one.dtype) for name, one in found.items()} == {
        name: (one.shape, one.dtype) for name, one in arrays.items()
    }
    assert about["random"] == 2**100


def test_every_flipped_bit_is_found(tmp_path):
    small(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    accepted = []
    for place in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        (tmp_path / "b").write_bytes(damaged)
        with contextlib.suppress(BackpassError):
            checkpoint.read(tmp_path / "b")
            accepted.append(place)
    assert accepted == []


def test_every_length_but_its_own_is_refused(tmp_path):
    small(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    for content in (*(whole[:count] for count in range(len(whole))), whole + b" ", whole + whole):
        (tmp_path / "b").write_bytes(content)
        with pytest.raises(BackpassError, match="no safetensors file, or a damaged one"):
            checkpoint.read(tmp_path / "b")


@pytest.mark.parametrize("at", ["W1", "seed", "sha256"])
def test_what_was_changed_on_purpose_is_refused(tmp_path, at):
    path = tmp_path / "net"
    network().save(path)
    arrays, about = checkpoint.read(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    written = json.loads(metadata["backpass"])
    if at == "W1":
        arrays["W1"] = arrays["W1"] + 1
    elif at == "seed":
        metadata["backpass"] = json.dumps({**written, "seed": 5}, sort_keys=True)
    else:
        metadata["backpass"] = json.dumps(about, sort_keys=True)
    save_file(arrays, path, metadata)
    with pytest.raises(BackpassError, match="net is damaged: its content is not what was written"):
        bp.load(path)


def test_a_file_of_the_first_format_has_no_checksum_and_is_read(tmp_path):
    net = network()
    arrays, about = net.stored()
    later = ("epochs", "steps")
    old = {name: about[name] for name in about if name not in later}
    old |= {"format": 1, "optimizer": ["SGD", {"lr": 0.3}]}
    save_file(arrays, tmp_path / "old", {"backpass": json.dumps(old)})
    again = bp.load(tmp_path / "old")
    assert str(again) == str(net)
    assert (again.predict(X) == net.predict(X)).all()
