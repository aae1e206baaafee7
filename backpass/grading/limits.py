"""What a process that runs a stranger's code may use, taken away before that code is read."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import resource
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backpass.grading.landlock import seal
from backpass.grading.seccomp import refuse

STRANGERS = 61_000  # numbers from here on belong to nobody; containers know them up to 65,535
FILE = 1 << 20  # bytes that a file may grow to
FILES = 64  # open at once


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of a processor, megabytes beyond what Python and NumPy take, and for the clock.

    A machine that is busy slows the clock of a submission, and not its processor.
    """

    seconds: float = 10.0
    megabytes: int = 1024
    clock: float | None = None  # three times the seconds, unless told otherwise

    @property
    def deadline(self) -> float:
        """Seconds of the clock until a process is ended, even if it only sleeps."""
        return 3 * self.seconds if self.clock is None else self.clock


def confine(limits: Limits, user: int | None, folder: str) -> None:
    """Take away, for good: memory, processor time, other processes, files, and rights.

    With no process allowed to start, nothing outlives the one that is killed. The system counts
    processes by user and never for root, so root becomes the `user`, who owns nothing. What is
    left to write in is the `folder`.
    """
    memory = _held() + limits.megabytes * (1 << 20)
    seconds = math.ceil(limits.seconds)
    _least(resource.RLIMIT_AS, memory)
    _least(resource.RLIMIT_CPU, seconds, 2 * seconds + 1)
    _least(resource.RLIMIT_FSIZE, FILE)
    _least(resource.RLIMIT_NOFILE, FILES)
    _least(resource.RLIMIT_CORE, 0)
    stays = user is not None and not _became(user)
    _least(resource.RLIMIT_NPROC, 0)
    with suppress(OSError, AttributeError):
        _system().prctl(_DIE_WITH_PARENT, 9, 0, 0, 0)
        _system().prctl(_GAIN_NOTHING, 1, 0, 0, 0)
    if not all((seal(folder), refuse())) and stays:
        raise PermissionError("a root who cannot become another user, on a system without limits")


def _became(user: int) -> bool:
    """A user without rights, if root may be one; False in containers that know root alone.

    Where only root can read Python itself, reading is left.
    """
    reads = readable_by_others()
    if not reads:
        _system().prctl(_KEEP_RIGHTS, 1, 0, 0, 0)
    try:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    except OSError:
        return False
    if not reads:
        only = 1 << _READ
        header = (ctypes.c_uint32 * 2)(_VERSION, 0)
        _system().capset(header, (ctypes.c_uint32 * 6)(only, only, 0, 0, 0, 0))
    return True


@contextmanager
def unread() -> Iterator[None]:
    """Let no process of the same user read or write the memory of this one, where keys are."""
    try:
        with suppress(OSError, AttributeError):
            _system().prctl(_DUMPABLE, 0, 0, 0, 0)
        yield
    finally:
        with suppress(OSError, AttributeError):
            _system().prctl(_DUMPABLE, 1, 0, 0, 0)


def strangers() -> int:
    """The first of a hundred users who are nobody, for the processes of one grader."""
    return STRANGERS + 100 * secrets.randbelow(40)


_DIE_WITH_PARENT, _DUMPABLE, _KEEP_RIGHTS, _GAIN_NOTHING = 1, 4, 8, 38  # of prctl(2)
_READ, _VERSION = 2, 0x20080522  # of capabilities(7) and capset(2)


@functools.cache
def _system() -> ctypes.CDLL:
    return ctypes.CDLL(None)


@functools.cache
def readable_by_others() -> bool:
    """Whether a user without rights can import what Python and NumPy import later."""
    return all(
        folder.stat().st_mode & 0o005 == 0o005
        for one in (np.__file__, os.__file__, __file__)
        for folder in Path(one).resolve().parents
    )


def allow_as_long_again() -> None:
    """Let the doctor watch for as long as the submission was allowed to run."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _least(what: int, most: int, later: int | None = None) -> None:
    """Lower a limit, or to more, `later`; one that is lower already stays."""
    _, hard = resource.getrlimit(what)
    last = most if later is None else later
    last = last if hard == resource.RLIM_INFINITY else min(last, hard)
    resource.setrlimit(what, (min(most, last), last))


def _held() -> int:
    """Bytes of address space in use; a generous guess where the system does not tell."""
    with suppress(OSError, ValueError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 2 << 30
