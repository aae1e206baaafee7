"""A `torch.autograd.Function`, run in float64; torch is the user's, and never imported here."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.formulas import torch_text
from backpass.doctor.custom.pair import Backward, Source, distinct, kept
from backpass.doctor.custom.stand_in import StandIn, bare
from backpass.language.errors import BackpassError
from backpass.reading.plural import many

Array = NDArray[np.float64]


def is_function(subject: object) -> bool:
    """Whether this is a subclass of torch.autograd.Function."""
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and isinstance(subject, type)
        and issubclass(subject, torch.autograd.Function)
    )


def is_tensor(value: object) -> bool:
    """Whether this is a tensor of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


class TorchPair:
    """The forward and the backward of a Function at the arguments that it is given."""

    sums = True  # autograd sums to the shape of the input where it was broadcast

    def __init__(self, function: Any, given: Sequence[Any]) -> None:
        self.torch: Any = sys.modules["torch"]
        self.function = function
        self.given = list(given)
        self.name = function.__name__
        self.rule: Callable[..., Any] = function.backward
        self.source = Source.of(function.backward)
        self.kept = kept(function.forward)
        floating = [
            place
            for place, one in enumerate(given)
            if is_tensor(one) and one.dtype.is_floating_point
        ]
        asked = [place for place in floating if given[place].requires_grad]
        self.places = tuple(asked or floating)
        if not self.places:
            raise BackpassError(
                f"{self.name} was given no tensor of floats; call bp.doctor({self.name}, *inputs)"
            )
        self.all = distinct(self._names())
        self.names = tuple(self.all[place] for place in self.places)
        self.fixed: Mapping[str, Any] = {
            self.all[place]: _plain(one)
            for place, one in enumerate(given)
            if is_tensor(one) and place not in self.places
        }
        self.inputs = tuple(
            np.asarray(given[place].detach().cpu(), dtype=float) for place in self.places
        )

    def _names(self) -> list[str]:
        parameters = list(inspect.signature(self.function.forward).parameters)
        own = parameters[1:] if self._has_context() else parameters
        return [*own, *(f"input {n + 1}" for n in range(len(own), len(self.given)))]

    def _has_context(self) -> bool:
        base = self.torch.autograd.Function
        return self.function.setup_context is base.setup_context

    def forward(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        return tuple(_numbers(one) for one in self._outputs(self._arguments(inputs)))

    def backward(self, inputs: Sequence[Array], incoming: Sequence[Array]) -> Backward:
        arguments = self._arguments(inputs)
        outputs = self._outputs(arguments)
        context = next((one.grad_fn for one in outputs if one.grad_fn is not None), None)
        if context is None:
            raise BackpassError(f"no output of {self.name} depends on its inputs")
        before = tuple(map(_numbers, outputs))
        first, changed = self._gradients(context, incoming)
        after = (*map(_numbers, outputs), *(_numbers(arguments[place]) for place in self.places))
        spoiled = any(
            not np.array_equal(one, was) for one, was in zip(after, (*before, *inputs), strict=True)
        )
        other = self._arguments([one + 0.5 for one in inputs])
        again = self._outputs(self._arguments(inputs))
        self._outputs(other)
        node = next(one.grad_fn for one in again if one.grad_fn is not None)
        stale, _ = self._gradients(node, incoming)
        return Backward(before, first, stale, changed, spoiled)

    def _gradients(
        self, context: Any, incoming: Sequence[Array]
    ) -> tuple[tuple[Array | None, ...], bool]:
        given = [self.torch.tensor(one) for one in incoming]
        with self.torch.no_grad():
            found = self.rule(context, *given)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) < len(self.given):
            raise BackpassError(
                f"{self.name}.backward returned {many(len(found), 'gradient')}, and forward takes "
                f"{many(len(self.given), 'input')}; return None for those that need none"
            )
        changed = any(
            not np.array_equal(_numbers(one), was) for one, was in zip(given, incoming, strict=True)
        )
        picked = (found[place] for place in self.places)
        return tuple(None if one is None else _numbers(one) for one in picked), changed

    def _arguments(self, inputs: Sequence[Array]) -> list[Any]:
        """The arguments of the call with these numbers, in float64, for gradients."""
        made = [
            one.detach().double() if is_tensor(one) and one.dtype.is_floating_point else one
            for one in self.given
        ]
        for place, value in zip(self.places, inputs, strict=True):
            made[place] = self.torch.tensor(value, requires_grad=True)
        return made

    def _outputs(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        found = self.function.apply(*arguments)
        found = found if isinstance(found, tuple) else (found,)
        return tuple(one for one in found if is_tensor(one) and one.dtype.is_floating_point)

    def traced(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """The forward with stand-ins for tensors, and a context that keeps nothing."""
        asked = (
            "save_for_backward", "mark_non_differentiable", "mark_dirty", "save_for_forward",
            "set_materialize_grads",
        )  # fmt: skip
        context = SimpleNamespace(**dict.fromkeys(asked, lambda *_: None))
        context.needs_input_grad = tuple(place in self.places for place in range(len(self.given)))
        first = (context,) if self._has_context() else ()

        def forward(given: Mapping[str, Any]) -> tuple[Any, ...]:
            arguments = [
                StandIn(given[name]) if name in given else one
                for name, one in zip(self.all, self.given, strict=False)
            ]
            out = self.function.forward(*first, *arguments)
            return tuple(map(bare, out if isinstance(out, tuple) else (out,)))

        return forward

    def incoming(self, count: int) -> tuple[str, ...]:
        """The parameters of backward behind its context."""
        _, *told = inspect.signature(self.function.backward).parameters.values()
        named = [one.name for one in told if one.kind is not one.VAR_POSITIONAL]
        if count > 1 and len(named) < count:
            named = [f"grad_output{place + 1}" for place in range(count)]
        return distinct((named or ["grad_output"])[:count], self.all)

    def position(self, name: str) -> int:
        """Which of all arguments an input is."""
        return self.places[self.names.index(name)]

    def spell(self, node: ast.expr) -> str:
        """An expression as PyTorch has it, under the name by which backward knows torch."""
        space = inspect.unwrap(self.rule).__globals__
        called = next((name for name, one in space.items() if one is self.torch), "torch")
        is_short = ".t()" in self.source.text + Source.of(self.function.forward).text
        return torch_text(node, called=called, short=is_short)

    def numbers(self, value: Any) -> Array | None:
        """The numbers of a tensor."""
        return _numbers(value) if is_tensor(value) else None

    def order(self) -> str:
        """What to say where tensors are unpacked in another order than they were kept in."""
        read = self.source.unpacked()
        if read != self.kept and sorted(read) == sorted(self.kept) and read:
            return (
                f"forward keeps {', '.join(self.kept)} and backward unpacks {', '.join(read)}: the "
                "order differs"
            )
        return ""


def _plain(tensor: Any) -> NDArray[Any]:
    """A tensor that nobody differentiates by; integers stay what they are."""
    found = tensor.detach().cpu().numpy()
    return found.astype(float) if found.dtype.kind == "f" else found


def _numbers(tensor: Any) -> Array:
    return np.array(tensor.detach().cpu().numpy(), dtype=float)
