"""A backward pass of somebody's own, held to the derivative of its forward pass."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.derivative import Derived, derived, differences, right
from backpass.doctor.custom.jax_function import JaxPair, is_custom_vjp
from backpass.doctor.custom.named import Named, Run, named, stopped, untaught
from backpass.doctor.custom.pair import Backward, Pair
from backpass.doctor.custom.suspects import close
from backpass.doctor.custom.torch_function import TorchPair, is_function
from backpass.doctor.report import Finding, Report, Tensor, Verdict
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]


def is_pair(subject: object) -> bool:
    """Whether this is an autograd.Function or a custom_vjp."""
    return is_function(subject) or is_custom_vjp(subject)


def judge_pair(subject: Any, given: Sequence[Any]) -> Report:
    """Say of each input whether its gradient is the derivative, and if not, what it is.

    Both passes run in float64, on numbers near those that are given.
    """
    pair: Pair = TorchPair(subject, given) if is_function(subject) else JaxPair(subject, given)
    known = derived(pair)
    runs: list[Run] = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        inputs = tuple(_near(one, random) for one in pair.inputs)
        incoming = tuple(random.normal(size=one.shape) for one in pair.forward(inputs))
        try:
            back = pair.backward(inputs, incoming)
        except BackpassError:
            raise
        except Exception as error:
            return _raised(pair, known, inputs, incoming, error)
        runs.append(_run(pair, known, inputs, incoming, back))
    findings = [*_around(pair, runs), *_findings(pair, known, runs)]
    tensors = tuple(
        Tensor(f"d{name}", name, value.shape, _verdict(name, findings), None)
        for name, value in zip(pair.names, pair.inputs, strict=True)
    )
    verdict: Verdict = "correct"
    if any(one.accuses for one in findings):
        verdict = "bug"
    elif any(one.verdict == "unknown" for one in tensors):
        verdict = "unknown"
    how = (
        "forward was traced, and its derivative derived."
        if all(run.is_derived for run in runs)
        else "forward could not be traced, so its derivative was taken by central differences."
    )
    return Report(verdict, tensors, tuple(findings), pair.name, _told(pair), how)


def _run(
    pair: Pair, known: Derived | None, inputs: tuple[Array, ...], incoming: tuple[Array, ...],
    back: Backward,
) -> Run:  # fmt: skip
    outputs = pair.forward(inputs)
    ones = tuple(np.ones_like(one) for one in outputs)
    wanted = right(known, pair, inputs, incoming)
    by_ones = right(known, pair, inputs, ones) if wanted is not None else None
    return Run(
        inputs, incoming, wanted if wanted is not None else differences(pair, inputs, incoming),
        by_ones if by_ones is not None else differences(pair, inputs, ones),
        back, wanted is not None, outputs,
    )  # fmt: skip


def _near(value: Array, random: np.random.Generator) -> Array:
    """Numbers of the same size and sign as are given; none is 0 or 1, where much coincides."""
    size = float(np.max(np.abs(value), initial=0.0)) or 1.0
    spread = value + 0.3 * size * random.normal(size=value.shape)
    if value.size and np.all(value > 0):  # of a logarithm, say
        return np.asarray(value * random.uniform(0.8, 1.2, value.shape))
    return np.asarray(spread)


def _told(pair: Pair) -> str:
    shapes = (
        f"{name} {'×'.join(map(str, value.shape)) or 'a number'}"
        for name, value in zip(pair.names, pair.inputs, strict=True)
    )
    return f"backward is held to the derivative of forward, in float64: {', '.join(shapes)}."


def _verdict(name: str, findings: Sequence[Finding]) -> Verdict:
    mine = [one for one in findings if name in one.tensors]
    if any(one.accuses for one in mine):
        return "bug"
    return "unknown" if any(one.bug is None and one.name == PASSED for one in mine) else "correct"


def _raised(
    pair: Pair, known: Derived | None, inputs: tuple[Array, ...], incoming: tuple[Array, ...],
    error: Exception,
) -> Report:  # fmt: skip
    """A backward pass that does not come to its end."""
    here = [one for one in traceback.extract_tb(error.__traceback__)
            if one.filename == pair.source.file]  # fmt: skip
    line = (here[-1].lineno, here[-1].line or "") if here else (None, "")
    says = f"{type(error).__name__}: {' '.join(str(error).split())}"
    finding = _finding(pair, None, "backward raises", pair.names, line, says, "")
    wanted = right(known, pair, inputs, incoming)
    if known is not None and wanted is not None:
        none = Backward((), (None,) * len(inputs), (None,) * len(inputs), changed=False)
        run = Run(inputs, incoming, wanted, (), none, is_derived=True, forward=())
        finding = _told_of(pair, stopped(pair, known, [run], line, says))
    tensors = tuple(
        Tensor(f"d{name}", name, value.shape, "bug", None)
        for name, value in zip(pair.names, pair.inputs, strict=True)
    )
    return Report("bug", tensors, (finding,), pair.name, _told(pair), "")


# ── findings ─────────────────────────────────────────────────────────────────────────────────

PASSED = "the incoming gradient is handed on"


def _around(pair: Pair, runs: Sequence[Run]) -> Iterator[Finding]:
    """What is wrong with backward as a whole."""
    first = runs[0].back
    if any(not close(a, b) for a, b in zip(runs[0].forward, first.outputs, strict=True)):
        yield _finding(pair, None, "two forward passes", pair.names, (None, ""),
                       "the function and the forward pass of its rule return different numbers",
                       "one forward pass for both")  # fmt: skip
    if first.changed:
        yield _finding(pair, None, "the incoming gradient is overwritten", pair.names,
                       pair.source.in_place(),
                       "backward writes into the gradient that comes in, which others still read",
                       "make a new array")  # fmt: skip
    if first.spoiled:
        yield _finding(pair, 51, "what was kept is overwritten", pair.names,
                       pair.source.in_place(),
                       "backward writes into a tensor that forward took or gave, which others "
                       "still read", "make a new array")  # fmt: skip
    both = zip(first.gradients, first.stale, strict=True)
    if any(a is not None and b is not None and not close(b, a) for a, b in both):
        yield _finding(pair, 51, "stale cache", pair.names, pair.source.saved(),
                       "after the function was used once more, elsewhere, backward gives another "
                       "gradient: what it needs is not kept for each use, or backward changes it",
                       "keep it with the use: ctx.save_for_backward")  # fmt: skip


def _findings(pair: Pair, known: Derived | None, runs: Sequence[Run]) -> Iterator[Finding]:
    wrong: dict[str, list[Array]] = {}
    for place, name in enumerate(pair.names):
        given = [run.back.gradients[place] for run in runs]
        wanted = [run.right[place] for run in runs]
        if any(one is None for one in given):
            if any(np.any(one) for one in wanted):
                yield _told_of(pair, untaught(pair, known, runs, name))
            continue
        arrays = [one for one in given if one is not None]
        if all(close(one, right) for one, right in zip(arrays, wanted, strict=True)):
            continue
        if not any(np.any(np.abs(one) > 1e-7) for one in wanted) and all(
            close(one, run.incoming[0]) for one, run in zip(arrays, runs, strict=True)
        ):
            yield _finding(pair, None, PASSED, (name,), pair.source.line(place),
                           "forward has the derivative 0 wherever it has one, and backward hands "
                           "the incoming gradient on: a straight-through estimator, if meant",
                           "", accuses=False)  # fmt: skip
            continue
        wrong[name] = arrays
    for one in named(pair, known, runs, wrong):
        yield _told_of(pair, one)


def _told_of(pair: Pair, one: Named) -> Finding:
    found = one.suspect
    harmless = pair.sums and found.bug == 38
    also = " PyTorch adds them up itself." if harmless else ""
    says = found.says.removesuffix(".") + f".{also}"
    finding = _finding(
        pair, found.bug, found.name, one.names, one.line, says, found.fix, accuses=not harmless
    )
    if harmless:
        return finding
    return replace(finding, repaired=one.repaired, recheck=one.recheck)


def _finding(
    pair: Pair, bug: int | None, name: str, tensors: Sequence[str],
    line: tuple[int | None, str], says: str, fix: str, *, accuses: bool = True,
) -> Finding:  # fmt: skip
    order = pair.order() if accuses else ""
    explanation = says if says.endswith(".") else f"{says}."
    if order:
        explanation += f" Note that {order}."
    return Finding(bug, name, tensors[0], line[0], line[1], explanation, fix, accuses,
                   tuple(tensors), (), pair.source.file)  # fmt: skip
