"""The life of a submission's process: to be confined, to read its task, to run, to answer.

It may do to itself what it likes. Its parent reads arrays from it, and nothing else.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import struct
import traceback
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.doctor import doctor
from backpass.doctor.examine import examine
from backpass.doctor.report import Report
from backpass.grading.calling import RETURNED, Answer, Prepared, answer, prepared
from backpass.grading.contract import Contract, filled, spelled
from backpass.grading.frames import packed, text_array, unpacked
from backpass.grading.imported import imported
from backpass.grading.limits import Limits, allow_as_long_again, confine
from backpass.language.errors import BackpassError

Array = NDArray[Any]
DONE, FAILED = 0, 1
LENGTH = struct.Struct(">Q")
REPAIRS = 20_000  # bytes of lines as they would be right
WORDS = 600  # bytes of what a submission's error says
MOST = 10_000  # arrays in a task
GO = b"\1"


def live(line: socket.socket, folder: str, limits: Limits, user: int | None) -> None:
    """Everything that such a process does; it never returns."""
    status = 1
    try:
        os.setsid()  # a group of its own, that can be ended whole
        _be_deaf()
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder)
        task = unpacked(received(line), MOST)
        confine(limits, user, folder)
        _work(line, task)
        status = 0
    finally:
        os._exit(status)  # whatever it has registered to happen at the end does not


def _be_deaf() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def received(line: socket.socket) -> bytes:
    """A whole message: its length, and so many bytes."""
    (length,) = LENGTH.unpack(_exactly(line, LENGTH.size))
    return _exactly(line, length)


def _exactly(line: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = line.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def sent(line: socket.socket, content: bytes) -> None:
    """A whole message."""
    line.sendall(LENGTH.pack(len(content)) + content)


def _work(line: socket.socket, task: Sequence[Array]) -> None:
    told = json.loads(task[0].tobytes())
    contract = Contract.decoded(told["contract"])
    count = told["count"]
    probes = [list(task[start : start + count]) for start in range(1, len(task), count)]
    random.seed(0)
    np.random.seed(0)
    warnings.simplefilter("ignore")
    module: ModuleType | None = None
    try:
        module = imported(told["sources"], told["main"])
        answers = [answer(prepared(module, contract, one)) for one in probes]
    except BaseException as error:
        number, text = _said(error, told["sources"])
        more, fix = _met(module, contract, probes[0], error)
        said = text_array(f"{type(error).__name__}: {more}" if more else text, WORDS)
        sent(line, packed([np.array([FAILED, number]), said, text_array(fix, WORDS)]))
        return
    sent(line, packed(_arrays(answers, _losses(module, contract, probes))))
    if line.recv(1) == GO:
        allow_as_long_again()
        shown = max(probes, key=_labels)  # the doctor makes others of the same kind
        sent(line, packed(_lines(module, contract, shown, told)))


def _arrays(answers: Sequence[Answer], losses: Array) -> list[Array]:
    found = [np.array([DONE, 0]), losses]
    for one in answers:
        found += [np.array([one.how, one.rated]), *one.arrays]
    return found


def _said(error: BaseException, sources: dict[str, str]) -> tuple[int, str]:
    """The submission's own line that failed, and what was said there."""
    own = [one for one in traceback.extract_tb(error.__traceback__) if one.filename in sources]
    line = own[-1].lineno if own else getattr(error, "lineno", 0)
    if isinstance(error, BackpassError):
        return 0, f"{error.message}"
    said = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    where = f"{own[-1].filename} " if own and len(sources) > 1 else ""
    name = type(error).__name__
    return line or 0, f"{where}{name}: {said}" if said else f"{where}{name}"


def _met(
    module: ModuleType | None, contract: Contract, probe: list[Array], error: BaseException
) -> tuple[str, str]:
    """The shapes that met where it failed, and what would have fitted; "" where nobody can tell."""
    if module is None or not isinstance(error, ValueError):
        return "", ""
    try:
        (found,) = examine(*_watchable(prepared(module, contract, probe), contract)).findings
    except Exception:
        return "", ""
    _, _, met = found.explanation.rpartition("; in ")
    return (f"in {met.rstrip('.')}", found.fix) if " the shapes are " in met else ("", "")


def _losses(module: ModuleType, contract: Contract, probes: Sequence[list[Array]]) -> Array:
    """What a loss of the submission's own makes of the probes; nothing where it has none."""
    function = getattr(module, "loss", None)
    if not callable(function):
        return np.zeros(0)
    given = [[filled(held, one) for held in contract.nests.values()] for one in probes]
    try:
        values: list[Any] = [function(*one) for one in given]
        return np.array([float(value) for value in values])
    except Exception:
        return np.zeros(0)


def _labels(probe: Sequence[Array]) -> int:
    """How far the labels of a probe go, if its targets are labels."""
    targets = probe[-1]
    return int(targets.max(initial=0)) if targets.dtype.kind in "iu" else 0


def _lines(
    module: ModuleType, contract: Contract, probe: Sequence[Array], told: dict[str, Any]
) -> list[Array]:
    """What the doctor finds when it watches the run: mistake, tensor, line and file, as numbers.

    Beside these rows stand the lines as they would be right, one for each row, empty if unknown.
    """
    files = list(told["sources"])
    call = prepared(module, contract, probe)
    names = [_keys(spelled(path)) for _, path in call.trained]
    found = [
        (one, path)
        for one in _examined(call, contract, module).findings
        for path in one.tensors or (one.tensor,)
        if one.line and one.file in files
    ]
    rows = [
        [
            -1 if one.bug is None else one.bug,
            next((n for n, name in enumerate(names) if _keys(path).endswith(name)), -1),
            one.line,
            files.index(one.file),
        ]
        for one, path in found
    ]
    mended = "\n".join(" ".join(one.repaired.split()) for one, _ in found)
    return [np.array(rows, int).reshape(-1, 4), text_array(mended, REPAIRS)]


def _examined(call: Prepared, contract: Contract, module: ModuleType) -> Report:
    loss = getattr(module, "loss", None)
    returns = answer(call).how == RETURNED
    if returns and callable(loss) and len(contract.parameters) == 1:
        params, *args = call.given
        return doctor(call.function, loss=loss, params=params, args=args)
    return examine(*_watchable(call, contract), gradients=returns)


def _watchable(
    call: Prepared, contract: Contract
) -> tuple[Callable[..., Any], list[Any], float | None, int, int]:
    """What the doctor is given: the function, its arguments, the rate, and which are the data."""
    rate = next(iter(call.more.values()), contract.rate)
    last = len(call.given) - 1
    return call.function, [*call.given, *call.more.values()], rate, last - 1, last


def _keys(path: str) -> str:
    """What leads to an array, without the name of what holds it: self.W1 is params['W1']."""
    return re.sub(r"\.(\w+)", r"['\1']", re.sub(r"^\w+(?=[.\[])", "", path))
