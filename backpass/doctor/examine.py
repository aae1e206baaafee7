"""Somebody's training code, examined: probes, the network, the explanation, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.bank import families
from backpass.doctor.evidence import rates, shown, used
from backpass.doctor.infer import Seen, network
from backpass.doctor.passes import Pass, run_pass
from backpass.doctor.probe import Probe, Where, probe
from backpass.doctor.report import Report, Tensor
from backpass.doctor.scales import scales
from backpass.doctor.search import stories
from backpass.doctor.updates import first_updates
from backpass.doctor.verdict import Case, judge
from backpass.doctor.wording import Wording

Array = NDArray[np.float64]
SEEDS = (0, 1)


def examine(
    call: Callable[..., Any],
    args: Sequence[Any],
    lr: float | None = None,
    x: Where = None,
    y: Where = None,
) -> Report:
    """Probe an updating callable and say what its updates are."""
    probes = [probe(call, args, seed, x, y) for seed in SEEDS]
    moved = [first_updates(one.run, one.parameters) for one in probes]
    subject = getattr(call, "__qualname__", None) or repr(call)
    seen = [network(one) for one in probes]
    if seen[0] is None or seen[1] is None:
        return _unread(subject, probes[0])
    passes = [
        run_pass(one, found, step)
        for one, found, step in zip(seen, probes, moved, strict=True)
        if one is not None
    ]
    if any(one.y.shape != one.A[-1].shape for one in passes):
        return _unread(subject, probes[0])
    rows = [used(one.run, passed.A[-1]) for one, passed in zip(probes, passes, strict=True)]
    if rows[0] == rows[1] and 0 < len(rows[0]) < passes[0].samples:
        passes = [
            run_pass(one, found, step, rows[0])
            for one, found, step in zip(seen, probes, moved, strict=True)
            if one is not None
        ]
    return _judged(subject, seen[0], probes, passes, moved, lr)


def _judged(
    subject: str, seen: Seen, probes: list[Probe], passes: list[Pass],
    moved: list[dict[str, Array]], lr: float | None,
) -> Report:  # fmt: skip
    paths = {("W", place): layer.weight for place, layer in enumerate(seen.layers, 1)}
    paths |= {("b", place): one.bias for place, one in enumerate(seen.layers, 1) if one.bias}
    paths = dict(sorted(paths.items(), key=lambda one: (one[0][1], one[0][0])))
    printed = shown(probes, passes)
    bank = sorted(
        families(seen.layers[-1].activation),
        key=lambda family: all(one.family is not family for one in printed),
    )
    story = stories(passes, bank)[0]
    wanted = [one for one in printed if one.family is story.family]
    scale = scales(story, wanted, rates([one.run for one in probes], moved[0]), paths, lr)
    wording = Wording(seen, story, probes[0].run)
    accuser = Accuser(probes[0], story, wording, moved[0], paths, scale.common)
    judged = judge(Case(probes, story, scale, printed, paths), accuser)
    return Report(
        judged.verdict, judged.tensors, judged.findings, subject, _network(seen, passes[0]),
        judged.loss, judged.notes,
    )  # fmt: skip


def _network(seen: Seen, passed: Pass) -> str:
    widths = [passed.A[0].shape[1], *(layer.units for layer in seen.layers)]
    activations = ", ".join(layer.activation for layer in seen.layers)
    side = "columns" if seen.columns else "rows"
    path = "-".join(map(str, widths))
    return f"A {path} network with {activations}; samples are {side} in its products."


def _unread(subject: str, one: Probe) -> Report:
    tensors = tuple(
        Tensor(path, path, value.shape, "unknown", None) for path, value in one.parameters.items()
    )
    return Report(
        "unknown", tensors, (), subject,
        "No network of dense layers was recognised among the numbers of the run.", "",
    )  # fmt: skip
