from __future__ import annotations

import gc
from types import CodeType
from typing import Any

from backpass.forward import flow as module
from backpass.forward.flow import NOBODY, flow, put, top


def code_of(source: str) -> CodeType:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope["f"].__code__


def test_operands_are_the_moves_that_made_them():
    read = flow(code_of("def f(a, b): return g(a.c, b[0])"))
    (call,) = [i for i, move in enumerate(read.listing.moves) if move.verb == "call"]
    assert read.move(read.callee(call)).word == "g"
    attribute, item = read.operands(call)[2:]
    assert (read.move(attribute).verb, read.move(attribute).word) == ("attribute", "c")
    assert [read.move(slot).word for slot in read.operands(item)] == ["b", 0]
    assert [read.move(slot).word for slot in read.operands(attribute)] == ["a"]


def test_a_slot_that_two_ways_fill_differently_is_nobodys():
    read = flow(code_of("def f(a, b, c): (a if c else b).append(1)"))
    (receiver,) = [i for i, move in enumerate(read.listing.moves) if move.word == "append"]
    assert read.operands(receiver) == (NOBODY,)


def test_a_method_is_called_like_a_function():
    read = flow(code_of("def f(a): a.g(1); (lambda: 0)()"))
    calls = [i for i, move in enumerate(read.listing.moves) if move.verb == "call"]
    assert [read.move(read.callee(call)).word for call in calls] == ["g", None]


def test_code_is_read_once_and_forgotten_with_it():
    code = code_of("def f(): return 1")
    assert flow(code) is flow(code)
    identity = id(code)
    assert identity in module._flows
    del code
    gc.collect()
    assert identity not in module._flows


def test_slots_below_what_is_known():
    assert top((1,), 3) == (NOBODY, NOBODY, 1)
    assert top((1, 2), 0) == ()
    assert put((1,), 2, 7) == (7, 1)
    assert put((1, 2), 1, 7) == (1, 7)
