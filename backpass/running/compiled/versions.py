"""All that machine code depends on besides its own source."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from backpass._version import __version__

LIBRARIES = ("numba", "llvmlite", "scipy", "numpy")
OWN = (
    "blas.py", "functions.py", "lanes.py", "machine.py", "matmul.py", "multiply.py",
    "object_code.py", "tiles.py",
)  # fmt: skip


@cache
def versions() -> str:
    """One line for each thing that, changed, makes cached code another."""
    binding: Any = import_module("llvmlite.binding")
    own = files("backpass.running.compiled")
    texts = b"".join(own.joinpath(name).read_bytes() for name in OWN)
    features = binding.get_host_cpu_features().flatten().encode()
    lines = [
        f"backpass {__version__} ({hashlib.sha256(texts).hexdigest()[:16]})",
        *(f"{name} {version(name)}" for name in LIBRARIES),
        f"{binding.get_host_cpu_name()} ({hashlib.sha256(features).hexdigest()[:16]})",
    ]
    return "\n".join(lines)
