"""A process that has imported all that submissions need, and forks one process for each.

It is told two things: to fork, with the line that the new process is to speak on, and to end one.
It knows no reference and no answers. What it forked stays a zombie until it is told to end it, so
that a process id means one process only.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from contextlib import suppress

import backpass.doctor.doctor  # noqa: F401  # imported here once, and there by every fork
from backpass.grading.child import live
from backpass.grading.limits import Limits

READY = b"1"


def serve(control: socket.socket) -> None:
    """Do as told until nobody is there to tell."""
    gc.freeze()  # what is here stays, and need not be copied into every fork
    control.sendall(READY)
    while True:
        message, lines, _, _ = socket.recv_fds(control, 4096, 1)
        if not message:
            return
        match json.loads(message):
            case ["fork", folder, seconds, megabytes, user]:
                pid = os.fork()
                if pid == 0:
                    control.close()
                    live(socket.socket(fileno=lines[0]), folder, Limits(seconds, megabytes), user)
                os.close(lines[0])
                control.sendall(json.dumps(pid).encode())
            case ["end", pid]:
                control.sendall(json.dumps(_ended(pid)).encode())
            case other:
                raise AssertionError(other)


def _ended(pid: int) -> list[float]:
    """End a process and all of its group: how it ended, its processor seconds, its megabytes."""
    for kill in (os.killpg, os.kill):  # a group is there once the process has made it
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return [code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
