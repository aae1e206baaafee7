"""What an expression of a running frame stands for, seen without running anything.

Variables are looked up, attributes are found without descriptors, subscripts are taken of built-in
containers, and text and whole numbers are put together; all else is `MISSING`. No method, property
or operator of the user's is called.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from types import FrameType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import Any, cast

from backpass.forward.fate import UNKNOWN, Key, Length, Path, Word
from backpass.forward.flow import Flow

MISSING = object()
_NESTED = 12  # expressions within expressions are looked into so far


def value(code: Flow, frame: FrameType, slot: object, nested: int = _NESTED) -> object:
    """Find what the move at `slot` stands for while `frame` runs."""
    move = code.move(slot)
    word: Any = move.word
    match move.verb:
        case _ if nested == 0:
            return MISSING
        case "constant":
            return word
        case "local" | "name" if word in frame.f_locals:
            return frame.f_locals[word]
        case "global" | "name":
            found = frame.f_globals.get(word, MISSING)
            return frame.f_builtins.get(word, MISSING) if found is MISSING else found
        case "attribute":
            return _attribute(value(code, frame, code.operands(slot)[0], nested - 1), word)
        case "item" | "text" | "binary":
            parts = [value(code, frame, part, nested - 1) for part in code.operands(slot)]
            if move.verb == "text":
                return "".join(map(str, parts)) if all(map(_plain, parts)) else MISSING
            return _item(*parts) if move.verb == "item" else _combined(word, *parts)
        case "call" if move.pops == 3:
            text = value(code, frame, code.operands(slot)[2], nested - 1)
            if _plain(text) and value(code, frame, code.callee(slot), nested - 1) is str:
                return str(text)
            return MISSING
        case _:
            return MISSING


def is_method(code: Flow, frame: FrameType, slot: object) -> bool:
    """Tell whether the move at `slot` reads an attribute of something else than a module."""
    if code.move(slot).verb != "attribute":
        return False
    owner = value(code, frame, code.operands(slot)[0])
    return owner is not MISSING and type(owner) is not ModuleType


def known(code: Flow, frame: FrameType, path: Path) -> Path | None:
    """Say a path with what the frame holds now; None if what is called is no list's `append`."""
    words: list[Word] = []
    for word in path:
        match word:
            case Key():
                words.append(_key(code, frame, word))
            case Length(slot):
                receiver = value(code, frame, slot)
                length = None if receiver is MISSING else _length(receiver)
                if length is None and receiver is not MISSING:
                    return None
                words.append(length)
            case _:
                words.append(word)
    return tuple(words)


def _key(code: Flow, frame: FrameType, key: Key) -> Word:
    """Find a subscript; a negative one counts from the end of a list as it is now."""
    found = value(code, frame, key.key)
    if type(found) is str:
        return found
    if type(found) is not int:
        return UNKNOWN
    if found >= 0:
        return found
    container = value(code, frame, key.of)
    length = _length(container)
    if length is not None:
        return found + length
    return found if type(container) is dict else UNKNOWN


def _length(container: object) -> int | None:
    if type(container) is list or type(container) is deque:
        return len(cast("list[object]", container))
    return None  # a class of the user's counts as it likes


def _plain(part: object) -> bool:
    return type(part) is str or type(part) is int


def _attribute(owner: object, name: str) -> object:
    """Find an attribute in the object itself or in its classes, as it is stored there."""
    if owner is MISSING:
        return MISSING
    own: Any = None
    with suppress(AttributeError):  # an object of slots
        own = object.__getattribute__(owner, "__dict__")
    if type(own) in (dict, MappingProxyType) and name in own:
        return own[name]
    kind = type(owner)
    for each in type.__getattribute__(kind, "__mro__"):
        fields = type.__getattribute__(each, "__dict__")
        if name in fields:
            found = fields[name]
            if type(found) is staticmethod or type(found) is classmethod:
                return cast("staticmethod[..., object]", found).__func__
            if type(found) is MemberDescriptorType:
                with suppress(AttributeError):  # of a slot that is still empty
                    return found.__get__(owner, kind)
                return MISSING
            return found
    return MISSING


def _item(container: object, key: object) -> object:
    if type(container) in (list, tuple) and type(key) is int:
        items = cast("list[object]", container)
        return items[key] if -len(items) <= key < len(items) else MISSING
    if type(container) is dict and _plain(key):
        return cast("dict[object, object]", container).get(key, MISSING)
    return MISSING


def _combined(operator: str, left: object, right: object) -> object:
    if type(left) is int and type(right) is int:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _:
                return MISSING
    if operator == "+" and type(left) is str and type(right) is str:
        return left + right
    if operator == "%" and type(left) is str and _plain(right):
        with suppress(TypeError, ValueError):  # the user's line will say so itself
            return left % right
    return MISSING
