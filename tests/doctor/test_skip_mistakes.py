"""A skip connection is a part of the network, and its mistakes have lines and repairs."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load
from tests.doctor.programs import residual

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))
INSIDE = (
    ('    t = np.tanh(h @ p["W2"] + p["b2"])\n    s = h + t\n',
     '    s = np.tanh(h @ p["W2"] + p["b2"] + h)\n'),
    ("(1 - t**2)", "(1 - s**2)"),
    ("dh = ds + dt", "dh = dt + dt"),
)  # fmt: skip


def examined(tmp_path, *edits):
    module, lines = load("residual", tmp_path, *edits)
    return bp.doctor(module.step, residual.parameters(RANDOM), X, Y), lines


@pytest.mark.parametrize(
    ("edits", "where"),
    [((), "behind the activation"), (INSIDE, "to the sums")],
)
def test_outputs_that_are_added_further_up_are_seen(tmp_path, edits, where):
    report, _ = examined(tmp_path, *edits)
    assert report.verdict == "correct"
    assert f"The outputs of layer 1 are added {where} of layer 2." in report.network


@pytest.mark.parametrize(
    ("edits", "bug", "name", "line"),
    [
        ([("dh = ds + dt", "dh = dt")], 49, "the way back over the skip is missing", "dh ="),
        ([("dh = ds + dt", "dh = dt + dt")], None,
         "the skip joins on the other side of f′", "dh ="),
        ([*INSIDE[:2]], None, "the skip joins on the other side of f′", "dh ="),
        ([("(1 - t**2)", "(1 - s**2)")], None, "f′ is taken behind the skip", "dt ="),
        ([("s.T @ error", "t.T @ error")], None,
         "the skip is missing in the gradient of W", 'p["W3"]'),
        ([(' @ p["W2"].T', ' @ p["W2"]')], 30, "W is not transposed going back", "dh ="),
    ],
)  # fmt: skip
def test_mistakes_with_it_are_named_and_repaired(tmp_path, edits, bug, name, line):
    report, lines = examined(tmp_path, *edits)
    (finding,) = report.findings
    assert (finding.bug, finding.name) == (bug, name)
    assert lines[finding.line - 1].strip().startswith(line)
    assert "every update equals the gradient" in str(report)


def test_it_is_a_sum_of_the_derivation():
    listing = str(bp.annotate(residual.step, residual.parameters(RANDOM), X, Y))
    assert "A1 is used in S2 and Z2, so the two gradients are added" in listing
