"""Many submissions, each in a process of its own, a few at once; verdicts are made here."""

from __future__ import annotations

import ast
import json
import os
import secrets
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.catalogue import NAMES
from backpass.grading.calling import Answer
from backpass.grading.child import DONE
from backpass.grading.contract import Contract
from backpass.grading.frames import array_text
from backpass.grading.graded import Accept, Graded, Hint, Tensor, accepted
from backpass.grading.judge import judge
from backpass.grading.key import PROBES, Drawn, Key
from backpass.grading.limits import Limits, strangers, unread
from backpass.grading.processes import SLOW, Lost, Run, Silent, Zygote, check_system
from backpass.grading.submissions import Submission

Array = NDArray[Any]
SPARE = 100_000  # bytes of an answer beside its arrays
ROWS = 1000  # of hints about lines
SEEN = 3  # mistakes that are taken from a run
SHOWN = 100  # characters of a line, or of what an error says, times two


@dataclass(frozen=True, slots=True)
class Way:
    """How it is graded: limits, processes at once, whether lines are looked for, what passes.

    Probes are drawn from `seed`, or anew each time where there is none.
    """

    limits: Limits = field(default_factory=Limits)
    jobs: int = 0  # as many as there are processors
    lines: bool = True
    accept: tuple[Accept, ...] = ()
    seed: int | None = None


def grade(
    found: Sequence[Submission],
    key: Key,
    way: Way | None = None,
    told: Callable[[int, Graded], None] = lambda place, graded: None,
) -> list[Graded]:
    """Grade every submission; `told` hears of each, and its place, when it is done, in any order.

    What one of them does to its process, or to the zygote, does not change what another is worth:
    those that were running when a zygote is lost run again, one by one.
    """
    check_system()
    way = way or Way()
    grader = _Grader(key, way, told)
    with unread(), _one_thread():
        results = grader.all(list(enumerate(found)), way.jobs or _processors())
        for place in [place for place, one in enumerate(results) if one is None]:
            alone = grader.all([(place, found[place])], 1)[0]
            results[place] = alone or grader.told_of(
                place, _failed(found[place], "it ended the process that runs it")
            )
    return [one for one in results if one is not None]


