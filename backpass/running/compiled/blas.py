"""SciPy's matrix products, and a system call, entered where machine code finds them.

They are entered under names of ours, since a pointer in the code could not be kept in a file.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

BLAS = "scipy.linalg.cython_blas"
NAMES = {32: "backpass_sgemm", 64: "backpass_dgemm"}
OWN = {32: "backpass_multiply_32", 64: "backpass_multiply_64"}  # see `matmul`
YIELD = "backpass_yield"  # lets another thread have the processor


@cache
def has_own() -> bool:
    """Whether products are ours: where a processor adds one to a sum in one go."""
    binding: Any = import_module("llvmlite.binding")
    return bool(binding.get_host_cpu_features().get("fma"))


@cache
def enter_blas() -> Any:
    """Make them known to machine code; the module, which must stay where it is."""
    binding: Any = import_module("llvmlite.binding")
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    blas = _load()
    for bits, letter in ((32, "s"), (64, "d")):
        capsule = blas.__pyx_capi__[f"{letter}gemm"]
        binding.add_symbol(NAMES[bits], pointer_of(capsule, name_of(capsule)))
    binding.add_symbol(YIELD, ctypes.cast(_yield(), ctypes.c_void_p).value)
    return blas


def _yield() -> Any:
    """The system's way to let another thread go on."""
    if sys.platform == "win32":
        return ctypes.windll.kernel32.SwitchToThread
    return ctypes.CDLL(None).sched_yield


def _load() -> Any:
    """SciPy's module of BLAS functions, by itself: the rest of `scipy.linalg` takes its time."""
    folder = [str(Path(place) / "linalg") for place in import_module("scipy").__path__]
    spec = PathFinder.find_spec(BLAS, folder)
    if spec is None or spec.loader is None:
        return import_module(BLAS)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
