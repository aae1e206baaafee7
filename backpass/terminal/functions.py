"""A file with a `torch.autograd.Function` or a `jax.custom_vjp` in it: which one, on which inputs.

Inputs are given, or those of the first call when the file is run, or what the file calls as the
function calls its parameters.
"""

from __future__ import annotations

import contextlib
import inspect
import runpy
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from backpass.doctor.custom.judge import is_pair, judge_pair
from backpass.doctor.observe import seeded
from backpass.doctor.quiet import quiet
from backpass.doctor.report import Report
from backpass.doctor.scripts import LONG, TooLong, interrupted_after
from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.terminal.trains import evaluated

Given = tuple[Sequence[Any], str]  # inputs, and where they are from


def judged(
    module: ModuleType, path: Path, call: str | None, data: str | None
) -> tuple[Report, tuple[str, ...]] | None:
    """The report on a function of the file, and what was assumed; None where it has none.

    Of several, the first with a mistake is told of. Raises BackpassError when nothing says what to
    call it with.
    """
    pairs = _pairs(module)
    if not pairs:
        return None
    if call is not None:
        name = call.removesuffix(".apply").rpartition(".")[2]
        if name not in pairs:
            if hasattr(module, call.partition(".")[0]):
                return None  # something else of the file that trains
            raise UnknownName(f"there is no {call} to call{choices(name, pairs, 'there are')}")
        pairs = {name: pairs[name]}
    heard = _heard(path, pairs) if data is None else {}
    found: dict[str, tuple[Report, str]] = {}
    for name, subject in pairs.items():
        given = _inputs(name, subject, module, data, heard)
        if given is not None:
            found[name] = judge_pair(subject, given[0]), f"called {name} {given[1]}"
    if not found:
        name, subject = next(iter(pairs.items()))
        told = ", ".join(_parameters(subject))
        shapes = " ".join(["6x3", "4x3", "4", *["4"] * 9][: len(_parameters(subject))])
        raise BackpassError(
            f"{path.name} does not call {name}({told}); say on what it is called, as in "
            f'--data "{shapes}" or with names of the file, --data "{told}"'
        )
    chosen = next((one for one in found if found[one][0].verdict == "bug"), next(iter(found)))
    report, said = found[chosen]
    others = [f"{name}: {one.verdict}" for name, (one, _) in found.items() if name != chosen]
    more = [f"looked at the others too ({', '.join(others)}), which --call names"] if others else []
    return report, (said, *more)


def _pairs(module: ModuleType) -> dict[str, Any]:
    """The functions with a backward pass by hand that the file itself defines."""
    return {
        name: one
        for name, one in vars(module).items()
        if is_pair(one) and one.__module__ == module.__name__
    }


def _forward(subject: Any) -> Callable[..., Any]:
    return subject.forward if isinstance(subject, type) else subject.fun


def _parameters(subject: Any) -> list[str]:
    """What an input is called in the forward pass."""
    names = list(inspect.signature(_forward(subject)).parameters)
    torch = sys.modules.get("torch")
    if not isinstance(subject, type) or torch is None:
        return names
    is_old = getattr(subject, "setup_context", None) is torch.autograd.Function.setup_context
    return names[1:] if is_old else names


# ── inputs ───────────────────────────────────────────────────────────────────────────────────


def _inputs(
    name: str, subject: Any, module: ModuleType, data: str | None, heard: dict[str, list[Any]]
) -> Given | None:
    if data is not None:
        return _given(subject, module, data), "on what was given"
    if name in heard:
        return heard[name], "as the file does when it is run"
    names = _parameters(subject)
    if names and all(hasattr(module, one) for one in names):
        return [getattr(module, one) for one in names], f"on {', '.join(names)} of the file"
    return None


def _given(subject: Any, module: ModuleType, data: str) -> list[Any]:
    """Arrays of the file by name, shapes such as `6x3`, and plain numbers such as `0.1`."""
    random = np.random.default_rng(0)
    found: list[Any] = []
    for part in data.replace(",", " ").split():
        sides = part.split("x")
        if all(side.isdigit() for side in sides):
            try:
                made = random.normal(size=tuple(map(int, sides)))
            except (MemoryError, ValueError):
                raise BackpassError(f"--data {part!r} is more than fits into memory") from None
            is_torch = isinstance(subject, type)
            found.append(sys.modules["torch"].from_numpy(made) if is_torch else made)
            continue
        try:
            found.append(float(part))
        except ValueError:
            found.append(evaluated(part, module))
    wanted = _parameters(subject)
    if len(found) != len(wanted):
        raise BackpassError(
            f"--data {data!r} has {len(found)} of the inputs {', '.join(wanted)}; give one for each"
        )
    return found


def _heard(path: Path, pairs: dict[str, Any]) -> dict[str, list[Any]]:
    """The arguments of the first call of each, when the file is run."""
    ear = _Ear(pairs)
    with quiet(), seeded(0), warnings.catch_warnings(), contextlib.suppress(
        Exception, SystemExit, TooLong
    ), interrupted_after(LONG):  # fmt: skip
        warnings.simplefilter("ignore")
        sys.setprofile(ear)
        try:
            runpy.run_path(str(path), run_name="__main__")
        finally:
            sys.setprofile(None)
    return ear.found


class _Ear:
    """Listens to calls of forward passes."""

    def __init__(self, pairs: dict[str, Any]) -> None:
        self.found: dict[str, list[Any]] = {}
        self.codes = {
            (code.co_qualname, code.co_firstlineno): name
            for name, subject in pairs.items()
            for function in (_forward(subject), getattr(subject, "fwd", None))
            if callable(function)
            and (code := getattr(inspect.unwrap(function), "__code__", None)) is not None
        }
        self.counts = {name: len(_parameters(subject)) for name, subject in pairs.items()}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or (code.co_qualname, code.co_firstlineno) not in self.codes:
            return
        name = self.codes[code.co_qualname, code.co_firstlineno]
        given = [frame.f_locals[one] for one in code.co_varnames[: code.co_argcount]]
        given = given[len(given) - self.counts[name] :]
        self.found.setdefault(name, [_kept(one) for one in given])


def _kept(value: Any) -> Any:
    """An input as it is now; of one that JAX only traces, the shape."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if jax is not None and isinstance(value, jax.core.Tracer):
        random = np.random.default_rng(0)
        if np.dtype(value.dtype).kind == "f":
            return random.normal(size=value.shape)
        return random.integers(0, 2, size=value.shape)
    return value
