"""Arrays come through as they were; bytes that lie are refused before they cost anything."""

import io

import numpy as np
import pytest
from numpy.lib import format as npy

from backpass.grading.frames import Unreadable, array_text, packed, text_array, unpacked


def told(shape: str, descr: str = "'<f8'", body: bytes = b"", order: str = "False") -> bytes:
    """A frame whose header says what it likes."""
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return npy.magic(1, 0) + len(header).to_bytes(2, "little") + header + body


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.zeros(()), np.zeros((0, 3)), np.ones(2, "f4"),
     np.arange(3), np.array([True]), np.arange(6.0).reshape(2, 3).T, np.ones(3, ">f8")],
)  # fmt: skip
def test_arrays_come_through(array: np.ndarray):
    (found,) = unpacked(packed([array]), 1)
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


def test_so_many_and_no_more():
    content = packed([np.zeros(2)] * 3)
    assert len(unpacked(content, 3)) == 3
    with pytest.raises(Unreadable, match="more than 2 arrays"):
        unpacked(content, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"no array at all",
        told("(1000000000000,)"),
        told("(-1, -8)", body=bytes(64)),
        told("(0, 10**30)"),
        told(f"(0, {10**30})"),
        told("(2,)", "'O'", bytes(16)),
        told("(2,)", "[('a', 'O')]", bytes(16)),
        told("(2,)", "'<U8'", bytes(64)),
        told("(2,)", "'<c16'", bytes(32)),
        told("(2,)", "('<f8', (2,))", bytes(32)),
        told("(1,) * 9", body=bytes(8)),
        told("(1, 1, 1, 1, 1, 1, 1, 1, 1)", body=bytes(8)),
        told("(2,)", body=bytes(8)),
        told("__import__('os').system('true')", body=bytes(8)),
        told("(" * 900, body=bytes(8)),
        npy.magic(3, 0) + bytes(64),
        npy.magic(1, 0) + b"\xff\xff" + b" " * 70000,
        packed([np.zeros(3)])[:-1],
    ],
)
def test_bytes_that_lie_are_refused(content: bytes):
    with pytest.raises(Unreadable):
        unpacked(content, 5)


def test_an_object_is_not_packed():
    with pytest.raises(ValueError, match="Object arrays"):
        packed([np.array([object()])])


def test_a_pickle_in_numpys_format_is_never_loaded():
    stream = io.BytesIO()
    npy.write_array(stream, np.array([{}], object), allow_pickle=True)
    with pytest.raises(Unreadable):
        unpacked(stream.getvalue(), 1)


def test_texts_are_shown_on_one_line_and_without_control():
    shown = array_text(text_array("a\x1b[2J\n\tb\u202e" + "é" * 50, 1000), 20)
    assert shown == "a [2J b " + "é" * 12
    assert array_text(np.array([300.0, np.inf]), 10) == ""
