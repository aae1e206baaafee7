"""A value that stands for a tensor in somebody's forward pass, and notes what is done to it.

PyTorch hands every call with such a value over (`__torch_function__`), so its functions and methods
can be traced like NumPy's. Whatever has no meaning here raises, and the pass is not traced.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from backpass.doctor.custom.torch_meanings import MEANINGS, Extremes
from backpass.forward.trace import Traced


class StandIn:
    """A traced value with a tensor's face; a change in place gives it another value."""

    __slots__ = ("value",)
    requires_grad = False
    is_cuda = False
    grad = None

    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function.__name__
        if name.endswith("_") and not name.startswith("__"):
            return _changed(name[:-1], args, kwargs or {})
        return called(name.strip("_"), args, kwargs or {})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in MEANINGS:
            return lambda *args, **options: called(name, (self, *args), options)
        if name.endswith("_") and name[:-1] in MEANINGS:
            return lambda *args, **options: _changed(name[:-1], (self, *args), options)
        raise AttributeError(name)

    # What a tensor knows of itself.

    @property
    def shape(self) -> Any:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def dtype(self) -> Any:
        return sys.modules["torch"].float64

    @property
    def device(self) -> Any:
        return sys.modules["torch"].device("cpu")

    @property
    def data(self) -> StandIn:
        return self

    @property
    def T(self) -> Any:
        return called("numpy_T", (self,), {})

    @property
    def mT(self) -> Any:
        return called("adjoint", (self,), {})

    def size(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self.value.size

    def numpy(self) -> Any:
        return self.value

    def __len__(self) -> int:
        return len(self.value)

    # Operators.

    def __getitem__(self, key: Any) -> Any:
        return StandIn(self.value[_bare(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        key = _bare(key)
        if not (isinstance(key, Traced) and key.node.kind == "bool"):
            raise NotImplementedError("only what a mask picks can be set here")
        self.value = np.where(key, _bare(value), self.value)

    def __neg__(self) -> Any:
        return called("neg", (self,), {})

    def __abs__(self) -> Any:
        return called("abs", (self,), {})

    def __invert__(self) -> Any:
        return called("logical_not", (self,), {})

    def __hash__(self) -> int:
        return id(self)


def _operator(name: str, flipped: bool = False) -> Callable[[StandIn, Any], Any]:
    def operator(self: StandIn, other: Any) -> Any:
        return called(name, (other, self) if flipped else (self, other), {})

    return operator


def _in_place(name: str) -> Callable[[StandIn, Any], Any]:
    return lambda self, other: _changed(name, (self, other), {})


_SIGNS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "matmul": "matmul",
}  # fmt: skip
_RELATIONS = {
    "lt": "lt", "le": "le", "gt": "gt", "ge": "ge", "eq": "eq", "ne": "ne",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
for _sign, _name in _SIGNS.items():
    setattr(StandIn, f"__{_sign}__", _operator(_name))
    setattr(StandIn, f"__r{_sign}__", _operator(_name, flipped=True))
    setattr(StandIn, f"__i{_sign}__", _in_place(_name))
for _sign, _name in _RELATIONS.items():
    setattr(StandIn, f"__{_sign}__", _operator(_name))


def called(name: str, args: Any, options: Any) -> Any:
    """A function of PyTorch's on stand-ins; they leave the operations that it is made of."""
    if name not in MEANINGS:
        raise NotImplementedError(name)
    args, options = _bare(tuple(args)), {key: _bare(one) for key, one in options.items()}
    tape = next((one.tape for one in _values((args, *options.values()))), None)
    start = len(tape.nodes) if tape is not None else 0
    found = MEANINGS[name](*args, **options)
    if tape is not None and isinstance(found, Traced):
        tape.one_line(start, found.node)
    return _faced(found)


def _changed(name: str, args: Any, options: Any) -> Any:
    """`x.mul_(y)`: the same, and the first of its arguments has the value from now on."""
    target = args[0]
    if not isinstance(target, StandIn):
        raise NotImplementedError("a tensor that is no input is changed in place")
    found = called(name, args, options)
    target.value = found.value
    return target


def bare(value: Any) -> Any:
    """The traced value behind a stand-in, and a tensor's numbers; in lists and tuples too."""
    return _bare(value)


def _bare(value: Any) -> Any:
    if isinstance(value, StandIn):
        return value.value
    if isinstance(value, list | tuple):
        return type(value)(map(_bare, value))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        found = value.detach().cpu().numpy()
        return found.astype(float) if found.dtype.kind == "f" else found
    return value


def _faced(value: Any) -> Any:
    if isinstance(value, Extremes):
        return Extremes(*map(_faced, value))
    if isinstance(value, list | tuple):
        return type(value)(map(_faced, value))
    return StandIn(value) if isinstance(value, Traced | np.ndarray) else value


def _values(values: Any) -> Any:
    for one in values:
        if isinstance(one, Traced):
            yield one
        elif isinstance(one, list | tuple):
            yield from _values(one)
