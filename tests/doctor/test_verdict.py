"""Correct programs are cleared, and every mistake made in one of ours is named with its line."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from examples.from_scratch.class_network import TARGETS, XOR, Network, with_ones
from tests.doctor.mutants import CHOOSER, SCALED, THREE, load
from tests.doctor.test_infer import blocks, loops, samples, script, tables, widened

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.uniform(size=(6, 2))
CLASSES = np.eye(3)[[0, 1, 2, 0, 1, 2]]


def report_of(name, folder, *edits):
    module, lines = load(name, folder, *edits)
    if name == "three":
        return bp.doctor(module.Three().fit_partial, X, Y), lines
    return bp.doctor(module.train, module.start(4, 5, 3), X, CLASSES), lines


CLEARED = {
    tables: ("correct for another loss", "binary cross-entropy, averaged"),
    blocks: ("correct", "cross-entropy, averaged over samples"),
    loops: ("correct", "½Σ(a − y)²"),
    samples: ("correct", "½Σ(a − y)²"),
    script: ("correct", "½Σ(a − y)²"),
    widened: ("correct", "the mean of (a − y)²"),
}


@pytest.mark.parametrize("program", CLEARED, ids=lambda one: one.__name__)
def test_a_correct_program_is_cleared_and_its_loss_is_named(program):
    verdict, loss = CLEARED[program]
    report = bp.doctor(program()[0], *program()[1:])
    assert report.verdict == verdict
    assert loss in report.loss
    assert {one.verdict for one in report.tensors} == {verdict}
    assert not any(finding.accuses for finding in report.findings)


def test_the_class_with_the_hidden_bias_is_correct_for_half_the_sum_of_squares():
    network = Network([2, 2, 1], 0.5, np.random.default_rng(1))
    report = bp.doctor(network.fit_partial, with_ones(XOR), TARGETS)
    assert report.verdict == "correct"
    assert "½Σ(a − y)², at the rate 0.5 (self.alpha)" in report.loss
    assert [one.path for one in report.tensors] == ["self.W[0]", "self.W[1]"]


@pytest.mark.parametrize("name", ["three", "chooser"])
def test_the_programs_that_mistakes_are_made_in_are_correct(name, tmp_path):
    report, _ = report_of(name, tmp_path)
    assert report.verdict == "correct"
    assert report.findings == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "bugs", "tensor", "line"),
    [("three", *one) for one in THREE] + [("chooser", *one) for one in CHOOSER],
    ids=lambda one: one if isinstance(one, str) and "\n" not in one else None,
)
def test_a_mistake_is_named_with_its_tensor_and_line(name, old, new, bugs, tensor, line, tmp_path):
    report, lines = report_of(name, tmp_path, (old, new))
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert {finding.bug, *finding.also} & bugs
    assert tensor is None or tensor in finding.tensors
    assert line in lines[finding.line - 1]
    assert max(map(len, str(report).splitlines())) <= 80


@pytest.mark.parametrize(("name", "old", "new", "verdict", "bug"), SCALED)
def test_a_factor_and_another_loss_are_told_but_not_accused(name, old, new, verdict, bug, tmp_path):
    report, _ = report_of(name, tmp_path, (old, new))
    assert report.verdict == verdict
    (finding,) = report.findings
    assert finding.bug == bug
    assert not finding.accuses


def test_two_mistakes_are_both_named(tmp_path):
    report, lines = report_of(
        "three", tmp_path, ("* dtanh(self.A1)", ""), ("(d3 @ self.W3.T)", "(error @ self.W3.T)")
    )
    assert report.verdict == "bug"
    assert {finding.bug for finding in report.findings} == {16, 33}
    assert [one.verdict for one in report.tensors] == ["bug"] * 4 + ["correct"] * 2
    assert all("d1 =" in lines[f.line - 1] for f in report.findings if f.bug == 16)


def test_a_report_is_plain_data_too(tmp_path):
    report, _ = report_of("three", tmp_path, ("* dtanh(self.A1)", ""))
    data = report.to_json()
    assert data["verdict"] == "bug"
    assert data["findings"][0]["bug"] == 16
    assert data["tensors"][0]["shape"] == [4, 4]


def test_the_rate_may_be_given_and_arguments_may_stand_elsewhere(tmp_path):
    module, _ = load(
        "three", tmp_path, ("def fit_partial(self, X, Y)", "def fit_partial(self, Y, X)")
    )
    report = bp.doctor(module.Three().fit_partial, Y, X, x="X", y="Y", lr=0.15)
    assert report.verdict == "correct up to a scale"
    assert "a factor 2" in str(report)
    with pytest.raises(bp.BackpassError, match="no argument 'Z'; there are Y, X"):
        bp.doctor(module.Three().fit_partial, Y, X, x="Z")


def test_the_hidden_bias_of_the_class_is_told_to_be_a_unit_like_the_others():
    network = Network([2, 2, 1], 0.5, np.random.default_rng(1))
    (remark,) = bp.doctor(network.fit_partial, with_ones(XOR), TARGETS).findings
    assert remark.bug == 43
    assert not remark.accuses
    assert "each of the 3 hidden units below is sigmoid of a sum" in remark.explanation


def test_a_mean_is_a_loss_of_its_own_where_none_is_shown():
    W = RANDOM.normal(size=(4, 2))

    def step(X, Y, lr=0.1, decay=0.2):
        W[:] = W - lr * (X.T @ (X @ W - Y) / len(X) + decay * W)

    report = bp.doctor(step, X, Y)
    assert report.verdict == "correct"
    assert "at the rate 0.1 (lr)" in report.loss
    assert report.findings == ()
    assert "λ = 0.2" in report.notes[0]


def test_targets_that_lose_an_axis_are_named_when_the_code_means_the_square_away():
    W, y = RANDOM.normal(size=(4, 1)), RANDOM.normal(size=6)

    def step(X, y):
        error = (X @ W - y).mean(axis=1, keepdims=True)
        W[:] = W - 0.1 * X.T @ error

    report = bp.doctor(step, X, y)
    assert report.verdict == "bug"
    assert [finding.bug for finding in report.findings] == [45]


def test_what_is_never_trained_is_put_on_the_statement_that_it_should_follow():
    U, u, V = (RANDOM.normal(size=shape) for shape in ((4, 5), 5, (5, 2)))

    def step(X, Y):
        hidden = np.tanh(X @ U + u)
        error = hidden @ V - Y
        back = error @ V.T * (1 - hidden**2)
        V[:] = V - 0.1 * hidden.T @ error
        U[:] = U - 0.1 * X.T @ back
        return u * 1

    (finding,) = bp.doctor(step, X, Y).findings
    assert finding.bug == 37
    assert finding.source == "U[:] = U - 0.1 * X.T @ back"
