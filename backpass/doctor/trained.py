"""Would it have trained anyway? The user's own update on a small problem, beside the right one."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family
from backpass.doctor.infer import Masked, Seen
from backpass.doctor.layers import as_matrix
from backpass.doctor.observe import seeded
from backpass.doctor.passes import Pass, forward_pass, samples
from backpass.doctor.probe import Probe
from backpass.doctor.quiet import quiet
from backpass.doctor.right import gradients
from backpass.doctor.state import Roots
from backpass.reading.plural import many

Array = NDArray[np.float64]
Tensor = tuple[str, int]
STEPS = 300
SECONDS = 1.5  # of a processor, for all calls together
ALIKE = 0.02  # of the loss at the start: so near, two trainings come to the same


def trained(
    call: Callable[..., Any],
    args: Sequence[Any],
    data: tuple[int, int],
    probe: Probe,
    moved: Mapping[str, Array],
    seen: Seen,
    family: Family,
    rate: float,
) -> str:
    """What comes of training with this update, and with the gradient; "" if it cannot be tried.

    `data` are the places of samples and targets, `rate` what the gradient of the family's base
    loss is multiplied with. Targets are a smooth function of the samples, so that there is
    something to learn. Code that updates more than once in a call is not held against single
    steps. Everything is put back afterwards.
    """
    paths = dict(_paths(seen))
    X, Y = probe.X, probe.X if data[0] == data[1] else _targets(seen, probe)
    if Y is None or not all(_once(probe, path, moved[path]) for path in paths.values()):
        return ""
    problem = Probe(probe.run, X, Y, probe.parameters, probe.frozen)
    start = {path: probe.parameters[path] for path in paths.values()}
    yours = list(_yours(call, args, data, problem, seen, family, start))
    if len(yours) < 2:
        return ""
    right = list(_right(problem, seen, family, rate, start, len(yours)))
    if not right[-1] < right[0]:
        return (
            "Whether it would have trained cannot be seen: on a small problem of this size the "
            "derived gradient itself leads nowhere at this rate."
        )
    return _told(yours, right)


def _once(probe: Probe, path: str, step: Array) -> bool:
    """Whether a call changes this array once."""
    after = probe.run.after.get(path)
    new = probe.parameters[path] - step
    return after is not None and after.shape == new.shape and bool(np.allclose(after, new))


def _told(yours: Sequence[float], right: Sequence[float]) -> str:
    updates, size = many(len(yours) - 1, "update"), "on a small problem of this size"
    leaves, takes = ("leaves", "takes") if len(yours) == 2 else ("leave", "take")
    beside = f"({_share(right[-1] / right[0])} with the derived gradient)"
    last = yours[-1] / yours[0]
    if not np.isfinite(last):
        return f"It would not have trained: {size} the loss grows beyond all numbers {beside}."
    if last > 1:
        return (
            f"It would not have trained: {size} {updates} {takes} the loss to {last:.3g} times "
            f"what it was {beside}."
        )
    halved, other = _halved(yours), _halved(right)
    if halved is None and other is None and last <= right[-1] / right[0] + ALIKE:
        return (
            f"It trains no worse than the gradient: {size} {updates} {leaves} the loss at "
            f"{_share(last)} {beside}."
        )
    if halved is None:
        return (
            f"It would hardly have trained: {size} {updates} {leaves} the loss at "
            f"{_share(last)} {beside}."
        )
    return (
        f"It would have trained all the same: {size} the loss halves in {many(halved, 'update')} "
        f"({'never' if other is None else other} with the derived gradient), and after "
        f"{len(yours) - 1} it is at {_share(last)} {beside}."
    )


def _halved(losses: Sequence[float]) -> int | None:
    return next((count for count, loss in enumerate(losses) if loss <= losses[0] / 2), None)


def _share(part: float) -> str:
    return f"{100 * part:.2g} %"


# ── the two trainings ────────────────────────────────────────────────────────────────────────


def _yours(
    call: Callable[..., Any], args: Sequence[Any], data: tuple[int, int], problem: Probe,
    seen: Seen, family: Family, start: Mapping[str, Array],
) -> Iterator[float]:  # fmt: skip
    """The loss before and after each call; it ends early when time is up."""
    roots = Roots.of(call, args)
    taken = roots.state()
    try:
        for path, value in start.items():
            taken.replace(path, value)
        given = list(roots.arguments.values())
        for place, value in zip(data, (problem.X, problem.Y), strict=True):
            given[place] = _like(value, args[place])
        deadline = time.thread_time() + SECONDS
        with _alone():
            for _ in range(STEPS + 1):
                held = Roots.of(call, given).state().values
                if any(held[path].shape != value.shape for path, value in start.items()):
                    return  # a bias that grew
                yield _loss(problem, seen, family, held)
                if time.thread_time() > deadline:
                    return
                call(*given)
    except (Exception, SystemExit):  # what it does after some steps is its own affair
        return
    finally:
        taken.restore()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Random numbers from a seed, nothing printed or written, no warnings."""
    with (
        quiet(),
        seeded(0),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


def _right(
    problem: Probe, seen: Seen, family: Family, rate: float, start: Mapping[str, Array], count: int
) -> Iterator[float]:
    held = dict(start)
    paths = dict(_paths(seen))
    random = np.random.default_rng(3)
    with np.errstate(all="ignore"):
        for _ in range(count):
            yield _loss(problem, seen, family, held)
            masks = [None if mask is None else random.permuted(mask) for mask in seen.masks]
            for tensor, step in gradients(_pass(problem, seen, held, masks), family).items():
                path = paths[tensor]
                layer = seen.layers[tensor[1] - 1]
                turned = step.T if tensor[0] == "W" and layer.turned else step
                held[path] = held[path] - rate * turned.reshape(held[path].shape)


def _loss(problem: Probe, seen: Seen, family: Family, held: Mapping[str, Array]) -> float:
    usual = [mask if mask is None else np.full(mask.shape, _usual(mask)) for mask in seen.masks]
    run = _pass(problem, seen, held, usual)
    return family.value(run.A[-1], run.y)


def _usual(mask: Array) -> float:
    """What stands for a mask when nothing is dropped: inverted ones leave activations alone."""
    return float(mask.mean()) if mask.max() == 1 else 1.0


def _pass(problem: Probe, seen: Seen, held: Mapping[str, Array], masks: Masked) -> Pass:
    X, y = samples(seen, problem)
    weights: list[Array] = []
    biases: list[Array | None] = []
    for layer in seen.layers:
        weight = as_matrix(np.asarray(held[layer.weight], float))
        weights.append(weight.T if layer.turned else weight)
        bias = None if layer.bias is None else np.asarray(held[layer.bias], float).ravel()
        biases.append(bias)
    return forward_pass(seen.layers, X, y, weights, biases, {}, masks=masks)


def _paths(seen: Seen) -> Iterator[tuple[Tensor, str]]:
    for place, layer in enumerate(seen.layers, 1):
        yield ("W", place), layer.weight
        if layer.bias is not None:
            yield ("b", place), layer.bias


# ── the problem ──────────────────────────────────────────────────────────────────────────────


def _targets(seen: Seen, probe: Probe) -> Array | None:
    """Targets of the user's kind that depend on the samples, standing as theirs do."""
    X, y = samples(seen, probe)
    Y = np.asarray(probe.Y)
    scores = X @ np.random.default_rng(2).normal(0, X.shape[1] ** -0.5, (X.shape[1], y.shape[1]))
    labels = scores.argmax(axis=1)
    if Y.dtype.kind in "iu" and Y.ndim <= 1 and y.shape[1] > 1:
        return labels.reshape(Y.shape) + min(max(int(Y.min(initial=0)), 0), 1)  # the first class
    made = 0.5 + 0.4 * np.tanh(scores)
    if np.all((Y == 0) | (Y == 1)):
        made = np.eye(y.shape[1])[labels] if y.shape[1] > 1 else (scores > 0).astype(float)
    if made.shape == Y.shape:
        return made
    if made.T.shape == Y.shape:
        return made.T
    return made.reshape(Y.shape) if made.size == Y.size else None


def _like(value: Array, given: Any) -> Any:
    return value.tolist() if isinstance(given, list) else value
