"""What Linux's Landlock takes away from a process for good: files, connections, signals to others.

It needs no rights, and so it holds for everybody, root or not, from Linux 5.13 on; later ones can
take away more. Where there is none, nothing happens: see landlock(7).
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the numbers of the system calls, on all machines
_ASK_VERSION, _BENEATH, _GAIN_NOTHING = 1, 1, 38
_EXECUTE, _WRITE, _READ, _LIST, _CUT = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_DEVICES = 1 << 6 | 1 << 11  # to make some
_RIGHTS = 13, 14, 15, 15, 16  # how many rights to files the versions know; the last one since 5
_CONNECTED, _SIGNALLED = 4, 6  # the versions since which connections and signals are bounded
_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share",
    "/usr/local/lib", "/usr/local/share", "/nix/store",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/passwd", "/etc/nsswitch.conf",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system",
)  # fmt: skip


def seal(folder: str) -> bool:
    """Leave a process the files of Python, to read, and one folder, to write in; True if it holds.

    It executes nothing, connects to nothing by TCP, and signals no process outside.
    """
    version = _call(_CREATE, None, 0, _ASK_VERSION) if sys.platform == "linux" else -1
    if version < 1:
        return False
    rights = (1 << _RIGHTS[min(version, len(_RIGHTS)) - 1]) - 1
    bounded = struct.pack(
        "QQQ", rights, 3 if version >= _CONNECTED else 0, 3 if version >= _SIGNALLED else 0
    )
    size = 24 if version >= _SIGNALLED else 16 if version >= _CONNECTED else 8
    rules = _call(_CREATE, ctypes.c_char_p(bounded), size, 0)
    if rules < 0:
        return False
    try:
        _allow(rules, folder, rights & ~_EXECUTE & ~_DEVICES)
        for device in ("null", "zero", "full", "random", "urandom"):
            _allow(rules, f"/dev/{device}", (_READ | _WRITE) & rights)
        for path in readable():
            _allow(rules, path, _READ | _LIST)
        _system().prctl(_GAIN_NOTHING, 1, 0, 0, 0)
        return _call(_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    """Except what is beneath a path from the rules; what is not there needs no exception."""
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights = rights if Path(path).is_dir() else rights & (_READ | _WRITE | _CUT)
            _call(_ADD, rules, _BENEATH, ctypes.c_char_p(struct.pack("=Qi", rights, place)), 0)
        finally:
            os.close(place)


@functools.cache
def readable() -> tuple[str, ...]:
    """Where Python and what it imports lie, what the system shares, and what it tells of a process.

    Of a checkout from which backpass is run, only the package: the rest may hold anything.
    """
    package = Path(__file__).resolve().parents[1]
    numpy = Path(np.__file__).resolve().parents[1]
    paths = {
        package if Path(one).resolve() == package.parent != numpy else Path(one)
        for one in sys.path
        if one
    }
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    paths |= {Path(one, folder) for one in prefixes for folder in ("lib", "lib64")}
    return (*sorted({str(path) for path in paths if path.exists()}), *_SYSTEM)


@functools.cache
def _system() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _call(number: int, *given: object) -> int:
    call = _system().syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *(_word(one) for one in given)))


def _word(one: object) -> object:
    """As wide as a register: what `syscall` takes are words."""
    return ctypes.c_long(one) if isinstance(one, int) else one
