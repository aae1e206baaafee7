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


def widened_by_ones(
    run: Pass, paths: Mapping[tuple[str, int], str], accuser: Accuser
) -> list[Finding]:
    """What is true of a bias that the samples' column of ones brings: it reaches one layer only."""
    X, depth = run.A[0], run.depth
    columns = [place for place in range(X.shape[1]) if np.all(X[:, place] == 1)]
    bare = all(one is None for one in run.b) and all(one.ones is None for one in run.layers)
    if not columns or not bare or depth < 2 or run.samples < 2:
        return []
    inner, units = paths["W", 1], run.A[1].shape[1]
    low, high = float(run.A[1][:, -1].min()), float(run.A[1][:, -1].max())
    later = ", ".join(paths["W", layer] for layer in range(2, depth + 1))
    part = "column" if run.layers[0].turned else "row"
    place = accuser.lines.begin(run.Z[1])
    return [
        accuser.remark(
            43, "no hidden unit is a constant bias", [paths["W", layer] for layer in
            range(2, depth + 1)], place,
            f"column {columns[0] + 1} of the samples is 1: that {part} of {inner} is the bias of "
            f"the first layer. {later} meets no such column: all {units} units of the layer below "
            f"go through {run.layers[0].activation} and are trained. If one of them was added for "
            "a bias, it is an ordinary unit: on random samples the last one goes from "
            f"{low:.2g} to {high:.2g}",
            "This is no mistake of the gradient. For a true bias there, put a column of ones "
            "behind the activation, or add a vector b.",
        )
    ]  # fmt: skip


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
    """A slope that is taken at a, because z was overwritten by the activation."""
    if slip.mistake.bug != 18 or slip.stage != "slope" or run.Z[slip.layer].size < 2:
        return finding
    Z, A = run.Z[slip.layer], run.A[slip.layer]
    for number, _ in accuser.lines.seen(Z):
        first = accuser.run.events[number]
        for later, _ in accuser.lines.seen(A):
            second = accuser.run.events[later]
            if later > number and first.address == second.address and not np.array_equal(Z, A):
                place = accuser.lines.place(later)
                name = accuser.run.places[first.place].text
                if first.address < 0 or not _is_asked(accuser, name, A, slip.mistake.bug == 18):
                    continue
                return replace(
                    accuser.found(
                        50, "an in-place activation overwrites z", finding.tensors, place,
                        f"the activation writes into {name}: where its slope is asked for later, "
                        "z is gone", "leave z as it is, and put the activation into an array of "
                        "its own", also=(18,),
                    ),
                    tensors=finding.tensors,
                )  # fmt: skip
    return finding


def _is_asked(accuser: Accuser, name: str, A: np.ndarray, alone: bool) -> bool:
    """Whether what was z is read under that name in the backward pass, and a under another one."""
    run, start = accuser.run, accuser.lines.start
    texts = {
        run.places[run.events[number].place].text
        for number, _ in accuser.lines.seen(A)
        if number >= start
    }
    return name in texts and (alone or any(text.isidentifier() for text in texts - {name}))


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
