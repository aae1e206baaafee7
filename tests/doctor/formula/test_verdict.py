"""Formulas that people wrote, right and wrong, and what the doctor says of them."""

import numpy as np
import pytest

import backpass as bp

d = bp.derive(
    "z2 = W2 a1; a2 = relu(z2); z3 = W3 a2; a3 = sigmoid(z3); L = ½ Σ (a3 − y)²",
    "a1: 2, W2: 3 2, W3: 2 3, y: 2",
)


def loss(X, Y, W1, b1, W2, b2):
    A1 = bp.sigmoid(X @ W1 + b1)
    A2 = bp.sigmoid(A1 @ W2 + b2)
    return np.sum((A2 - Y) ** 2) / 2


rows = bp.derive(loss, "X: n k, Y: n m, W1: k j, b1: j, W2: j m, b2: m")

# "I get 2x1 2x3 3x1 1x2...": the attempt of somebody who took ReLU′ for a vector of ones
ATTEMPT = "(a^(3) − y) ⊙ a^(3) ⊙ (1 − a^(3)) W^(3) (1,1,1)ᵀ a^(1)ᵀ"


def test_an_attempt_with_two_mistakes_is_repaired_in_full():
    report = bp.doctor(ATTEMPT, of=d, wrt="W2")
    assert report.verdict == "bug"
    assert report.repaired == "((W3ᵀ ((a3 − y) ⊙ a3 ⊙ (1 − a3))) ⊙ [z2 > 0]) a1ᵀ"
    assert [(one.before, one.after) for one in report.changes] == [
        ("W3", "W3ᵀ, in front"),
        ("(1, 1, 1)ᵀ", "⊙ [z2 > 0]"),
    ]


def test_its_shapes_are_those_that_its_author_found():
    report = bp.doctor(ATTEMPT, of=d, wrt="W2")
    assert report.products[-1].shapes == "(2×1)(2×3)(3×1)(1×2)"
    failing = report.products[-2]
    assert (failing.shapes, failing.trouble) == ("(2×1)(2×3)", "1 meets 2")
    assert [one.means for one in report.products[:3]] == ["da3", "", "dz3"]


def test_each_change_has_the_reason_of_the_derivation():
    order, slope = (one.reason for one in bp.doctor(ATTEMPT, of=d, wrt="W2").changes)
    assert "asks for ∂z3/∂a2 here, and that is W3" in order
    assert "chains grow to the left" in order
    assert "relu acts entry by entry, so ⊙" in slope
    assert "∂a2/∂z2 is 3×3 and diagonal: its product with a column is one entry by entry" in slope
    assert "only where every z2 > 0" in slope


def test_the_report_is_text_of_80_columns():
    for formula, wrt in ((ATTEMPT, "W2"), ("(a3 − y) a2ᵀ", "W3"), ("a1", "W3")):
        text = str(bp.doctor(formula, of=d, wrt=wrt))
        assert max(map(len, text.splitlines())) <= 80
        assert f"∂L/∂{wrt} = " in text


@pytest.mark.parametrize(
    ("formula", "wrt", "verdict"),
    [
        ("(a3 − y) ⊙ a3 ⊙ (1 − a3) a2ᵀ", "W3", "correct"),
        ("dW3 = ((a3 − y) ⊙ σ′(z3)) ⊗ a2", None, "correct"),
        ("diag(relu′(z2)) W3ᵀ diag(a3 ⊙ (1 − a3)) (a3 − y)", "z2", "correct"),
        ("(a3 − y)ᵀ diag(a3 ⊙ (1 − a3)) W3", "a2", "correct in the other layout"),
        ("a2 ((a3 − y) ⊙ a3 ⊙ (1 − a3))ᵀ", "W3", "correct in the other layout"),
        ("2 (a3 − y) ⊙ a3 ⊙ (1 − a3) a2ᵀ", "W3", "correct up to a scale"),
        ("(a3 − y) a2ᵀ", "W3", "correct for another loss"),
        ("(y − a3) ⊙ a3 ⊙ (1 − a3) a2ᵀ", "W3", "bug"),
        ("tanh(a2) y", "W3", "unknown"),
    ],
)
def test_every_verdict(formula, wrt, verdict):
    report = bp.doctor(formula, of=d, wrt=wrt)
    assert report.verdict == verdict
    assert bool(report) == verdict.startswith("correct")


