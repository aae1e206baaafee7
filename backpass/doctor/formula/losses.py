"""Which other loss a formula is the gradient of, if it is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import FAMILIES
from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.values import ratio
from backpass.language.evaluate import evaluate_step
from backpass.language.expr import reads as reads_of
from backpass.language.program import Call

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OtherLoss:
    """A loss under its usual name, and what the formula is times its gradient."""

    title: str
    scale: float


def other_losses(ground: Ground, gradient: str, found: list[Array]) -> Iterator[OtherLoss]:
    """The losses whose gradient has these values at the points."""
    ends = _ends(ground)
    if ends is None:
        return
    output, target = ends
    for family in FAMILIES:
        scales: list[float | None] = []
        sizes: list[tuple[int, int]] = []
        for point, value in zip(ground.points, found, strict=True):
            out, aim = _rows(point.arrays[output]), _rows(point.arrays[target])
            if not _possible(family.name, out):
                scales.append(None)
                continue
            with np.errstate(all="ignore"):
                start = family.gradient(out, aim).reshape(point.arrays[output].shape)
            if not np.isfinite(start).all():
                scales.append(None)
                continue
            back = _carried(ground, point, output, start)
            scales.append(ratio(value, back[gradient]) if gradient in back else None)
            sizes.append(out.shape)
        if any(scale is None or scale < 0 for scale in scales):
            continue
        for title, times in family.members:
            wanted = [times(n, m) for n, m in sizes]
            if all(abs(s / w - 1) < 1e-9 for s, w in zip(scales, wanted, strict=True) if s):
                yield OtherLoss(title, 1.0)
                return
        if scales and scales[0] is not None and len({round(s or 0, 9) for s in scales}) == 1:
            yield OtherLoss(family.members[0][0], scales[0])
            return


def _possible(family: str, output: Array) -> bool:
    """Cross-entropies speak of probabilities."""
    inside = bool((output > 0).all() and (output < 1).all())
    if family == "cross-entropy":
        return inside and bool(np.allclose(output.sum(axis=-1), 1))
    return inside or family != "binary cross-entropy"


def _ends(ground: Ground) -> tuple[str, str] | None:
    """The outputs that the loss is of, and the targets: an input of their shape beside them."""
    forward = ground.passes.forward
    inputs = {one.name: one for one in forward.inputs}
    made = {step.name for step in forward.steps}
    named = [name[1:] for name in ground.backward if name[1:] in made]
    if not named:
        return None
    output = named[0]
    shape = forward.arrays[output].shape
    last = forward.steps[-1]
    reads = [arg.name for arg in last.body.args] if isinstance(last.body, Call) else []
    reads += [one.name for write in last.writes for one in reads_of(write.term)]
    targets = [name for name in reads if name in inputs and inputs[name].shape == shape]
    if output not in reads or len(set(targets)) != 1 or inputs[targets[0]].kind != "real":
        return None
    return output, targets[0]


def _rows(value: Array) -> Array:
    """An output as rows of samples: one sample is one row."""
    return np.asarray(value, float).reshape(1, -1) if np.ndim(value) < 2 else np.asarray(value)


def _carried(ground: Ground, point: Point, output: str, start: Array) -> Mapping[str, Array]:
    """Every gradient with another one at the outputs."""
    back: dict[str, Array] = {f"d{output}": start}
    arrays = dict(point.arrays) | back
    behind = False
    for name, step in ground.backward.items():
        if name == f"d{output}":
            behind = True
        elif behind:
            arrays[name] = back[name] = np.asarray(evaluate_step(step, arrays, point.sizes))
    return back
