"""Arrays and a description in one safetensors file; nothing in it is ever executed.

safetensors has no checksum of its own, so in the description stands a SHA-256 over the names,
dtypes, shapes and bytes of all arrays, and over the rest of it. One flipped bit is found. It is one
text of sorted JSON, since safetensors writes several in any order: equal contents, equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn.files import reason, write_whole

KEY, SUM = "backpass", "sha256"  # of the description in the file's metadata, and of its checksum
UNSUMMED = 1  # format of the files that were written before there was a checksum

Arrays = Mapping[str, NDArray[Any]]


def write(path: str | Path, arrays: Arrays, about: Mapping[str, Any]) -> None:
    """Write a file whole or not at all: a crash in between leaves what was there before.

    Raises BackpassError where the folder is missing or cannot be written.
    """
    from safetensors.numpy import save  # loaded by those who save

    # safetensors writes the memory as it lies, which for a transposed array is another array;
    # np.ascontiguousarray would make a vector of a single number
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    described = json.loads(json.dumps(about))  # as it will be read, numbers among the keys as text
    write_whole(path, save(plain, metadata={KEY: _summed(plain, described)}))


def read(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of a file and their description; BackpassError for a file that is not ours."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        with path.open("rb"):
            pass  # says better than safetensors why it cannot be read
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            names = file.keys()
            arrays = {name: file.get_tensor(name) for name in names}
    except OSError as error:
        raise BackpassError(f"{path} cannot be read: {reason(error)}") from error
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise BackpassError(
            f"{path} is no safetensors file, or a damaged one ({error}); give a file that "
            "net.save or backpass train wrote"
        ) from error
    if KEY not in metadata:
        raise BackpassError(
            f"{path} holds arrays and no backpass network; give a file that net.save or backpass "
            "train wrote"
        )
    try:
        about = dict(json.loads(metadata[KEY]))
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, "its description cannot be read") from error
    found = about.pop(SUM, None)
    old = about.get("format") == UNSUMMED and found is None
    if not old and metadata[KEY] != _summed(arrays, about):
        raise _damaged(path, "its content is not what was written, as its checksum says")
    return arrays, about


def _damaged(path: Path, why: str) -> BackpassError:
    return BackpassError(f"{path} is damaged: {why}; take another copy of it, or train again")


def _summed(arrays: Arrays, about: Mapping[str, Any]) -> str:
    """The description with the checksum in it."""
    total = checksum(arrays, json.dumps(about, sort_keys=True))
    return json.dumps({**about, SUM: total}, sort_keys=True)


def checksum(arrays: Arrays, description: str) -> str:
    """The SHA-256 of all that a file says, in hexadecimal."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        one = arrays[name]
        # lengths first, so that no two contents are the same bytes
        head = json.dumps([name, one.dtype.newbyteorder("<").str, one.shape, one.nbytes])
        found.update(f"{len(head)} {head}".encode())
        found.update(
            np.asarray(one, one.dtype.newbyteorder("<"), order="C").data.cast("B")
            if one.size
            else b""
        )
    found.update(description.encode())
    return found.hexdigest()
