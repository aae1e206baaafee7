"""Claims about Jacobians: of softmax, of functions entry by entry, and of what was derived."""

import pytest

import backpass as bp

linear = bp.jacobian("z = W x + b", "x: k, W: m k, b: m", wrt="x")


@pytest.mark.parametrize(
    ("formula", "of", "verdict"),
    [
        ("d softmax = diag(p) - p p.T", "softmax", "correct"),
        ("∂p/∂z = diag(p) − p pᵀ", "softmax", "correct"),
        ("p pᵀ − diag(p)", "softmax", "bug"),
        ("p ⊙ (1 − p)", "softmax", "bug"),
        ("p", "softmax", "bug"),
        ("p ⊙ (1 − p)", "sigmoid", "correct"),
        ("diag(p ⊙ (1 − p))", "σ", "correct"),
        ("1 − p²", "tanh", "correct"),
        ("1 − p", "tanh", "unknown"),
        ("W", linear, "correct"),
        ("Wᵀ", linear, "correct in the other layout"),
        ("2 W", linear, "correct up to a scale"),
    ],
)
def test_every_claim_has_its_verdict(formula, of, verdict):
    assert bp.doctor(formula, of=of).verdict == verdict


@pytest.mark.parametrize(
    "formula", ["p ⊙ (1 − p)", "diag(p ⊙ (1 − p))", "diag(p) + p pᵀ", "diag(p) − pᵀ p"]
)
def test_the_jacobian_of_softmax_is_repaired(formula):
    assert bp.doctor(formula, of="softmax").repaired == "diag(p) − p pᵀ"


def test_the_diagonal_alone_is_named():
    report = bp.doctor("p ⊙ (1 − p)", of="softmax")
    assert report.explanation[0].startswith("It is only the diagonal of the Jacobian.")


def test_an_update_is_no_claim():
    with pytest.raises(bp.BackpassError, match="an update is no formula"):
        bp.doctor("p <- p", of="softmax")


def test_a_symmetric_jacobian_is_right_in_every_layout():
    report = bp.doctor("diag(p) − p pᵀ", of="softmax")
    assert "right in every layout" in report.explanation[0]
    assert str(report).startswith("∂p/∂z = diag(p) − p pᵀ\n✓ correct\n")


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ("softmix", "did you mean softmax"),
        (bp.jacobian("z = W x", "x: k, W: m k", wrt="W"), "of a vector by a vector"),
        (bp.jacobian("z = W x", "x: k, W: m k"), "one input alone"),
    ],
)
def test_what_is_no_matrix_is_refused(of, message):
    with pytest.raises(bp.BackpassError, match=message):
        bp.doctor("W", of=of)
