"""Threads that run the rows of one step together."""

import _thread
from threading import Barrier, Thread

import pytest

from backpass.running.compiled.threads import together


def test_all_rows_run_at_once_and_the_first_answers() -> None:
    barrier = Barrier(3, timeout=60)

    def run(row: int) -> int:
        barrier.wait()
        return 10 * row

    assert together(run, [1, 2, 3]) == 10


def test_ctrl_c_leaves_nobody_waiting() -> None:
    barrier = Barrier(2, timeout=60)
    done: list[int] = []

    def run(row: int) -> int:
        if row == 1:
            _thread.interrupt_main()
        barrier.wait()
        done.append(row)
        return row

    with pytest.raises(KeyboardInterrupt):
        together(run, [0, 1])
    assert sorted(done) == [0, 1]


def test_without_threads_nobody_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []
    start = Thread.start

    def refuse(self: Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)

    monkeypatch.setattr(Thread, "start", refuse)
    run: list[int] = []
    with pytest.raises(RuntimeError):
        together(run.append, [0, 1])
    started[0].join(60)
    assert not started[0].is_alive()
    assert not run
