"""IDX files as MNIST has them."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError
from backpass.nn.tables.idx import KINDS, is_idx, read_idx
from tests.nn.tables.formats import idx


@pytest.mark.parametrize("code", KINDS)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 2, 3)])
def test_every_kind_of_number_is_read(code: int, shape: tuple[int, ...]):
    array = np.arange(np.prod(shape)).reshape(shape)
    content = idx(array, code)
    assert is_idx(content)
    found = read_idx("train", content)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.dtype(KINDS[code]).newbyteorder("=")


def test_what_is_not_whole_is_refused():
    content = idx(np.zeros((4, 2, 3)))
    for wrong, said in (
        (content[:-1], "should hold 4×2×3 numbers, 24 bytes, and holds 23"),
        (content + b"\0", "24 bytes, and holds 25"),
        (content[:9], "ends within its head"),
    ):
        with pytest.raises(BackpassError, match=said):
            read_idx("train", wrong)
    assert not is_idx(b"\0\0\x07\x01")
    assert not is_idx(b"a,b\n")
