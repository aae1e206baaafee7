"""System calls that a submission has no use for, refused by Linux whoever asks.

A filter is a small program that the system runs before each call: see seccomp(2). On other machines
than these two there is none.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping

Calls = Mapping[str, tuple[int, int | None]]  # their numbers on each machine

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # their mark, and the column
REFUSED: Calls = {
    # others: to be traced, read, signalled, held back
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "rt_sigqueueinfo": (129, 138), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # the network, and what else leads out
    "socket": (41, 198), "io_uring_setup": (425, 425), "execve": (59, 221), "execveat": (322, 281),
    "perf_event_open": (298, 241), "bpf": (321, 280), "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "syslog": (103, 116),
    # memory that outlives its process
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180),
    # whose a file is, and who may use it: Landlock does not look at that
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    # another view of the system
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fspick": (433, 433),
    "mount_setattr": (442, 442), "pivot_root": (155, 41), "chroot": (161, 51),
}  # fmt: skip
ITSELF: Calls = {  # allowed upon itself: the first argument says whom they are about
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "sched_setaffinity": (203, 122),
}  # fmt: skip
STARTS: Calls = {"fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435)}

_LOAD, _EQUAL, _ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06  # of the filter's machine
_NUMBER, _MACHINE, _FIRST = 0, 4, 16  # where they stand in what it is given
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_OTHER_CALLS = 0x40000000  # of x86_64: the same calls under other numbers
_FILTER, _MODE, _GAIN_NOTHING = 22, 2, 38  # of prctl(2)


def refuse() -> bool:
    """Let this process and its own do none of that any more; True if it holds."""
    known = MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if known is None:
        return False
    code = program(*known, os.getpid())
    kept = ctypes.create_string_buffer(code)
    whole = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(kept))
    system = ctypes.CDLL(None)
    system.prctl(_GAIN_NOTHING, 1, 0, 0, 0)
    return system.prctl(_FILTER, _MODE, ctypes.c_char_p(whole), 0, 0) == 0


def program(mark: int, column: int, process: int) -> bytes:
    """The filter of a process: instructions of eight bytes, each leading on or returning."""

    def numbers(calls: Calls) -> list[int]:
        found = (pair[column] for pair in calls.values())
        return [number for number in found if number is not None]

    lines = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, mark), _failing(errno.EPERM)]
    lines += [(_LOAD, 0, 0, _NUMBER), (_ABOVE, 0, 1, _OTHER_CALLS), _failing(errno.EPERM)]
    for number in numbers(REFUSED):
        lines += [(_EQUAL, 0, 1, number), _failing(errno.EPERM)]
    for number in numbers(STARTS):
        lines += [(_EQUAL, 0, 1, number), _failing(errno.EAGAIN)]
    for number in numbers(ITSELF):
        lines += [
            (_EQUAL, 0, 5, number), (_LOAD, 0, 0, _FIRST), (_EQUAL, 2, 0, 0),
            (_EQUAL, 1, 0, process), _failing(errno.EPERM), (_RETURN, 0, 0, _ALLOW),
        ]  # fmt: skip
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _failing(error: int) -> tuple[int, int, int, int]:
    return _RETURN, 0, 0, _FAIL | error
