"""Arrays and a description in one safetensors file; nothing in it is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn.files import reason, write_whole

KEY = "backpass"  # of our description among the file's metadata


def write(path: str | Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Write a file whole or not at all: a crash in between leaves what was there before.

    Raises BackpassError where the folder is missing or cannot be written.
    """
    from safetensors.numpy import save  # loaded by those who save

    # safetensors writes the memory as it lies, which for a transposed array is another array
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    content = save(plain, metadata={KEY: json.dumps(about)})
    write_whole(path, content)


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
    try:
        about = json.loads(metadata[KEY])
    except (KeyError, ValueError) as error:
        raise BackpassError(
            f"{path} holds arrays and no backpass network; give a file that net.save or backpass "
            "train wrote"
        ) from error
    return arrays, about
