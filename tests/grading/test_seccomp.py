"""The filter of system calls, run by hand: what it does to a number and a first argument."""

import errno
import struct

import pytest

from backpass.grading.seccomp import ITSELF, MACHINES, REFUSED, STARTS, program

ALLOWED = 0x7FFF0000
ME = 4321


def run(code: bytes, machine: int, number: int, first: int = 0) -> int:
    """What the system would do: the filter's few instructions, one after the other."""
    given = struct.pack("=iIQQ", number, machine, 0, first)
    at, word = 0, 0
    while True:
        what, yes, no, value = struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        match what:
            case 0x20:
                (word,) = struct.unpack_from("=I", given, value)
            case 0x15:
                at += yes if word == value else no
            case 0x35:
                at += yes if word >= value else no
            case 0x06:
                return value


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_refused_and_what_is_not(name: str):
    machine, column = MACHINES[name]
    code = program(machine, column, ME)
    refused, busy = 0x50000 | errno.EPERM, 0x50000 | errno.EAGAIN
    for pair in REFUSED.values():
        if pair[column] is not None:
            assert run(code, machine, pair[column]) == refused
    for pair in STARTS.values():
        if pair[column] is not None:
            assert run(code, machine, pair[column]) == busy
    for pair in ITSELF.values():
        about = [run(code, machine, pair[column], one) for one in (0, ME, ME - 1, 2**64 - 1)]
        assert about == [ALLOWED, ALLOWED, refused, refused]
    assert run(code, machine, 9999) == ALLOWED
    assert run(code, machine ^ 1, 9999) == refused  # another machine's numbers mean other calls
    assert run(code, machine, 0x40000000) == refused


def test_each_call_has_a_number_of_its_own():
    calls = [*REFUSED.values(), *ITSELF.values(), *STARTS.values()]
    for column in (0, 1):
        numbers = [pair[column] for pair in calls if pair[column] is not None]
        assert len(set(numbers)) == len(numbers)
