"""A second call shows what the first one left behind, and other samples which are never asked."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(1)
X, Y = RANDOM.normal(size=(7, 4)), RANDOM.normal(size=(7, 2))


def report_of(rule, folder, *edits):
    module, lines = load("rules", folder, *edits)
    return bp.doctor(module.Ruled(getattr(module, rule)).step, X, Y), lines


def test_gradients_that_are_never_zeroed_are_told_from_momentum(tmp_path):
    report, _ = report_of("added", tmp_path)
    assert report.verdict == "bug"
    assert [one.bug for one in report.findings] == [48]
    report, _ = report_of("momentum", tmp_path)
    assert report.verdict == "correct"
    assert any("0.9 times the step of the call before" in one for one in report.notes)


@pytest.mark.parametrize("kept", ["X, h, out", "h, out"])
def test_a_forward_pass_that_is_kept_from_call_to_call_is_a_stale_cache(kept, tmp_path):
    report, _ = report_of(
        "plain", tmp_path,
        ("        h = np.tanh(X @ self.W1 + self.b1)\n        out = h @ self.W2 + self.b2\n",
         "        if not self.mean.get('kept'):\n"
         "            h = np.tanh(X @ self.W1 + self.b1)\n"
         "            out = h @ self.W2 + self.b2\n"
         f"            self.mean['kept'] = {kept}\n"
         f"        {kept} = self.mean['kept']\n"),
    )  # fmt: skip
    assert report.verdict == "bug"
    assert [one.bug for one in report.findings] == [51]


@pytest.mark.parametrize(("part", "word"), [("[:-1]", "last"), ("[1:]", "first")])
def test_a_sample_that_is_cut_off_is_told(part, word, tmp_path):
    head = "    def step(self, X, Y):\n"
    report, lines = report_of("plain", tmp_path, (head, f"{head}        X, Y = X{part}, Y{part}\n"))
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert finding.bug == 54
    assert f"the {word} sample is never looked at" in finding.explanation.lower()
    assert part in lines[finding.line - 1]


def test_samples_that_are_held_out_are_no_mistake(tmp_path):
    head = "    def step(self, X, Y):\n"
    held = f"{head}        n = 4 * len(X) // 5 + 1\n        X, Y = X[:n], Y[:n]\n"
    report, _ = report_of("plain", tmp_path, (head, held))
    assert report.verdict == "correct"