@pytest.mark.parametrize(
    ("formula", "wrt", "repaired"),
    [
        ("(a3 − y) ⊙ a3 ⊙ (1 − a3) a2", "W3", "((a3 − y) ⊙ a3 ⊙ (1 − a3)) a2ᵀ"),
        ("(y − a3) ⊙ σ′(z3) a2ᵀ", "W3", "((a3 − y) ⊙ σ′(z3)) a2ᵀ"),
        ("(W3ᵀ dz3) ⊙ σ′(z2) a1ᵀ", "W2", "((W3ᵀ dz3) ⊙ relu′(z2)) a1ᵀ"),
        ("(W2ᵀ dz3) ⊙ relu′(z2)", "z2", "(W3ᵀ dz3) ⊙ relu′(z2)"),
        ("W3 dz3 ⊙ relu′(z2)", "z2", "(W3ᵀ dz3) ⊙ relu′(z2)"),
        ("W3ᵀ dz3 a1ᵀ", "W2", "((W3ᵀ dz3) ⊙ [z2 > 0]) a1ᵀ"),
        ("dz3 ⊗ z2", "W3", "dz3 ⊗ a2"),
        ("da3 ⊙ σ′(a3)", "z3", "da3 ⊙ σ′(z3)"),
        ("da3 ⊙ a3 ⊙ (1 + a3)", "z3", "da3 ⊙ a3 ⊙ (1 − a3)"),
        ("dz2 a1ᵀ W2", "W2", "dz2 a1ᵀ"),
    ],
)
def test_one_mistake_is_one_change(formula, wrt, repaired):
    report = bp.doctor(formula, of=d, wrt=wrt)
    assert (report.verdict, report.repaired) == ("bug", repaired)
    assert len(report.changes) == 1


def test_the_weight_that_was_left_out_is_the_derivative():
    report = bp.doctor(
        "delta = D[-1] * self.sigmoid_derivative(A[layer])",
        of=rows,
        wrt="Z1",
        called={"D[-1]": "dZ2", "A[layer]": "A1", "self.sigmoid_derivative": "sigmoid_derivative"},
    )
    assert report.verdict == "bug"
    assert report.repaired == "(dZ2 @ W2.T) * sigmoid_derivative(A1)"
    (change,) = report.changes
    assert (change.before, change.after) == ("", "@ W2.T")
    assert "The chain rule asks for ∂Z2/∂A1 here, and that is W2." in change.reason
    assert "m is summed" in change.reason


def test_the_2_of_the_square_is_a_scale():
    report = bp.doctor("2 * (A[-1] - y)", of=rows, wrt="A2", called={"A[-1]": "A2", "y": "Y"})
    assert report.verdict == "correct up to a scale"
    assert report.explanation[0].startswith("It is 2 times the gradient of L = ½ Σ (A2 − Y)².")


@pytest.mark.parametrize(
    ("formula", "scale"), [("A1.T @ dZ2 / n", "1/n"), ("A1.T @ dZ2 * 2 / (n * m)", "2/(n·m)")]
)
def test_a_scale_is_named_by_the_sizes(formula, scale):
    report = bp.doctor(formula, of=rows, wrt="W2")
    assert report.verdict == "correct up to a scale"
    assert f"It is {scale} times" in report.explanation[0]


def test_a_mistake_beside_a_scale_is_told_from_it():
    report = bp.doctor("A1 @ dZ2 / n", of=rows, wrt="W2")
    assert (report.verdict, report.repaired) == ("bug", "(A1.T @ dZ2) / n")
    assert "1/n times the gradient" in report.explanation[1]


def test_the_sum_over_samples_may_be_missing():
    report = bp.doctor("dZ2", of=rows, wrt="b2")
    assert (report.verdict, report.repaired) == ("bug", "sum(dZ2, axis=0)")
    assert "the rows are added up" in report.changes[0].reason


def test_mixed_layouts_are_named():
    report = bp.doctor("(a3 - y).T * a3 * (1 - a3)", of=d, wrt="z3")
    assert report.verdict == "bug"
    assert "NumPy would make 2×2 of them without a word" in report.explanation[0]


def test_statements_may_build_on_each_other():
    good = "δ3 = (a3 − y) ⊙ σ′(z3); δ2 = W3ᵀ δ3 ⊙ relu′(z2); dW2 = δ2 a1ᵀ"
    assert bp.doctor(good, of=d).verdict == "correct"
    report = bp.doctor(good.replace("relu′(z2)", "relu′(z3)"), of=d)
    assert report.verdict == "bug"
    assert report.repaired == "((W3ᵀ δ3) ⊙ relu′(z2)) a1ᵀ"


def test_a_delta_without_a_value_is_the_gradient_at_its_z():
    report = bp.doctor("δ3 a2ᵀ", of=d, wrt="W3")
    assert report.verdict == "correct"
    assert "δ3 is read as dz3 = ∂L/∂z3." in report.explanation


def test_the_report_is_plain_data_too():
    found = bp.doctor(ATTEMPT, of=d, wrt="W2").to_json()
    assert found["verdict"] == "bug"
    assert found["products"][0] == {
        "text": "a3 − y",
        "shapes": "2×1",
        "means": "da3",
        "trouble": "",
    }


@pytest.mark.parametrize(
    ("formula", "wrt", "message"),
    [
        ("dz3 a2ᵀ", None, "say which gradient"),
        ("dz3 a2ᵀ", "W4", "there is no gradient by W4"),
        ("dz9 a2ᵀ", "W3", "dz9 is not known"),
        ("dz3 (a2ᵀ", "W3", "never closed"),
        ("+".join(["a2"] * 200), "a2", "at most 150 parts"),
        ("__import__('os')", "W3", "quoted text"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(formula, wrt, message):
    with pytest.raises(bp.BackpassError, match=message):
        bp.doctor(formula, of=d, wrt=wrt)


def test_a_formula_needs_a_derivation():
    with pytest.raises(bp.BackpassError, match="held to a derivation"):
        bp.doctor("dz3 a2ᵀ")
