"""The parent's side: starts the zygote, gives each submission a process, and reads its arrays."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from backpass.grading.child import GO, LENGTH
from backpass.grading.folders import FILES, MOST, overfull, remove
from backpass.grading.frames import Unreadable, packed, unpacked
from backpass.grading.limits import Limits
from backpass.language.errors import BackpassError

Array = NDArray[Any]
STARTING = 300.0  # seconds that a machine may take to import what a zygote needs
ANSWERING = 60.0  # after which a zygote that says nothing is given up
LOOKING = 0.2  # between two looks at what is written

SLOW = "it took too long"
FULL = f"it writes more than {FILES:,} files, or {MOST >> 20} MB"


class Lost(Exception):
    """The zygote is gone, or stopped: no process that it forked can be told from another."""


class Silent(Exception):
    """A submission's process gave no answer; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, negative for a signal, and what it used."""

    code: int
    seconds: float
    megabytes: float


class Zygote:
    """The process that forks; what it is asked is asked one at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        package = str(Path(__file__).resolve().parents[2])
        environment = {
            "PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": package,
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8",
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            "MPLBACKEND": "Agg",
        }  # fmt: skip
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "backpass.grading.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env=environment, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self._control = ours
        self._lock = threading.Lock()
        ours.settimeout(STARTING)
        if not ours.recv(1):
            raise BackpassError("the process that runs submissions did not start")
        ours.settimeout(ANSWERING)

    def fork(self, line: socket.socket, folder: str, limits: Limits, user: int | None) -> int:
        """A new process that speaks on this line."""
        asked = ["fork", folder, limits.seconds, limits.megabytes, user]
        return int(self._ask(asked, [line.fileno()]))

    def end(self, pid: int) -> Ended:
        """End a process that this one forked, if it has not ended yet."""
        code, seconds, megabytes = self._ask(["end", pid], [])
        return Ended(int(code), seconds, megabytes)

    def _ask(self, asked: Sequence[Any], lines: list[int]) -> Any:
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(asked).encode()], lines)
                said = self._control.recv(4096)
            except OSError as error:
                raise Lost from error
        if not said:
            raise Lost
        return json.loads(said)

    def close(self) -> None:
        """End it; what it forked ends with it, where the system can do that."""
        self._control.close()
        self._process.kill()
        self._process.wait()


class Run:
    """One submission's process, from its task to its end."""

    def __init__(self, zygote: Zygote, limits: Limits, user: int) -> None:
        self._zygote = zygote
        self._limits = limits
        stranger = user if os.geteuid() == 0 else None  # only root can be another user
        self._folder = tempfile.mkdtemp(prefix="backpass-")
        self._line, theirs = socket.socketpair()
        try:
            if stranger is not None:
                with suppress(OSError):  # in containers that know nobody but root
                    os.chown(self._folder, stranger, stranger)
            self._pid = zygote.fork(theirs, self._folder, limits, stranger)
            self._deadline = time.monotonic() + limits.deadline
        except BaseException:
            self._line.close()
            remove(self._folder)
            raise
        finally:
            theirs.close()

    def give(self, task: Sequence[Array]) -> None:
        """Send what is to be done; it is read before any of the submission runs."""
        content = packed(task)
        self._line.settimeout(ANSWERING)
        with suppress(OSError):  # it ended already: its silence will tell
            self._line.sendall(LENGTH.pack(len(content)) + content)

    def go_on(self) -> None:
        """Ask for the lines, too, with as much time as for the arrays."""
        self._deadline = time.monotonic() + self._limits.deadline
        with suppress(OSError):
            self._line.sendall(GO)

    def arrays(self, most: int, size: int) -> list[Array]:
        """What it answers, so many arrays and bytes at the most; raises Silent for all else."""
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if length > size:
            raise Silent("it answers with more than the arrays that were asked for")
        content = self._exactly(length)
        try:
            return unpacked(content, most)
        except Unreadable:
            raise Silent("it answers with what are no arrays") from None

    def _exactly(self, length: int) -> bytes:
        parts = bytearray()
        looking = time.monotonic() + LOOKING
        while len(parts) < length:
            now = time.monotonic()
            if now >= self._deadline:
                raise Silent(SLOW)
            if now >= looking:
                looking = now + LOOKING
                if overfull(self._folder):
                    raise Silent(FULL)
            try:
                self._line.settimeout(min(self._deadline - now, LOOKING))
                part = self._line.recv(min(length - len(parts), 1 << 20))
            except TimeoutError:
                continue
            except OSError:
                part = b""
            if not part:
                raise Silent("it ended without an answer")
            parts += part
        return bytes(parts)

    def close(self) -> Ended:
        """End the process, whatever it does, and remove its folder."""
        self._line.close()
        try:
            return self._zygote.end(self._pid)
        except Lost:  # nobody else knows it now
            with suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)
            raise
        finally:
            remove(self._folder)


def check_system() -> None:
    """Raise where processes cannot be confined."""
    if not hasattr(os, "fork") or not hasattr(socket, "send_fds"):
        raise BackpassError("grading needs a system with fork, such as Linux or macOS")
