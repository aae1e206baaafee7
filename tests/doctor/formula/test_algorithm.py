"""Ordered statements that update weights: their sign, their rate and their order."""

import pytest

import backpass as bp

d = bp.derive(
    "z1 = W1 x; h1 = σ(z1); z2 = W2 h1; y = σ(z2); L = ½ Σ (y − t)²",
    "x: k, W1: j k, W2: m j, t: m",
)
# as a well-known text has it: each weight is updated, and then the error goes back through it
EARLY = """
δ = y − t
W2 <- W2 − η (δ ⊙ σ′(z2)) ⊗ h1
δ = W2ᵀ (δ ⊙ σ′(z2))
W1 <- W1 − η (δ ⊙ σ′(z1)) ⊗ x
"""
LATE = """
δ2 = (y − t) ⊙ σ′(z2)
δ1 = (W2ᵀ δ2) ⊙ σ′(z1)
W2 <- W2 − η δ2 ⊗ h1
W1 <- W1 − η δ1 ⊗ x
"""


def test_weights_that_are_updated_before_the_error_goes_through_them_are_named():
    report = bp.doctor(EARLY, of=d)
    assert report.verdict == "bug"
    assert [one.means for one in report.products] == ["dy", "W2 − η dW2", "", ""]
    (change,) = report.changes
    assert change.before == "W2 <- W2 − η (δ ⊙ σ′(z2)) ⊗ h1"
    assert "through updated weights" in change.reason
    assert "at η = 0.1 and by" in change.reason


def test_the_damage_is_in_proportion_to_the_rate():
    reason = bp.doctor(EARLY, of=d).changes[0].reason
    fast, slow = (float(word) for word in reason.split() if "e-0" in word)
    assert fast / slow == pytest.approx(10, rel=0.05)


def test_all_errors_before_all_updates_is_correct():
    report = bp.doctor(LATE, of=d)
    assert report.verdict == "correct"
    assert [one.means for one in report.products] == ["dz2", "dz1", "W2 − η dW2", "W1 − η dW1"]


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("W1 <- W1 − η dW1", "correct", "W1 − η dW1"),
        ("W1 <- W1 - lr * dW1", "correct", "W1 − lr dW1"),
        ("W1 <- W1 − 2 η dW1", "correct up to a scale", "W1 − 2 η dW1"),
        ("W1 <- W1 − dW1", "correct up to a scale", "W1 − dW1"),
        ("W1 <- W1 + η dW1", "bug", "this climbs: W1 + η dW1"),
        ("W1 <- W1 + dW1", "bug", "this climbs: W1 + dW1"),
        ("W1 <- W1 − η dW2", "bug", "W1 is j×k and η dW2 is m×j"),
        ("W1 <- W1 − η W1", "unknown", "this is no multiple of dW1"),
    ],
)
def test_sign_and_rate(text, verdict, said):
    report = bp.doctor(text, of=d)
    assert report.verdict == verdict
    assert (report.products[0].means + report.products[0].trouble).startswith(said)


def test_the_report_is_text_of_80_columns():
    text = str(bp.doctor(EARLY, of=d))
    assert max(map(len, text.splitlines())) <= 80
    assert "statement by statement" in text


def test_an_unknown_name_is_said():
    with pytest.raises(bp.BackpassError, match="W9 is not known"):
        bp.doctor("W1 <- W1 − η W9", of=d)


@pytest.mark.parametrize(
    ("right", "wrong", "before", "after", "where"),
    [
        ("(W2ᵀ δ2) ⊙ σ′(z1)", "W2ᵀ δ2", "", "⊙ h1 ⊙ (1 − h1)", "In δ1"),
        ("W2ᵀ δ2", "W2 δ2", "W2", "W2ᵀ", "In δ1"),
        ("δ1 ⊗ x", "x ⊗ δ1", "x ⊗ δ1", "(x ⊗ δ1)ᵀ", "In W1"),
        ("δ2 ⊗ h1", "δ2 ⊗ z1", "z1", "h1", "In W2"),
        ("(y − t)", "(t − y)", "t − y", "y − t", "In δ2"),
        ("⊙ σ′(z1)", "⊙ σ′(h1)", "σ′(h1)", "σ′(z1)", "In δ1"),
    ],
)
def test_a_wrong_statement_is_repaired_where_it_stands(right, wrong, before, after, where):
    report = bp.doctor(LATE.replace(right, wrong), of=d)
    assert report.verdict == "bug"
    (change,) = report.changes
    assert (change.before, change.after) == (before, after)
    assert change.reason.startswith(where)
    assert bp.doctor(report.repaired, of=d).verdict == "correct"


def test_the_error_of_another_loss_is_called_that():
    report = bp.doctor(LATE.replace("(y − t) ⊙ σ′(z2)", "y − t"), of=d)
    assert report.verdict == "correct for another loss"
    assert any("binary cross-entropy" in one for one in report.explanation)
    assert report.repaired.startswith("δ2 = (y − t) ⊙ y ⊙ (1 − y)")


def test_updates_that_come_too_early_are_moved():
    report = bp.doctor(EARLY, of=d)
    assert report.repaired.endswith("W2 <- W2 − η dW2; W1 <- W1 − η dW1")
    assert bp.doctor(report.repaired, of=d).verdict == "correct"


def test_all_gradients_that_are_claimed_are_judged():
    good = "dW2 = ((y − t) ⊙ σ′(z2)) h1ᵀ; dW1 = ((W2ᵀ dz2) ⊙ σ′(z1)) xᵀ"
    assert bp.doctor(good, of=d).verdict == "correct"
    report = bp.doctor(good.replace("((y − t) ⊙ σ′(z2))", "(y − t)"), of=d)
    assert (report.verdict, len(report.changes)) == ("correct for another loss", 1)