def _one_thread() -> AbstractContextManager[object]:
    """Products take one thread here: more would wait for each other, and for submissions."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # then they do wait
        return nullcontext()
    return threadpool_limits(1)


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


class _Grader:
    """What threads share that wait for processes."""

    def __init__(self, key: Key, way: Way, told: Callable[[int, Graded], None]) -> None:
        self.key = key
        self.way = way
        self.told = told
        self.unknown = tuple(
            Tensor(name, key.leaves[number][1].shape, "unknown")
            for name, number in zip(key.names, key.trained, strict=True)
        )
        self.judging = threading.Lock()  # the doctor watches runs, which only one can at a time
        size = sum(8 * array.size + 200 for _, array in key.leaves)
        self.size = PROBES * size + SPARE

    def all(self, some: Sequence[tuple[int, Submission]], jobs: int) -> list[Graded | None]:
        """None for each that was running when a zygote was lost."""
        zygotes = _Zygotes()
        users: SimpleQueue[int] = SimpleQueue()  # no two at once are the same
        first = strangers()
        for user in range(first, first + jobs):
            users.put(user)

        def one(numbered: tuple[int, Submission]) -> Graded | None:
            place, submission = numbered
            user = users.get()
            zygote = zygotes.get()
            try:
                graded = self.graded(place, submission, zygote, user)
            except Lost:
                zygotes.lose(zygote)
                return None
            except Exception as error:  # what breaks over one of them is not to stop the others
                graded = _failed(submission, f"the grader failed: {type(error).__name__}: {error}")
            finally:
                users.put(user)
            return self.told_of(place, graded)

        try:
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    return list(pool.map(one, some))
                except BaseException:  # an interruption is not to wait for what only sleeps
                    pool.shutdown(wait=False, cancel_futures=True)
                    zygotes.close()
                    raise
        finally:
            zygotes.close()

    def told_of(self, place: int, graded: Graded) -> Graded:
        """It is done: what was not graded has tensors, too, and whoever listens hears of it."""
        whole = graded if graded.tensors else replace(graded, tensors=self.unknown)
        with self.judging:  # meanwhile nothing is written: a run that is watched keeps to itself
            self.told(place, whole)
        return whole

    def graded(self, place: int, submission: Submission, zygote: Zygote, user: int) -> Graded:
        """One submission, with whatever it does."""
        if submission.refused:
            return _failed(submission, submission.refused)
        with self.judging:
            drawn = self.key.drawn(self.seeds(place))
        run = Run(zygote, self.way.limits, user)
        try:
            graded = self._answered(submission, drawn, run)
        except Silent as silent:
            graded = _failed(submission, str(silent))
        finally:
            ended = run.close()
        if graded.reason == ENDED:
            graded = replace(graded, reason=_why(ended.code))
        return replace(graded, seconds=ended.seconds, accepted=accepted(self.way.accept))

    def seeds(self, place: int) -> list[int]:
        if self.way.seed is None:
            return [secrets.randbits(32) for _ in range(PROBES)]
        drawn = np.random.default_rng([self.way.seed, place]).integers(0, 2**32, PROBES)
        return [int(one) for one in drawn]

    def _answered(self, submission: Submission, drawn: Sequence[Drawn], run: Run) -> Graded:
        run.give(_task(submission, self.key.contract, drawn))
        trained = len(self.key.trained)
        arrays = run.arrays(2 + PROBES * (1 + trained), self.size)
        if len(arrays) < 2 or arrays[0].shape != (2,) or arrays[0].dtype.kind != "i":
            raise Silent(FORGED)
        if arrays[0][0] != DONE:
            line = _line(submission, submission.main, int(arrays[0][1]))
            said, fix = (array_text(one, 2 * SHOWN) for one in (arrays[1], arrays[-1]))
            return replace(_failed(submission, said or "it fails"), line=line, fix=fix)
        answers = _answers(arrays[2:], trained)
        with self.judging:
            graded = judge(submission.name, self.key, drawn, answers, arrays[1])
        if self.way.lines and (graded.hints or graded.verdict == "unknown"):
            run.go_on()
            try:
                rows, mended = run.arrays(2, 8 * 4 * ROWS + SPARE)
            except (Silent, ValueError):
                return graded  # lines are a courtesy
            return _with_lines(graded, rows, mended, submission)
        return graded


class _Zygotes:
    """One zygote, and another one when it is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None

    def get(self) -> Zygote:
        with self._lock:
            if self._zygote is None:
                self._zygote = Zygote()
            return self._zygote

    def lose(self, zygote: Zygote) -> None:
        with self._lock:
            if self._zygote is zygote:
                zygote.close()
                self._zygote = None

    def close(self) -> None:
        if self._zygote is not None:
            self._zygote.close()


FORGED = "it answers with other arrays than were asked for"
ENDED = "it ended without an answer"


def _failed(submission: Submission, reason: str) -> Graded:
    return Graded(submission.name, reason=reason)


def _why(code: int) -> str:
    """How a process ended that gave no answer."""
    if code >= 0:
        return f"it ended without an answer, with exit status {code}"
    name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
    match -code:
        case signal.SIGXCPU:
            return SLOW
        case signal.SIGKILL:
            return f"it used up its time or memory, or ended itself ({name})"
        case _:
            return f"it ended without an answer, by {name}"


def _task(submission: Submission, contract: Contract, drawn: Sequence[Drawn]) -> list[Array]:
    """The submission's own files, how it is called, and the probes' arrays without any answer."""
    told = {
        "sources": dict(submission.sources), "main": submission.main,
        "contract": contract.encoded(), "count": len(drawn[0].arrays),
    }  # fmt: skip
    text = np.frombuffer(json.dumps(told).encode(), np.uint8)
    return [text, *(array for one in drawn for array in one.arrays)]


