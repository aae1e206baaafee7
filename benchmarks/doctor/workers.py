"""Run calls in processes of their own, a few at a time, each with a limit of its own."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any


def serve(pipe: Connection, call: Callable[[Any], Any]) -> None:
    """Answer one question after the other until there is none."""
    while (question := pipe.recv()) is not None:
        pipe.send(call(question))


class Worker:
    """A process that answers questions; one that takes too long, or dies, is replaced."""

    def __init__(self, call: Callable[[Any], Any]) -> None:
        self.call = call
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.call), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, question: Any, limit: float) -> Any | None:
        self.pipe.send(question)
        try:
            if self.pipe.poll(limit):
                return self.pipe.recv()
        except EOFError:
            pass
        self.process.kill()
        self.process.join()
        self.start()
        return None

    def stop(self) -> None:
        self.pipe.send(None)
        self.process.join(5)
        self.process.kill()


def answers(
    call: Callable[[Any], Any],
    questions: Sequence[Any],
    limit: float,
    processes: int = 2,
    told: Callable[[int], None] = lambda done: None,
) -> list[Any | None]:
    """What `call` returns for each question, None where it took longer than `limit` seconds."""
    found: list[Any | None] = [None] * len(questions)
    waiting = iter(range(len(questions)))
    lock = threading.Lock()
    done = 0

    def drive() -> None:
        nonlocal done
        worker = Worker(call)
        while True:
            with lock:
                i = next(waiting, None)
            if i is None:
                break
            found[i] = worker.ask(questions[i], limit)
            with lock:
                done += 1
                told(done)
        worker.stop()

    threads = [threading.Thread(target=drive) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
