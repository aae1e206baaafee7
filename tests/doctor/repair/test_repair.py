"""The repaired line: it is right, and it is the user's own with little changed."""

import importlib.util

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
    module = importlib.import_module("backpass.doctor.repair.repair")
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


SWISH = """
import numpy as np
sig = lambda z: 1 / (1 + np.exp(-z))
BENDS = (lambda z: z * sig(z), lambda z: sig(z) * (1 - sig(z)))
W1, b1 = np.random.default_rng(0).normal(size=(4, 5)), np.zeros(5)
W2, b2 = np.random.default_rng(1).normal(size=(5, 2)), np.zeros(2)

def step(X, Y):
    Z = X @ W1 + b1
    A = BENDS[0](Z)
    E = A @ W2 + b2 - Y
    loss = 0.5 * np.sum(E**2)
    D = (E @ W2.T) * BENDS[1](Z)
    for W, d in ((W2, A.T @ E), (b2, E.sum(axis=0)), (W1, X.T @ D), (b1, D.sum(axis=0))):
        W -= 0.01 * d
    return loss
"""


def test_the_forward_pass_is_kept_where_two_functions_of_one_line_do_not_agree(tmp_path):
    file = tmp_path / "swish.py"
    file.write_text(SWISH, "utf-8")
    spec = importlib.util.spec_from_file_location("swish", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    report = bp.doctor(module.step, X, Y)
    (finding,) = report.findings
    assert finding.bug == 22
    assert finding.repaired == (
        "BENDS = (lambda z: z * sig(z), lambda z: sig(z) + z * sig(z) * (1 - sig(z)))"
    )
    shown = str(report).partition("repaired:")[2].partition("Run again")[0]
    assert " ".join(shown.split()) == finding.repaired
