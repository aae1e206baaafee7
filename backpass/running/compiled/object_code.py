"""Machine code as bytes: what numba compiled, taken out, and linked again by LLVM alone.

numba and what it keeps its own machine code with take half a second to come in; this takes a tenth
of that, and nothing in it is a pickle.
"""

from __future__ import annotations

import ctypes
import json
from array import array
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from backpass.running.compiled.blas import enter_blas

ENTRY = "backpass_epoch"
DIGEST = 32  # bytes of a SHA-256


def compiled(function: Any) -> bytes:
    """The object file of a function of numba's that is compiled already, for one signature.

    In front stands what it calls, in a line of JSON, and in front of that a SHA-256 of the rest.
    """
    (only,) = function.overloads.values()
    text = only.library.get_llvm_str()
    binding = _binding()
    name = only.fndesc.llvm_func_name
    called = binding.parse_assembly(text).get_function(name)
    types = [str(one.type) for one in called.arguments]
    module = binding.parse_assembly(f"{text}\n{_entry(name, types)}")
    calls = [one.name for one in module.functions if one.is_declaration]
    calls = [one for one in calls if not one.startswith("llvm.")]
    rest = json.dumps(calls).encode() + b"\n" + _target().emit_object(module)
    return sha256(rest).digest() + rest


def _entry(name: str, types: Iterable[str]) -> str:
    """A function of two pointers, to the result and to a row of words that are the arguments.

    numba's own function has its result, a place for an exception, and then for each array its
    owner (twice), number of entries, bytes of an entry, memory, shape and strides.
    """
    lines, given = list[str](), list[str]()
    for place, kind in enumerate([*types][2:]):
        lines += [
            f"%p{place} = getelementptr i64, ptr %given, i64 {place}",
            f"%a{place} = load {kind}, ptr %p{place}",
        ]
        given.append(f"{kind} %a{place}")
    called = ", ".join(["ptr %result", "ptr %failure", *given])
    body = "\n  ".join(lines)
    return (
        f"define i32 @{ENTRY}(ptr %result, ptr %given) {{\n  %failure = alloca ptr\n  {body}\n"
        f'  %done = call i32 @"{name}"({called})\n  ret i32 %done\n}}\n'
    )


class Linked:
    """Machine code in this process: a function of arrays in C order, and of integers, in `words`.

    It gives the two integers that an epoch ends with, and raises IndexError where one is met.
    """

    def __init__(self, machine: bytes) -> None:
        binding = _binding()
        self.engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target())
        self.engine.add_object_file(binding.ObjectFileRef.from_data(machine))
        self.engine.finalize_object()
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
        self.place: int = self.engine.get_function_address(ENTRY)
        self.function = kind(self.place)

    def __call__(self, *given: NDArray[Any] | int) -> tuple[int, int]:
        return self.run(self.words(*given))

    @staticmethod
    def words(*given: NDArray[Any] | int) -> list[int]:
        """Arguments as a row of integers, which are right as long as their arrays live."""
        found = list[int]()
        for one in given:
            if isinstance(one, int):
                found.append(one)
            else:
                found += (0, 0, one.size, one.itemsize, address(one), *one.shape, *one.strides)
        return found

    def run(self, words: list[int]) -> tuple[int, int]:
        """Run on arguments that are words already."""
        result, row = array("q", (0, 0)), array("q", words)
        if self.function(result.buffer_info()[0], row.buffer_info()[0]):
            raise IndexError
        done, right = result
        return done, right


def linked(code: bytes) -> Linked | None:
    """What `compiled` gave, ready to run; None where it is not whole or calls what is not here."""
    if sha256(code[DIGEST:]).digest() != code[:DIGEST]:
        return None
    calls, _, machine = code[DIGEST:].partition(b"\n")
    enter_blas()
    return Linked(machine) if all(map(_known, json.loads(calls))) else None


def address(values: NDArray[Any]) -> int:
    """Where the memory of an array begins."""
    return values.__array_interface__["data"][0]


class Vector:
    """A vector that machine code is given part by part: where it begins is looked up once."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values
        self.begin = address(values)

    def words(self, start: int, stop: int) -> tuple[int, ...]:
        """The entries from one to another, as `Linked.words` would have them."""
        count, size = stop - start, self.values.itemsize
        return 0, 0, count, size, self.begin + start * size, count, size


def _known(name: str) -> bool:
    """Whether a function is in this process; numba brings some of its own."""
    binding = _binding()
    if binding.address_of_symbol(name) is None:
        _ = import_module("numba.core.registry").cpu_target.target_context
    return binding.address_of_symbol(name) is not None


@cache
def _binding() -> Any:
    return import_module("llvmlite.binding")


def _target() -> Any:
    """The processor that runs this, with all that it can do; an engine keeps what it is given."""
    binding = _binding()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )
