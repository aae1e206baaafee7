"""CPython's bytecode, said in a few verbs that stay the same from one version to the next.

Every difference between the versions is settled in this file: prefixes and caches disappear, and
an instruction that does two things becomes two moves. An opcode that is not known here, or that
no longer has the effect which its kind supposes, is `unknown`: nothing is concluded from it.
"""

from __future__ import annotations

import bisect
import dis
import sys
from dataclasses import dataclass
from types import CodeType
from typing import Literal

Verb = Literal[
    # one result: a variable, a constant, and what is made of operands
    "local", "global", "name", "constant", "null", "attribute", "item", "binary", "call", "text",
    "sequence", "mapping", "compute", "other", "iterate",
    # no result: the value gets its place, or is dropped
    "store", "store attribute", "store item", "collect", "put", "pop", "return", "stop",
    # the same values elsewhere, several values, or another instruction next
    "copy", "swap", "unpack", "yield", "jump", "branch", "next", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Jump:
    """Where a jump leads, and what it does to the stack when it is taken."""

    offset: int
    pops: int = 0
    pushes: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """What one instruction does: `pops` operands leave the stack, `pushes` results enter it."""

    verb: Verb
    pops: int = 0
    pushes: int = 0
    word: object = None  # the name, the constant, the operator
    depth: int = 0  # of the other slot (copy, swap, collect, put); of the star (unpack)
    jump: Jump | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The moves of a code object, and where each instruction begins among them."""

    moves: tuple[Move, ...]
    offsets: tuple[int, ...]
    indices: tuple[int, ...]

    def index(self, offset: int) -> int:
        """Find the move of the instruction at an offset; an offset into its cache is its own."""
        return self.indices[bisect.bisect_right(self.offsets, offset) - 1]


def decode(code: CodeType) -> Listing:
    """Read a code object; what does nothing to the stack belongs to the instruction after it."""
    moves: list[Move] = []
    offsets: list[int] = []
    indices: list[int] = []
    for instruction in dis.get_instructions(code):
        offsets.append(instruction.offset)
        indices.append(len(moves))
        moves += _checked(instruction)
    moves.append(Move("stop"))  # a code object ends with a return; this is for one that is not read
    return Listing(tuple(moves), tuple(offsets), tuple(indices))


# 3.11 calls some C functions from PRECALL already: its offset is that of the CALL after it
_NOTHING = frozenset((
    "CACHE", "COPY_FREE_VARS", "EXTENDED_ARG", "KW_NAMES", "MAKE_CELL", "NOP", "NOT_TAKEN",
    "PRECALL", "RESUME",
))  # fmt: skip
_LOCALS = frozenset(("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_DEREF"))
_TWO_LOCALS = frozenset(("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"))
_STORES = frozenset(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"))
_COMPUTED = frozenset((
    "BINARY_SLICE", "CALL_INTRINSIC_1", "COMPARE_OP", "LIST_TO_TUPLE", "UNARY_INVERT",
    "UNARY_NEGATIVE", "UNARY_POSITIVE",
))  # fmt: skip
# no array comes out of these, whatever went in
_OTHERS = frozenset((
    "BUILD_SET", "BUILD_SLICE", "CONTAINS_OP", "CONVERT_VALUE", "FORMAT_WITH_SPEC", "IS_OP",
    "LOAD_ASSERTION_ERROR", "LOAD_BUILD_CLASS", "LOAD_CLOSURE", "LOAD_COMMON_CONSTANT",
    "LOAD_FAST_AND_CLEAR", "LOAD_LOCALS", "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "TO_BOOL",
    "UNARY_NOT",
))  # fmt: skip
_DROPS = frozenset((
    "DELETE_ATTR", "DELETE_FAST", "DELETE_GLOBAL", "DELETE_NAME", "DELETE_SUBSCR", "DICT_MERGE",
    "DICT_UPDATE", "END_FOR", "LIST_EXTEND", "POP_ITER", "POP_TOP", "SET_UPDATE",
))  # fmt: skip
_STOPS = frozenset(("RAISE_VARARGS", "RERAISE"))
_JUMPS = frozenset(("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_FORWARD"))
_JUMPING = frozenset((*dis.hasjrel, *dis.hasjabs))
_NULL = Move("null", 0, 1)
_NULL_FIRST = sys.version_info < (3, 13)  # below the function that is called, or above it


def _checked(instruction: dis.Instruction) -> list[Move]:
    """Say one instruction in moves, if they add up to the effect that CPython states for it."""
    name = instruction.opname
    if name in _NOTHING:
        return []
    if name in _STOPS:
        return [Move("stop")]
    effect = dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
    if name == "CALL" and "PRECALL" in dis.opmap:
        effect -= instruction.arg or 0  # 3.11 books the arguments on PRECALL
    moves = _moves(instruction, effect)
    if moves and sum(move.pushes - move.pops for move in moves) == effect:
        return moves
    jumps = instruction.opcode in _JUMPING
    return [Move("unknown", jump=Jump(instruction.argval) if jumps else None)]


def _moves(instruction: dis.Instruction, effect: int) -> list[Move]:
    """Say one instruction in moves, one for each of the things that it does; none if unknown."""
    name, number, word = instruction.opname, instruction.arg or 0, instruction.argval
    if name in _LOCALS:
        return [Move("local", 0, 1, word)]
    if name in _TWO_LOCALS:
        return [Move("local", 0, 1, each) for each in word]
    if name in _STORES:
        return [Move("store", 1, 0, word)]
    if name in _COMPUTED:
        return [Move("compute", 1 - effect, 1)]
    if name in _OTHERS:
        return [Move("other", 1 - effect, 1)]
    if name in _DROPS:
        return [Move("pop", -effect)]
    if name in _JUMPS:
        return [Move("jump", jump=Jump(word))]
    match name:
        case "LOAD_CONST" | "LOAD_SMALL_INT":
            return [Move("constant", 0, 1, word)]
        case "LOAD_NAME":
            return [Move("name", 0, 1, word)]
        case "PUSH_NULL":
            return [_NULL]
        case "LOAD_GLOBAL":
            load = Move("global", 0, 1, word)
            if effect == 1:
                return [load]
            return [_NULL, load] if _NULL_FIRST else [load, _NULL]
        case "LOAD_ATTR" | "LOAD_METHOD":
            load = Move("attribute", 1, 1, word)
            return [load, _NULL] if effect else [load]  # the method, and its object or nothing
        case "LOAD_SUPER_ATTR":
            load = Move("other", 3, 1)
            return [load, _NULL] if effect == -1 else [load]
        case "BINARY_SUBSCR":
            return [Move("item", 2, 1)]
        case "BINARY_OP":
            symbol = instruction.argrepr
            return [Move("item" if symbol == "[]" else "binary", 2, 1, symbol)]
        case "CALL":
            return [Move("call", number + 2, 1)]
        case "CALL_KW":
            return [Move("call", number + 3, 1)]
        case "CALL_FUNCTION_EX":
            return [Move("call", 1 - effect, 1)]
        case "FORMAT_SIMPLE" | "BUILD_STRING":
            return [Move("text", 1 - effect, 1)]
        case "FORMAT_VALUE":
            return [Move("other" if number else "text", 1 - effect, 1)]
        case "BUILD_TUPLE" | "BUILD_LIST":
            return [Move("sequence", number, 1)]
        case "BUILD_MAP":
            return [Move("mapping", 2 * number, 1)]
        case "BUILD_CONST_KEY_MAP":
            return [Move("mapping", number + 1, 1, "keys")]
        case "GET_ITER":
            return [Move("iterate", 1, 1)]
        case "STORE_ATTR":
            return [Move("store attribute", 2, 0, word)]
        case "STORE_SUBSCR" | "STORE_SLICE":
            return [Move("store item", -effect)]
        case "STORE_FAST_STORE_FAST":
            return [Move("store", 1, 0, each) for each in word]
        case "STORE_FAST_LOAD_FAST":
            return [Move("store", 1, 0, word[0]), Move("local", 0, 1, word[1])]
        case "LIST_APPEND" | "SET_ADD":
            return [Move("collect", 1, 0, depth=number)]
        case "MAP_ADD":
            return [Move("put", 2, 0, depth=number)]
        case "UNPACK_SEQUENCE":
            return [Move("unpack", 1, number, depth=number)]
        case "UNPACK_EX":
            return [Move("unpack", 1, effect + 1, depth=number & 0xFF)]
        case "COPY":
            return [Move("copy", 0, 1, depth=number)]
        case "SWAP":
            return [Move("swap", depth=number)]
        case "RETURN_VALUE":
            return [Move("return", 1, 1 + effect)]  # 3.14 counts it as a push for the caller
        case "RETURN_CONST":
            return [Move("constant", 0, 1, word), Move("return", 1)]
        case "YIELD_VALUE":
            return [Move("yield", 1, 1)]
        case "FOR_ITER":
            # until 3.11 exhaustion drops the iterator; from 3.12 END_FOR does, one slot higher
            end = dis.stack_effect(instruction.opcode, instruction.arg, jump=True)
            jump = Jump(word, pops=1) if end < 0 else Jump(word, pushes=1)
            return [Move("next", 0, 1, jump=jump)]
        case "JUMP_IF_TRUE_OR_POP" | "JUMP_IF_FALSE_OR_POP":
            return [Move("branch", 1, jump=Jump(word))]
        case _ if name.startswith("POP_JUMP_"):
            return [Move("branch", 1, jump=Jump(word, pops=1))]
        case _:
            return []
