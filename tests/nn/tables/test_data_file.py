"""Every format is known by what it begins with, and gives a table and a target."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.tables.data_file import read_data
from tests.nn.tables.formats import idx, npy, npz

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 1, 0])
CSV = b"a,b,c,y\n" + b"".join(
    b",".join(b"%g" % cell for cell in (*row, y)) + b"\n" for row, y in zip(X, Y, strict=True)
)


def wrote(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "target", "name"),
    [
        (CSV, "y", "y"),
        (CSV, "-1", "y"),
        (CSV.partition(b"\n")[2], "4", "prediction"),
        (npy(np.column_stack([X, Y])), "-1", "prediction"),
        (npz(X=X, y=Y), None, "y"),
        (npz(X_train=X, y_train=Y, X_test=X[:1], y_test=Y[:1]), "y_train", "y_train"),
    ],
    ids=["CSV", "CSV from the end", "CSV without header", "NPY", "NPZ", "NPZ by name"],
)
def test_formats_are_known_by_their_content(tmp_path: Path, packed, content, target, name):
    data = read_data(wrote(tmp_path, "data", packed(content)), target)
    assert data.target is not None
    assert data.target.name == name
    assert data.target.numbers.tolist() == Y.tolist()
    columns = [place for place in range(len(data.table.names)) if place != data.place]
    np.testing.assert_array_equal(data.table.numbers[:, columns], X)


def test_labels_may_stand_in_a_file_of_their_own(tmp_path: Path):
    images = wrote(tmp_path, "images.gz", gzip.compress(idx(X.reshape(4, 3, 1))))
    kinds = b"0\n1\n1\n0\n"
    for content in (idx(Y), npy(Y), npz(labels=Y), b"kind\n" + kinds, kinds):
        data = read_data(images, labels=wrote(tmp_path, "labels", content))
        assert data.target is not None
        assert data.target.numbers.tolist() == Y.tolist()
        assert data.place is None
        assert data.target.name == ("kind" if b"kind" in content else "prediction")
        assert data.target.said == "the target in labels"
        assert data.table.picture == (3, 1)


def test_what_was_unpacked_may_keep_its_name(tmp_path: Path):
    assert len(read_data(wrote(tmp_path, "a.csv.gz", CSV)).table) == 4


def test_what_does_not_go_together_is_refused(tmp_path: Path):
    images, labels = wrote(tmp_path, "images", idx(X)), wrote(tmp_path, "labels", idx(Y[:3]))
    with pytest.raises(ShapeError, match="images has 4 samples and there are 3 targets"):
        read_data(images, labels=labels)
    with pytest.raises(ShapeError, match="images has 3 values for each sample; give one target"):
        read_data(images, labels=images)
    with pytest.raises(BackpassError, match="a column of the data, or a file of its own; not both"):
        read_data(images, "1", labels)
    with pytest.raises(BackpassError, match="has 2 arrays; give a file with one"):
        read_data(images, labels=wrote(tmp_path, "two.npz", npz(a=Y, b=Y)))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path):
    whole = gzip.compress(CSV)
    for name, content, said in (
        ("cut.gz", whole[:-5], "is a damaged gzip file"),
        ("wrong.gz", whole[:10] + b"\xff" * 20 + whole[30:], "is a damaged gzip file"),
        ("noise", bytes(range(128, 256)), "line 1 of noise is no UTF-8 text"),
        ("empty", b"", "empty is empty"),
        ("a.parquet", b"PAR1\x15\x04\x15", "a.parquet is Parquet; save it as CSV first"),
        ("a.json", b'{"height": [1, 2]}', "a.json is JSON; save it as CSV first"),
        ("a.npz", b"hello\n", "a.npz is no NumPy file, whatever its name says; save it again"),
        ("a.npy.gz", gzip.compress(CSV), "a.npy.gz is no NumPy file"),
        ("images-idx3-ubyte", CSV, "is no IDX file"),
        ("a.csv.gz", b"hello\n", "a.csv.gz is no gzip file, whatever its name says; fetch it"),
    ):
        with pytest.raises(BackpassError, match=said):
            read_data(wrote(tmp_path, name, content))
    with pytest.raises(BackpassError, match="is a folder; give a CSV, NPY, NPZ or IDX file"):
        read_data(tmp_path)
    with pytest.raises(BackpassError, match="missing cannot be read: no such file"):
        read_data(tmp_path / "missing")
