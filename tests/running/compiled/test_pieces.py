"""An epoch in several calls: the same steps however it is cut, and a way to get in between."""

import time
from typing import Any

import numpy as np
import pytest

import backpass as bp
from backpass.nn.data import load_digits
from backpass.running.compiled import pieces
from backpass.running.compiled.pieces import Pieces


def test_calls_become_as_long_as_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls = [0.0], list[tuple[int, int]]()
    monkeypatch.setattr(pieces, "perf_counter", lambda: now[0])
    pace = [0.001]

    def run(start: int, stop: int) -> tuple[int, int]:
        calls.append((start, stop))
        now[0] += pace[0] * (stop - start)
        return stop - start, 2 * (stop - start)

    one = Pieces()
    assert one.run(250, run) == (250, 500)
    assert calls == [(0, 1), (1, 17), (17, 117), (117, 217), (217, 250)]
    calls.clear()
    pace[0] = 0.2  # another program took the core: a step takes longer than a call may
    assert one.run(102, run) == (102, 204)
    assert calls == [(0, 100), (100, 101), (101, 102)]


def test_a_call_that_breaks_off_is_the_last() -> None:
    calls = list[tuple[int, int]]()

    def run(start: int, stop: int) -> tuple[int, int]:
        calls.append((start, stop))
        return (stop - start, 3) if stop == 1 else (0, 0)

    assert Pieces().run(10, run) == (1, 3)
    assert len(calls) == 2


def network() -> bp.Network:
    layers = [bp.Dense(8), bp.Dropout(0.1), bp.Dense(10)]
    return bp.Network(layers, 64, optimizer=bp.SGD(bp.WarmUp(0.1, epochs=2)))


@pytest.mark.parametrize("shuffle", [True, False])
def test_steps_are_the_same_however_they_are_called(
    monkeypatch: pytest.MonkeyPatch, shuffle: bool
) -> None:
    X, y = load_digits()
    found = list[Any]()
    for seconds in (1e9, 0.0):  # as few calls as can be, and one for each step
        monkeypatch.setattr(pieces, "PIECE", seconds)
        net = network()
        history = net.fit(
            X[:333], y[:333], epochs=2, shuffle=shuffle, backend="compiled", progress=False
        )
        found.append((history.loss, history.accuracy, net.weights))
    (loss, right, weights), (losses, rights, others) = found
    assert (loss, right) == (losses, rights)
    assert all(weights[name].tobytes() == others[name].tobytes() for name in weights)


def test_an_interruption_comes_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 0.0)
    X, y = load_digits()
    net = network()
    net.fit(X, y, backend="compiled", epochs=1, progress=False)
    before, clock = net.weights["W1"].copy(), iter(range(20))

    def interrupting() -> float:
        if next(clock) == 10:
            raise KeyboardInterrupt
        return time.perf_counter()

    monkeypatch.setattr(pieces, "perf_counter", interrupting)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, backend="compiled", epochs=1, progress=False)
    assert net.epochs == 1
    assert np.isfinite(net.weights["W1"]).all()
    assert not np.array_equal(before, net.weights["W1"])