def _answers(arrays: Sequence[Array], trained: int) -> list[Answer]:
    if len(arrays) != PROBES * (1 + trained):
        raise Silent(FORGED)
    found: list[Answer] = []
    for start in range(0, len(arrays), 1 + trained):
        how, *rest = arrays[start : start + 1 + trained]
        if how.shape != (2,) or how.dtype.kind != "i":
            raise Silent(FORGED)
        found.append(Answer(int(how[0]), bool(how[1]), rest))
    if len({(one.how, one.rated) for one in found}) > 1 or any(
        [array.shape for array in one.arrays] != [array.shape for array in found[0].arrays]
        for one in found
    ):
        raise Silent("it answers to one probe otherwise than to another")
    return found


# ── lines ────────────────────────────────────────────────────────────────────────────────────


def _with_lines(graded: Graded, rows: Array, mended: Array, submission: Submission) -> Graded:
    """Hints with the lines that the submission's process told: numbers, and only ever shown.

    The text of a line is taken from the submission as it was read, and a repaired one is shown if
    it is a statement made of names of the submission's own.
    """
    if rows.dtype.kind != "i" or rows.ndim != 2 or rows.shape[1] != 4 or mended.dtype != np.uint8:
        return graded
    repairs = mended.tobytes().decode("utf-8", "replace").split("\n")
    repairs += [""] * (len(rows) - len(repairs))
    names = [one.name for one in graded.tensors]
    files = list(submission.sources)
    named = {hint.bug for hint in graded.hints}
    told = [
        _Told(bug, names[tensor], line, files[file], repair)
        for (bug, tensor, line, file), repair in zip(rows.tolist(), repairs, strict=False)
        if tensor in range(len(names)) and file in range(len(files))
        if _line(submission, files[file], line)
    ]

    def placed(hint: Hint) -> Hint:
        wanted = -1 if hint.bug is None else hint.bug
        fitting = [one for one in told if one.tensor in hint.tensors]
        same = [one for one in fitting if one.bug == wanted]
        # the same numbers may have two names: ReLU′ that is 1 everywhere is a ReLU′ left out
        for one in same or [one for one in fitting if one.bug not in named]:
            source = submission.sources[one.file].split("\n")[one.line - 1]
            shown = array_text(np.frombuffer(source.encode(), np.uint8), SHOWN)
            file = one.file if len(files) > 1 else ""
            right = one.repair if is_of(submission.sources[one.file], one.repair) else ""
            return replace(hint, line=one.line, file=file, source=shown, repaired=right)
        return hint

    return replace(graded, hints=tuple(map(placed, graded.hints or _watched(told))))


@dataclass(frozen=True, slots=True)
class _Told:
    """A mistake, a tensor and a line as the submission's process has them."""

    bug: int
    tensor: str
    line: int
    file: str
    repair: str


def _watched(told: Sequence[_Told]) -> tuple[Hint, ...]:
    """Where gradients are unknown: what the doctor called a mistake when it watched them made.

    A softmax over the wrong axis, say, is a mistake of the forward pass.
    """
    tensors: dict[int, list[str]] = {}
    for one in told:
        if one.bug in NAMES:
            tensors.setdefault(one.bug, []).append(one.tensor)
    says = "the gradients alone do not show it: it was found in a run of the code"
    return tuple(
        Hint(tuple(dict.fromkeys(found)), NAMES[bug], says, bug=bug)
        for bug, found in list(tensors.items())[:SEEN]
    )


def is_of(source: str, repair: str) -> bool:
    """Whether a line is one short statement in which nothing but numbers is new to a source."""
    if len(repair) > 2 * SHOWN or not repair.isprintable() or "#" in repair:
        return False
    try:
        names, said = _words(source), _words(repair.removesuffix(":") or "0")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return said <= names | _ARRAYS


_ARRAYS = {"np", "axis", "keepdims", "len", *dir(np.ndarray)}


def _words(source: str) -> set[str]:
    """The names and texts in a source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word):
                found.add(word)
            case ast.alias(name=name, asname=other):
                found.add(other or name)
            case ast.keyword(arg=str(word)) | ast.Constant(value=str(word)):
                found.add(word)
            case _:
                pass
    return found


def _line(submission: Submission, file: str, line: int) -> int | None:
    """A line that the file has, else None."""
    text = submission.sources.get(file, "")
    return line if 0 < line <= text.count("\n") + 1 else None
