"""What is wrong around the gradients: activations, shapes that grow, arrays that are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backpass.doctor.accuse import Accuser
from backpass.doctor.activations import WRONG
from backpass.doctor.observe import Run
from backpass.doctor.passes import Pass
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip


def forward_findings(
    run: Pass, paths: Mapping[tuple[str, int], str], accuser: Accuser
) -> list[Finding]:
    """Activations that are not what their name says."""
    found: list[Finding] = []
    for number, layer in enumerate(run.layers, 1):
        wrong = WRONG.get(layer.activation)
        if wrong is not None:
            place = accuser.lines.begin(run.A[number])
            tensors = [path for (_, level), path in paths.items() if level <= number]
            found.append(
                accuser.found(wrong.bug, wrong.name, tensors, place, wrong.says, wrong.fix)
            )
    return found


def grown(finding: Finding, accuser: Accuser) -> Finding:
    """A bias that took on a row for each sample did not stay: it was not left alone."""
    run = accuser.run
    before, after = run.before.get(finding.tensor), run.after.get(finding.tensor)
    if before is None or after is None or before.shape == after.shape:
        return finding
    place = _grew(run, finding.tensor, after.shape)
    return accuser.found(
        38, "the bias gradient is not summed over the batch", [finding.tensor], place,
        f"{finding.tensor} was {_shape(before.shape)} and is {_shape(after.shape)} after the "
        "update: its gradient has a row for each sample",
        "sum ∂L/∂Z over the samples before it is subtracted",
    )  # fmt: skip


def _grew(run: Run, path: str, shape: tuple[int, ...]) -> Place | None:
    """The first statement that leaves an array of that shape under that name."""
    last = path.rpartition(".")[2]
    for event in run.events:
        place = run.places[event.place]
        is_it = place.text == path or place.text.endswith(f".{last}")
        if event.value.shape == shape and place.moment == "after" and is_it:
            return place
    return next(
        (
            run.places[event.place]
            for event in run.events
            if event.value.shape == shape and f"{last} -" in run.places[event.place].text
        ),
        None,
    )


def aliased(finding: Finding, slip: Slip, run: Pass, accuser: Accuser) -> Finding:
    """A slope that is 1 everywhere, because z was overwritten by the activation."""
    if slip.mistake.bug not in (16, 18) or slip.stage != "slope":
        return finding
    Z, A = run.Z[slip.layer], run.A[slip.layer]
    for number, _ in accuser.lines.seen(Z):
        first = accuser.run.events[number]
        for later, _ in accuser.lines.seen(A):
            second = accuser.run.events[later]
            if later > number and first.address == second.address and not np.array_equal(Z, A):
                place = accuser.lines.place(later)
                name = accuser.run.places[first.place].text
                return replace(
                    accuser.found(
                        50, "an in-place activation overwrites z", finding.tensors, place,
                        f"the activation writes into {name}: where its slope is asked for later, "
                        "the negative entries are gone", "leave z as it is: np.maximum(z, 0)",
                        also=(16, 20) if slip.mistake.bug == 16 else (18,),
                    ),
                    tensors=finding.tensors,
                )  # fmt: skip
    return finding


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


def broadcast(
    runs: list[Run], outputs: list[np.ndarray], targets: list[np.ndarray]
) -> Place | None:
    """Where a column of outputs meets a row of targets, and every output every target."""
    found: Place | None = None
    for run, output, target in zip(runs, outputs, targets, strict=True):
        if output.shape != (target.size, 1) or target.size < 2:
            return None
        wanted = output - np.asarray(target, float).reshape(1, -1)
        places = [
            run.places[event.place]
            for event in run.events
            for value in (event.value, -event.value if event.value.dtype.kind == "f" else None)
            if value is not None
            and value.shape == wanted.shape
            and (np.allclose(value, wanted, rtol=1e-9) or np.allclose(value, wanted.T, rtol=1e-9))
        ]
        if not places:
            return None
        found = found or places[0]
    return found
