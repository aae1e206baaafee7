"""NumPy's files: arrays, never objects, and damaged ones in one sentence."""

import pickle

import numpy as np
import pytest

from backpass.language.errors import BackpassError, UnknownName
from backpass.nn.tables.archive import inputs_and_target, read_npy, read_npz
from tests.nn.tables.formats import npy, npz, zipped


def test_arrays_come_back():
    X = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(read_npy("X.npy", npy(X)), X)
    found = read_npz("data.npz", npz(X=X, y=np.array(["a", "b", "c"])))
    np.testing.assert_array_equal(found["X"], X)
    assert found["y"].tolist() == ["a", "b", "c"]


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_objects_are_never_loaded():
    objects = np.array([Bomb()], dtype=object)
    with pytest.raises(BackpassError, match="holds Python objects, which are never loaded"):
        read_npy("X.npy", npy(objects))
    with pytest.raises(BackpassError, match="holds Python objects"):
        read_npz("data.npz", npz(X=objects))
    with pytest.raises(BackpassError, match="holds Python objects"):
        read_npy("X.npy", pickle.dumps(Bomb()))


def test_damaged_and_foreign_files_are_refused():
    whole = npy(np.arange(6.0))
    for content in (whole[:5], whole[:20], whole[:-1]):
        with pytest.raises(BackpassError, match=r"X\.npy (is a damaged|holds)"):
            read_npy("X.npy", content)
    whole = npz(X=np.arange(600.0))
    for content in (whole[:50], whole[:-30], whole.replace(whole[80:90], b"0123456789")):
        with pytest.raises(BackpassError, match=r"data\.npz is a damaged NumPy file"):
            read_npz("data.npz", content)
    with pytest.raises(BackpassError, match="is a spreadsheet; save it as CSV"):
        read_npz("data.xlsx", zipped("[Content_Types].xml", b"<Types/>"))
    with pytest.raises(BackpassError, match="holds no arrays"):
        read_npz("data.zip", zipped("readme.txt", b"hello"))


def test_heads_that_python_cannot_read_are_damage():
    whole = npy(np.arange(6.0))
    for old, new in (
        (b"(6,), }", b"(6,     "),  # a bracket that is not closed
        (b"(6,), }", b"(-6,),} "),
        (b"(6,), }", b"(6L,),, "),
        (b"(6,), }", b"(9**9,)}"),
        (b"<f8", b"\xff\xff\xff"),
    ):
        with pytest.raises(BackpassError, match="damaged"):
            read_npy("X.npy", whole.replace(old, new))
    locked = npz(X=np.arange(6.0)).replace(b"PK\x01\x02", b"PK\x01\x02", 1)
    place = locked.index(b"PK\x01\x02") + 8
    locked = locked[:place] + b"\x01" + locked[place + 1 :]  # the bit of an encrypted file
    with pytest.raises(BackpassError, match="damaged"):
        read_npz("data.npz", locked)
    old = whole.replace(b"(6,), } ", b"(6L,), }")  # as Python 2 wrote it
    assert old != whole
    np.testing.assert_array_equal(read_npy("X.npy", old), np.arange(6.0))


@pytest.mark.parametrize(
    ("names", "target", "found"),
    [
        ("X y", None, ("X", "y")),
        ("x y weights", None, ("x", "y")),
        ("X_train y_train X_test y_test", "y_train", ("X_train", "y_train")),
        ("x_train y_train x_test y_test", "y_test", ("x_test", "y_test")),
        ("images labels", "labels", ("images", "labels")),
        ("X", None, ("X", None)),
        ("X extra", None, ("X", None)),
    ],
)
def test_inputs_and_target_are_told_by_their_names(names, target, found):
    assert inputs_and_target("data.npz", dict.fromkeys(names.split()), target) == found


@pytest.mark.parametrize(
    ("names", "target", "said"),
    [
        ("X y", "Y2", "has no array 'Y2'; did you mean y?; it has X, y"),
        ("images more labels", "labels", "does not tell inputs from target; name them X and y"),
        ("images labels", None, "name them X and y, or say which is learnt, as in --target labels"),
        ("y", "y", "does not tell inputs from target"),
        ("X y", "", "has no array ''"),
    ],
)
def test_names_that_do_not_tell_are_refused(names, target, said):
    with pytest.raises((BackpassError, UnknownName), match=said.replace("?", r"\?")):
        inputs_and_target("data.npz", dict.fromkeys(names.split()), target)
