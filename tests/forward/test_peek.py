from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from tests.forward.noting import annotated, bindings


class Bomb:
    """Goes off when anything of it is asked in the ordinary way."""

    def _explode(self, *_: object) -> Any:
        raise AssertionError("the user's code was called")

    def __setattr__(self, name: str, value: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def __call__(self, value: object) -> None: ...

    __getattr__ = __getattribute__ = __getitem__ = __len__ = __eq__ = __hash__ = _explode
    __repr__ = __str__ = __bool__ = __iter__ = __index__ = __int__ = __format__ = _explode
    __add__ = __radd__ = __mod__ = __rmod__ = _explode


def test_nothing_of_the_users_is_called():
    code = """
    def f():
        bomb.z = x @ w                             # z
        bomb["Z"] = x @ w                          # Z
        out[bomb] = x @ w                          # → out
        out[bomb, 0] = x @ w                       # → out
        items[0] = bomb
        items[0].z = x @ w                         # z[0]
        fields["bomb"]["Z"] = x @ w                # Z
        A = bomb(x @ w)                            # → A
    """
    bomb, fields = Bomb(), {"bomb": Bomb()}
    assert annotated(code, bomb=bomb, out=Bomb(), items=[0], fields=fields) == code
    with pytest.raises(AssertionError, match="was called"):
        bomb.z


@pytest.mark.parametrize(
    ("receiver", "position"),
    [
        ([1, 2], 2),
        (deque([1]), 1),
        (SimpleNamespace(append=lambda value: None), "a call"),
        (type("Tape", (list,), {"append": lambda self, value: None})(), "a call"),
    ],
)
def test_what_append_appends_to(receiver, position):
    (bound,) = bindings("def f(): A.append(x @ w)", A=receiver)
    if position == "a call":
        assert (bound.name, bound.into, bound.consumed) == (None, None, True)
    else:
        assert (bound.name, bound.position, bound.consumed) == ("A", position, False)


def test_attributes_are_found_where_they_are_stored():
    class Slots:
        __slots__ = ("A", "empty")

        def __init__(self) -> None:
            self.A = [0]

    class Shared:
        A = (0, [0, 0])

        @property
        def B(self) -> list[int]:
            calls.append(1)
            return []

    calls: list[int] = []
    code = """
    def f():
        slots.A.append(x @ w)                      # A[1]
        shared.A[1].append(x @ w)                  # → A
        Shared.A[1].append(x @ w)                  # → A
        shared.B.append(x @ w)                     # →
    """
    assert annotated(code, slots=Slots(), shared=Shared(), Shared=Shared) == code
    assert calls == [1]


def test_subscripts_are_computed_from_text_and_whole_numbers():
    code = """
    def f():
        l, key, where, cache, A = 2, "Z", {"k": ["a", "b"]}, {}, [0] * 9
        cache[key + str(l * 3 - 1)] = x @ w        # Z5
        cache["%s%d" % (key, l)] = x @ w           # → cache
        cache[f"{key}_{l}"] = x @ w                # Z_2
        cache[f"{key!r}"] = x @ w                  # → cache
        cache[f"{l:02}"] = x @ w                   # → cache
        cache[where["k"][-1]] = x @ w              # b
        cache[str(key)] = x @ w                    # Z
        cache[key.lower()] = x @ w                 # → cache
        cache[True] = x @ w                        # → cache
        cache[-1] = x @ w                          # cache[-1]
        A[-l] = x @ w                              # → A
        A[l - 3] = x @ w                           # A[8]
    """
    assert annotated(code) == code
