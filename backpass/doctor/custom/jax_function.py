"""A `jax.custom_vjp`, run in float64; JAX is the user's, and never imported here."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.formulas import jax_text
from backpass.doctor.custom.jaxpr import play
from backpass.doctor.custom.pair import Backward, Source, distinct
from backpass.language.errors import BackpassError
from backpass.reading.plural import many

Array = NDArray[np.float64]


def is_custom_vjp(subject: object) -> bool:
    """Whether this is a function that jax.custom_vjp has made."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(subject, jax.custom_vjp)


class JaxPair:
    """The function, its fwd and its bwd, at the arguments that it is given."""

    sums = False

    def __init__(self, subject: Any, given: Sequence[Any]) -> None:
        self.jax: Any = sys.modules["jax"]
        self.subject = subject
        self.given = list(given)
        self.name = getattr(subject, "__name__", "the function")
        if subject.fwd is None or subject.bwd is None:
            raise BackpassError(f"{self.name} has no rule yet: call {self.name}.defvjp(fwd, bwd)")
        self.rule: Callable[..., Any] = subject.bwd
        self.source = Source.of(subject.bwd)
        self.apart = tuple(subject.nondiff_argnums or ())
        self.all = [place for place in range(len(given)) if place not in self.apart]
        self.places = tuple(place for place in self.all if _is_floats(given[place]))
        if not self.places:
            raise BackpassError(
                f"{self.name} was given no array of floats; call bp.doctor({self.name}, *inputs)"
            )
        known = list(inspect.signature(subject.fun).parameters)
        names = [*known, *(f"input {n + 1}" for n in range(len(known), len(given)))]
        self.spelled = distinct(names)
        self.names = tuple(self.spelled[place] for place in self.places)
        self.fixed: Mapping[str, Any] = {
            self.spelled[place]: np.asarray(given[place])
            for place in self.all
            if place not in self.places and np.ndim(given[place])
        }
        self.inputs = tuple(np.asarray(given[place], dtype=float) for place in self.places)

    def forward(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        with self._exact():
            return _arrays(self.subject.fun(*self._arguments(inputs)))

    def backward(self, inputs: Sequence[Array], incoming: Sequence[Array]) -> Backward:
        with self._exact():
            arguments = self._arguments(inputs)
            outputs, kept = self.subject.fwd(*arguments)
            first = self._gradients(arguments, kept, outputs, incoming)
            self.subject.fwd(*self._arguments([one + 0.5 for one in inputs]))
            stale = self._gradients(arguments, kept, outputs, incoming)
            return Backward(_arrays(outputs), first, stale, changed=False)

    def _gradients(
        self, arguments: Sequence[Any], kept: Any, outputs: Any, incoming: Sequence[Array]
    ) -> tuple[Array | None, ...]:
        given = [self.jax.numpy.asarray(one) for one in incoming]
        cotangent = tuple(given) if isinstance(outputs, tuple | list) else given[0]
        apart = [arguments[place] for place in self.apart]
        found = self.rule(*apart, kept, cotangent)
        found = tuple(found) if isinstance(found, tuple | list) else (found,)
        if len(found) != len(self.all):
            raise BackpassError(
                f"the bwd of {self.name} returned {many(len(found), 'gradient')} for "
                f"{many(len(self.all), 'input')} to differentiate by; return a tuple with one each"
            )
        by_place = dict(zip(self.all, found, strict=True))
        picked = (by_place[place] for place in self.places)
        return tuple(None if one is None else np.array(one, dtype=float) for one in picked)

    def _exact(self) -> AbstractContextManager[Any]:
        jax = self.jax
        return jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()

    def _arguments(self, inputs: Sequence[Array]) -> list[Any]:
        made = list(self.given)
        for place, value in zip(self.places, inputs, strict=True):
            made[place] = self.jax.numpy.asarray(value)
        return made

    def traced(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """The function as JAX states it, played on traced values."""
        named = {self.spelled[place]: place for place in range(len(self.given))}

        def forward(given: Mapping[str, Any]) -> tuple[Any, ...]:
            arrays = dict(zip(self.names, self.inputs, strict=True)) | dict(self.fixed)
            asked = [name for name in named if name in arrays]

            def of_arrays(*values: Any) -> Any:
                arguments = list(self.given)
                for name, value in zip(asked, values, strict=True):
                    arguments[named[name]] = value
                return self.subject.fun(*arguments)

            with self._exact():
                made = [self.jax.numpy.asarray(arrays[name]) for name in asked]
                closed = self.jax.make_jaxpr(of_arrays)(*made)
            return tuple(play(closed, [given[name] for name in asked]))

        return forward

    def incoming(self, count: int) -> tuple[str, ...]:
        """What bwd calls its last argument; of several outputs it is a tuple."""
        *_, last = inspect.signature(self.subject.bwd).parameters
        names = [last] if count == 1 else [f"{last}{place + 1}" for place in range(count)]
        return distinct(names, self.spelled)

    def position(self, name: str) -> int:
        """Which of all arguments an input is."""
        return self.places[self.names.index(name)]

    def spell(self, node: ast.expr) -> str:
        """An expression as JAX has it, under the names by which bwd knows jax and its NumPy."""
        space = inspect.unwrap(self.rule).__globals__
        names = {id(one): name for name, one in space.items()}
        return jax_text(
            node,
            numpy=names.get(id(self.jax.numpy), "jnp"),
            jax=names.get(id(self.jax), "jax"),
        )

    def numbers(self, value: Any) -> Array | None:
        """The numbers of an array."""
        is_array = isinstance(value, self.jax.Array | np.ndarray) and value.dtype.kind in "fiub"
        return np.array(value, dtype=float) if is_array else None

    def order(self) -> str:
        """What JAX keeps has no names to compare."""
        return ""


def _is_floats(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def _arrays(outputs: Any) -> tuple[Array, ...]:
    found = tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)
    return tuple(np.array(one, dtype=float) for one in found)
