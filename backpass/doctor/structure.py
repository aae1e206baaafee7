"""What is wrong around the gradients: activations, shapes that grow, arrays that are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backpass.doctor.accuse import Accuser
from backpass.doctor.activations import WRONG
from backpass.doctor.bias_units import unbiased
from backpass.doctor.case import Case
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
        if layer.beside is not None:
            place = accuser.lines.begin(run.inputs[number])
            function, unit = layer.beside
            tensors = [path for (_, level), path in paths.items() if level <= number]
            found.append(
                accuser.found(
                    43, "the bias unit is not constant", tensors, place,
                    f"beside the activations that meet {layer.weight} stands {function} of unit "
                    f"{unit + 1} below, where a bias needs a constant: what flows back through it "
                    "is left out, and no sample has the same bias",
                    "a column of ones there",
                )
            )  # fmt: skip
    return found


def without_bias(case: Case, accuser: Accuser) -> list[Finding]:
    """Hidden layers that hand no constant on, where the layer below them has a bias."""
    found, run = unbiased(accuser.wording.seen, case.probes[0]), case.story.at[0].run
    if found is None:
        return []
    later = [case.paths["W", layer] for layer in range(2, run.depth + 1)]
    place = accuser.lines.begin(run.Z[1])
    return [accuser.remark(43, found.name, later, place, found.says, found.fix)]


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
