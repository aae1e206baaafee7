"""Tensors of other frameworks: their own automatic differentiation has no hand-written gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from backpass.doctor.state import argument_names
from backpass.language.errors import BackpassError

HELD = "let it hold NumPy arrays"
_NAMES = {"torch": "PyTorch", "jax": "JAX", "jaxlib": "JAX", "tensorflow": "TensorFlow"}


def refuse_tensors(call: Callable[..., Any], args: Sequence[Any]) -> None:
    """Raise BackpassError where a call is given tensors, or holds its parameters in them."""
    for path, value in _held(call, args):
        if framework_of(value) is not None:
            hint = f"give NumPy arrays, as np.asarray({path})"
            refuse_tensor(path, value, hint if path.isidentifier() else HELD)


def refuse_tensor(path: str, value: object, hint: str) -> None:
    """Raise BackpassError if this is a framework's."""
    framework = framework_of(value)
    if framework is not None:
        kind = type(value).__name__
        article = "an" if kind[0] in "AEIOU" else "a"
        raise BackpassError(
            f"{path} is {article} {kind} of {framework}, and what is watched here is "
            f"NumPy and plain Python; {hint}, or hold a backward pass of your own to its "
            "forward pass: bp.doctor(MyFunction, *inputs)"
        )


def framework_of(value: object) -> str | None:
    """The framework whose tensor or module this is."""
    for kind in type(value).__mro__:
        name = _NAMES.get(kind.__module__.partition(".")[0])
        if name is not None:
            return name
    return None


def _held(call: Callable[..., Any], args: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    yield from zip(argument_names(call, len(args)), args, strict=True)
    own = getattr(call, "__self__", None)
    for name, value in getattr(own, "__dict__", {}).items():
        yield f"self.{name}", value
        if isinstance(value, list | tuple):
            yield from ((f"self.{name}[{place}]", one) for place, one in enumerate(value))
        if isinstance(value, dict):
            yield from ((f"self.{name}[{key!r}]", one) for key, one in value.items())
