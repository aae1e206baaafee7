"""A second call shows what the first one left behind, and other samples which are never asked."""

from __future__ import annotations

import importlib.util

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


IN_BATCHES = """\
import numpy as np


class Net:
    def __init__(self):
        random = np.random.default_rng(0)
        self.W1, self.W2 = random.normal(size=(4, 5)), random.normal(size=(5, 2))

    def fit(self, X, Y):
        for k in range(0, len(X) - {end}, 3):
            x, y = X[k : k + 3], Y[k : k + 3]
            h = np.tanh(x @ self.W1)
            error = (h @ self.W2 - y) / len(x)
            back = error @ self.W2.T * (1 - h**2)
            self.W2 -= 0.1 * h.T @ error
            self.W1 -= 0.1 * x.T @ back
"""


@pytest.mark.parametrize(("end", "count"), [(3, 9), (0, 9), (0, 7), (2, 8)])
def test_a_whole_batch_that_is_cut_off_is_told(end, count, tmp_path):
    path = tmp_path / "in_batches.py"
    path.write_text(IN_BATCHES.format(end=end))
    spec = importlib.util.spec_from_file_location(f"in_batches_{end}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, Y = RANDOM.normal(size=(count, 4)), RANDOM.normal(size=(count, 2))
    report = bp.doctor(module.Net().fit, X, Y)
    if end != 3:  # what is left over is no batch
        assert report.verdict == "correct"
        return
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert finding.bug == 54
    assert finding.name == "the last batch of 3 samples is dropped"


def test_samples_that_are_held_out_are_no_mistake(tmp_path):
    head = "    def step(self, X, Y):\n"
    held = f"{head}        n = 4 * len(X) // 5 + 1\n        X, Y = X[:n], Y[:n]\n"
    report, _ = report_of("plain", tmp_path, (head, held))
    assert report.verdict == "correct"


class Echo:
    """A recurrent layer that keeps the sums of its gradients, and may never set them to zero."""

    def __init__(self, zeroed):
        self.zeroed = zeroed
        self.A, self.R = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 4)) / 2
        self.V = RANDOM.normal(size=(4, 2))
        self.dA, self.dR, self.dV = (np.zeros_like(one) for one in (self.A, self.R, self.V))

    def step(self, X, Y):
        if self.zeroed:
            self.dA, self.dR, self.dV = (np.zeros_like(one) for one in (self.A, self.R, self.V))
        H = [np.zeros((len(X), 4))]
        for t in range(X.shape[1]):
            H.append(np.tanh(X[:, t] @ self.A + H[-1] @ self.R))
        error = (H[-1] @ self.V - Y) / len(X)
        self.dV += H[-1].T @ error
        back = error @ self.V.T
        for t in reversed(range(X.shape[1])):
            dZ = back * (1 - H[t + 1] ** 2)
            self.dA += X[:, t].T @ dZ
            self.dR += H[t].T @ dZ
            back = dZ @ self.R.T
        self.A -= 0.1 * self.dA
        self.R -= 0.1 * self.dR
        self.V -= 0.1 * self.dV


@pytest.mark.parametrize("zeroed", [True, False])
def test_sums_of_a_recurrent_network_that_are_never_zeroed_are_told(zeroed):
    sequences = RANDOM.normal(size=(5, 3, 3)), RANDOM.normal(size=(5, 2))
    report = bp.doctor(Echo(zeroed).step, *sequences)
    assert report.verdict == ("correct" if zeroed else "bug")
    assert [one.bug for one in report.findings] == ([] if zeroed else [48])
