from __future__ import annotations

import ast
import collections
import dataclasses
import dis
import functools
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

import pytest

from backpass.forward import bytecode
from backpass.forward.bytecode import decode
from backpass.forward.flow import flow
from tests.forward.noting import bindings


def codes(*modules: ModuleType) -> Iterator[CodeType]:
    for module in modules:
        for member in [*vars(module).values()]:
            for each in [member, *(vars(member).values() if isinstance(member, type) else ())]:
                if isinstance(each, FunctionType):
                    yield from with_inner(each.__code__)


def with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_inner(constant)


LIBRARY = [*codes(ast, collections, dataclasses, dis, functools, inspect)]


def test_the_library_is_read():
    assert len(LIBRARY) > 500
    # what is not known stands at the beginning or the end of statements, never inside a formula
    assert unknown(LIBRARY) <= {
        *("BEFORE_WITH", "CHECK_EXC_MATCH", "CLEANUP_THROW", "DELETE_DEREF", "END_SEND"),
        *("GET_AWAITABLE", "GET_YIELD_FROM_ITER", "IMPORT_FROM", "IMPORT_NAME", "LOAD_SPECIAL"),
        *("LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF", "POP_EXCEPT", "PUSH_EXC_INFO"),
        *("RETURN_GENERATOR", "SEND", "WITH_EXCEPT_START", "CALL_INTRINSIC_2", "MATCH_CLASS"),
        *("MATCH_KEYS", "MATCH_MAPPING", "MATCH_SEQUENCE", "GET_LEN", "BUILD_TEMPLATE"),
    }


def unknown(many: list[CodeType]) -> set[str]:
    found: set[str] = set()
    for code in many:
        listing = decode(code)
        for instruction in dis.get_instructions(code):
            move = listing.moves[listing.index(instruction.offset)]
            if move.verb == "unknown" and instruction.opname not in bytecode._NOTHING:
                found.add(instruction.opname)
    return found


def test_the_stack_never_outgrows_its_size():
    for code in LIBRARY:
        for stack in flow(code).before:
            assert len(stack) <= code.co_stacksize + 1  # RETURN_CONST is two moves


@pytest.mark.parametrize("opname", ["BINARY_OP", "CALL", "STORE_FAST", "SWAP", "LOAD_FAST"])
def test_an_opcode_that_is_not_known_names_nothing(opname, monkeypatch):
    known = bytecode._moves

    def forgetting(instruction, effect):
        forgotten = instruction.opname.startswith(opname)
        return [] if forgotten else known(instruction, effect)

    monkeypatch.setattr(bytecode, "_moves", forgetting)
    code = """
    def f():
        Z, A = tanh(x @ w), -x * b
        A = [x @ W for W in Ws]
        return tanh(A[0] @ w)
    """
    said = {(each.name, each.into) for each in bindings(code)}
    right = {("Z", None), (None, "Z"), ("A", None), (None, "A"), (None, None)}
    assert said <= right
    assert (None, None) in said


def test_an_opcode_with_another_effect_than_supposed_is_not_known(monkeypatch):
    monkeypatch.setattr(dis, "stack_effect", lambda *_, **__: 7)
    assert {(each.name, each.into) for each in bindings("def f(): A = x @ w")} == {(None, None)}


def test_offsets_in_a_cache_belong_to_the_instruction():
    listing = decode(with_call.__code__)
    starts = [i.offset for i in dis.get_instructions(with_call) if i.opname == "CALL"]
    assert listing.moves[listing.index(starts[0])].verb == "call"
    assert listing.index(starts[0] + 2) == listing.index(starts[0])


def with_call(function, value):
    return function(value)
