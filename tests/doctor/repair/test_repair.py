"""The repaired line: it is right, and it is the user's own with little changed."""

import sys

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import CHOOSER, THREE, load
from tests.doctor.test_verdict import X, Y, report_of

EVERY = [("three", *one[:2]) for one in THREE[::6]] + [
    ("chooser", *one[:2]) for one in CHOOSER[::5]
]


@pytest.mark.parametrize(("name", "old", "new"), EVERY)
def test_the_repaired_file_is_correct(name, old, new, tmp_path):
    report, lines = report_of(name, tmp_path, (old, new))
    (finding,) = report.findings
    assert "every update equals the gradient, to" in finding.recheck
    if finding.bug == 31:
        return  # two lines change places
    wrong = lines[finding.line - 1]
    indent = wrong[: len(wrong) - len(wrong.lstrip())]
    right = f"{indent}{finding.repaired}"
    added = finding.bug in (36, 37) and wrong.split("=")[0] != right.split("=")[0]
    edit = (wrong, f"{wrong}\n{right}" if added else right)
    again, _ = report_of(name, tmp_path, (old, new), edit)
    assert again.verdict == "correct"


def test_an_update_that_came_too_early_is_moved(tmp_path):
    early = next(one for one in THREE if one[2] == {31})
    report, lines = report_of("three", tmp_path, early[:2])
    (finding,) = report.findings
    assert finding.repaired.startswith(lines[finding.line - 1].strip())
    assert "# before self.W2 -=" in finding.repaired


def test_two_lines_are_repaired_together(tmp_path):
    report, _ = report_of(
        "three", tmp_path, ("* dtanh(self.A1)", ""), ("(d3 @ self.W3.T)", "(error @ self.W3.T)")
    )
    assert [one.repaired for one in report.findings] == [
        "d2 = (d3 @ self.W3.T) * dtanh(self.A2)",
        "d1 = (d2 @ self.W2.T) * dtanh(self.A1)",
    ]
    assert "these lines together" in report.findings[-1].recheck
    assert "repaired:\n      d2 = (d3 @" in str(report)


def test_what_no_edit_of_a_line_repairs_was_checked_in_the_algebra_only(tmp_path, monkeypatch):
    module = sys.modules["backpass.doctor.repair.repair"]
    monkeypatch.setattr(module, "EACH", 0)  # edits to try
    report, _ = report_of("three", tmp_path, ("* dtanh(self.A1)", ""))
    (finding,) = report.findings
    assert finding.repaired == ""
    assert finding.recheck == "This was checked in the algebra only, not in your code."


def test_nothing_of_the_users_is_changed(tmp_path):
    module, _ = load("three", tmp_path, ("* dtanh(self.A1)", ""))
    net = module.Three()
    held = [value.copy() for value in (net.W1, net.b1, net.W3)]
    code = module.Three.fit_partial.__code__
    report = bp.doctor(net.fit_partial, X, Y)
    assert report.findings[0].repaired
    assert module.Three.fit_partial.__code__ is code
    assert all(np.array_equal(a, b) for a, b in zip(held, (net.W1, net.b1, net.W3), strict=True))


def test_a_correct_program_is_left_alone(tmp_path):
    report, _ = report_of("three", tmp_path)
    assert report.findings == ()
    assert report.notes == ()


def test_a_product_of_matrices_stays_one_where_a_single_output_would_allow_another(tmp_path):
    module, _ = load("one_output", tmp_path, ("act(hidden, True)", "act(X @ W1, True)"))
    random = np.random.default_rng(0)
    report = bp.doctor(module.train, random.normal(size=(5, 2)), random.uniform(size=(5, 1)))
    assert report.findings[0].repaired == "d_hidden = (d_out @ W2.T) * hidden * (1 - hidden)"
