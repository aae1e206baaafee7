"""What a forward pass computes with: values with a shape and no entries, which note what is done.

`Traced` is the face of a tape's node towards the user's code. What NumPy does to it is handed
to `numpy_api`; what would need its entries is refused with the spelling to use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeGuard

import numpy as np

from backpass.calculus import contraction, elementwise
from backpass.calculus.op import Op
from backpass.forward.length import entries, lengths
from backpass.forward.numpy_api import (
    METHODS,
    call_function,
    call_method,
    call_op,
    call_ufunc,
    no_such_attribute,
)
from backpass.forward.subscript import subscript
from backpass.forward.tape import Ints, Node, Tape
from backpass.language.shapes import show_shape

Operator = Callable[["Traced", Any], "Traced"]


def _binary(op: Op, flipped: bool = False) -> Operator:
    def operator(self: Traced, other: Any) -> Traced:
        return _record(self.tape, op, *((other, self) if flipped else (self, other)))

    return operator


def _arithmetic(sign: str, op: Op) -> tuple[Operator, Operator, Operator]:
    """What `a + b`, `number + b` and `a += b` do."""

    def in_place(self: Traced, other: Any) -> Traced:
        if self.node.shape:
            raise self.tape.refused(
                f"{sign}= changes an array in place, and others may still read it; "
                f"write A = A {sign} B"
            )
        return _record(self.tape, op, self, other)  # numbers cannot be changed in place

    return _binary(op), _binary(op, flipped=True), in_place


def _jump(sign: str) -> Operator:
    def operator(self: Traced, other: Any) -> Traced:
        raise self.tape.refused(f"{sign} goes up in jumps and has no slope; leave it out")

    return operator


def _record(tape: Tape, op: Op, *operands: object) -> Traced:
    return Traced(tape, tape.record(op, *map(_bare, operands)))


class Traced:
    """A value inside a forward pass; it takes part in NumPy operations as an array does.

    A truth value, a float, a mask, a change in place: whatever cannot be recorded raises
    TraceError.
    """

    __slots__ = ("node", "tape")

    def __init__(self, tape: Tape, node: Node) -> None:
        self.tape = tape
        self.node = node

    def __repr__(self) -> str:
        return f"<traced {show_shape(self.node.shape)}>"

    def __hash__(self) -> int:
        return id(self)

    # What an array knows of itself.

    @property
    def shape(self) -> Ints:
        return lengths(self.tape, self.node.shape)

    @property
    def ndim(self) -> int:
        return self.node.ndim

    @property
    def size(self) -> int:
        return entries(self.tape, self.node.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype({"real": float, "int": np.int64, "bool": bool}[self.node.kind])

    def __len__(self) -> int:
        if not self.node.shape:
            raise self.tape.refused("a single number has no length")
        self.tape.counted.add(self.node.shape[0])
        return self.node.shape[0]

    def __iter__(self) -> Iterator[Traced]:
        if not self.node.shape:
            raise self.tape.refused("a single number cannot be iterated over")
        if self.node.shape[0] in self.tape.lengths:
            raise self.tape.refused(
                "a loop over an axis whose length is not fixed; write it for whole arrays "
                "(one line for all rows), or declare the length as a number"
            )
        return iter([self[place] for place in range(self.node.shape[0])])

    # Operations.

    def __backpass__(self, op: Op, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        return _wrapped(self.tape, call_op(self.tape, op, _bare(args), params))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return Traced(self.tape, call_ufunc(self.tape, ufunc, method, _bare(inputs), options))

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        options = {name: _bare(value) for name, value in options.items()}
        return _wrapped(self.tape, call_function(self.tape, function, _bare(args), options))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in METHODS:
            raise no_such_attribute(self.tape, name)

        def method(*args: Any, **options: Any) -> Any:
            bare = {name: _bare(value) for name, value in options.items()}
            found = call_method(self.tape, name, (self.node, *_bare(args)), bare)
            return _wrapped(self.tape, found)

        return method

    def astype(self, dtype: Any, **_: Any) -> Traced:
        """The value itself: numbers are real here, unless an index needs them whole."""
        kind = np.dtype(dtype).kind
        if kind not in "fiub":
            self._no(f"values are real numbers here, and cannot become {np.dtype(dtype).name}")
        if kind in "iu" and self.node.kind == "real":
            self._no("a cast to integers rounds off, which has no slope; leave it out")
        if kind == "b" and self.node.kind != "bool":
            self._no("a mask is written as a comparison, x != 0")
        return self

    @property
    def T(self) -> Traced:
        return self.transpose()

    @property
    def mT(self) -> Traced:
        return self.swapaxes(-1, -2)

    def __getitem__(self, key: object) -> Traced:
        return Traced(self.tape, subscript(self.tape, self.node, _bare(key)))

    __add__, __radd__, __iadd__ = _arithmetic("+", elementwise.add)
    __sub__, __rsub__, __isub__ = _arithmetic("-", elementwise.subtract)
    __mul__, __rmul__, __imul__ = _arithmetic("*", elementwise.multiply)
    __truediv__, __rtruediv__, __itruediv__ = _arithmetic("/", elementwise.divide)
    __pow__, __rpow__, __ipow__ = _arithmetic("**", elementwise.power)
    __matmul__, __rmatmul__, __imatmul__ = _arithmetic("@", contraction.matmul)
    __lt__ = _binary(elementwise.less)
    __le__ = _binary(elementwise.less_equal)
    __gt__ = _binary(elementwise.greater)
    __ge__ = _binary(elementwise.greater_equal)
    __and__ = __rand__ = _binary(elementwise.both)
    __or__ = __ror__ = _binary(elementwise.either)
    __mod__ = __rmod__ = _jump("%")
    __floordiv__ = __rfloordiv__ = _jump("//")
    __divmod__ = __rdivmod__ = _jump("divmod")

    def __eq__(self, other: object) -> Any:
        return _record(self.tape, elementwise.equal, self, other)

    def __ne__(self, other: object) -> Any:
        return _record(self.tape, elementwise.not_equal, self, other)

    def __neg__(self) -> Traced:
        return _record(self.tape, elementwise.negative, self)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return _record(self.tape, elementwise.absolute, self)

    def __invert__(self) -> Traced:
        if self.node.kind != "bool":
            self._no("~ is for masks; it flips the bits of integers")
        return _record(self.tape, elementwise.negation, self)

    # What would need entries.

    def _no(self, message: str) -> NoReturn:
        raise self.tape.refused(message)

    def __bool__(self) -> bool:
        raise self.tape.refused(
            f"a traced value is neither true nor false: {_advised(self.tape, TRUTHS)}"
        )

    def __float__(self) -> float:
        self._no(f"a traced value is no plain number yet: {_advised(self.tape, NUMBERS)}")

    def __int__(self) -> int:
        return int(float(self))

    def __index__(self) -> int:
        return int(float(self))

    def __complex__(self) -> complex:
        return complex(float(self))

    def __round__(self, digits: int = 0) -> Traced:
        self._no("rounding has no slope; leave it out")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self._no(f"a traced value cannot become a plain array: {_advised(self.tape, PLAIN)}")

    def __format__(self, how: str) -> str:
        return repr(self)

    def __copy__(self) -> Traced:
        return self

    def __deepcopy__(self, memo: object) -> Traced:
        return self

    def __setitem__(self, key: object, value: object) -> None:
        self._no(f"a traced array cannot be changed in place: {_advised(self.tape, CHANGED)}")


# What to write instead: the first of these that the user's line calls for.

TRUTHS = (
    (r"\bmax\(", "max(a, b) of two numbers is np.maximum(a, b)"),
    (r"\bmin\(", "min(a, b) of two numbers is np.minimum(a, b)"),
    (r"\b(and|or|not)\b", "masks are joined by & and |, and turned by ~"),
    (r"", "its entries are not known yet; use np.where(condition, a, b) instead of if"),
)
NUMBERS = (
    (r"\bmath\.", "call np.exp rather than math.exp"),
    (r"[\"'] *%", 'print it as in f"{loss}"'),
    (r"\] *=[^=]", "collect the parts in a list and join them by np.stack"),
    (r"\b(float|int|complex)\(", "leave out float() or int()"),
    (r"", "write it for whole arrays, np.take(table, y) for a table that is indexed"),
)
CHANGED = (
    (r"\[[^\]]*[<>!=&|]", "z[z < 0] = 0 is np.where(z < 0, 0, z)"),
    (r"", "collect the parts in a list and join them by np.stack"),
)
PLAIN = (
    (
        r"\b[rc]_\[",
        "np.c_[a, b] is np.column_stack([a, b]), and np.r_[a, b] np.concatenate([a, b])",
    ),
    (r"\b(eye|identity)\(", "np.eye(k)[y] is bp.one_hot(y, k)"),
    (r"\barray\(\s*([\[(]|$)", "join a list by np.stack([a, b])"),
    (r"array\(", "leave out np.array(), or join a list by np.stack([a, b])"),
    (r"\b(float\d*|matrix)\(", "leave out the conversion"),
    (r"\(\[", "join a list by np.stack([a, b]) first"),
    (r"", "a table that is indexed by an argument must be one itself; np.stack joins lists"),
)


def _advised(tape: Tape, advice: Sequence[tuple[str, str]]) -> str:
    line = tape.line()
    text = line.text or "" if line else ""
    return next(words for sign, words in advice if re.search(sign, text))


def _is_nest(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return type(value) in (list, tuple)


def _bare(value: Any) -> Any:
    """The nodes behind traced values, in lists and tuples too."""
    if isinstance(value, Traced):
        return value.node
    return type(value)(map(_bare, value)) if _is_nest(value) else value


def _wrapped(tape: Tape, value: Any) -> Any:
    """Nodes as the user's code may see them, in a tuple too."""
    if isinstance(value, Node):
        return Traced(tape, value)
    return type(value)(_wrapped(tape, one) for one in value) if _is_nest(value) else value
