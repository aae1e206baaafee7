"""NPY and NPZ, NumPy's own files; objects in them would be pickles, and are never loaded."""

from __future__ import annotations

import io
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, UnknownName, nearest

Array = NDArray[Any]
NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
# what NumPy and zipfile raise for files that are not whole, or not theirs
BROKEN = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npy(source: str, content: bytes) -> Array:
    """The array of an NPY file; BackpassError for a damaged one, and for one that holds objects."""
    try:
        return _load(content)
    except BROKEN as error:
        raise _refusal(source, error) from error


def read_npz(source: str, content: bytes) -> dict[str, Array]:
    """The arrays of an NPZ file by name; BackpassError for another kind of zip file."""
    try:
        with warnings.catch_warnings(), _load(content) as stored:
            warnings.simplefilter("ignore", UserWarning)
            if any(name.endswith(".xml") for name in stored.files):
                raise BackpassError(f"{source} is a spreadsheet; save it as CSV first")
            found = {name: stored[name] for name in stored.files}
    except BROKEN as error:
        raise _refusal(source, error) from error
    arrays = {name: one for name, one in found.items() if isinstance(one, np.ndarray)}
    if not arrays:  # any other file in a zip comes as bytes
        raise BackpassError(f"{source} is a zip file and holds no arrays")
    return arrays


def inputs_and_target(
    source: str, arrays: Mapping[str, Array], target: str | None
) -> tuple[str, str | None]:
    """The names of the inputs and of the target among the arrays of a file.

    The target is `y`, or the name that is given; the inputs are what has X in the place of its y,
    or else the only array besides. Without a target all is inputs.
    """
    wanted = target if target is not None else next((y for y in ("y", "Y") if y in arrays), None)
    if wanted is not None and wanted not in arrays:
        raise UnknownName(
            f"{source} has no array {wanted!r}{nearest(wanted, arrays)}; it has {_list(arrays)}"
        )
    others = [name for name in arrays if name != wanted]
    pair = wanted or "y"
    pairs = [f"{x}{pair[1:]}" for x in "Xx"] if pair[0] in "yY" else []
    found = [name for name in pairs if name in others] or others
    if len(found) != 1:
        advice = "name them X and y"
        if target is None and len(arrays) == 2:
            advice += f", or say which is learnt, as in --target {list(arrays)[-1]}"
        raise BackpassError(
            f"{source} has the arrays {_list(arrays)}, which does not tell inputs from target; "
            f"{advice}"
        )
    return found[0], wanted


def _load(content: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a head was written by Python 2
        return np.load(io.BytesIO(content), allow_pickle=False)


def _list(names: Mapping[str, Array]) -> str:
    return ", ".join(names)


def _refusal(source: str, error: BaseException) -> BackpassError:
    if "allow_pickle" in str(error):
        return BackpassError(
            f"{source} holds Python objects, which are never loaded; save plain numbers, as with "
            "X.astype(float)"
        )
    return BackpassError(f"{source} is a damaged NumPy file; save it again")
