"""`backpass doctor` as a shell calls it: on a formula, its words and its exit status."""

import json

from click.testing import CliRunner, Result

from backpass.cli import main

FORWARD = "z = W x; a = sigmoid(z); L = ½ Σ (a − y)²"
SHAPES = "x: k, W: m k, y: m"


def doctor(formula: str, *more: str, wrt: str = "W") -> Result:
    asked = ["doctor", "--formula", formula, "--of", FORWARD, "--shapes", SHAPES, "--wrt", wrt]
    return CliRunner().invoke(main, [*asked, *more], prog_name="backpass")


def test_a_wrong_formula_is_repaired_and_fails():
    run = doctor("(a − y) ⊙ a ⊙ (1 − a) x")
    assert run.exit_code == 1
    assert "(m×1)(k×1)" in run.stdout
    assert "  + ((a − y) ⊙ a ⊙ (1 − a)) xᵀ\n" in run.stdout


def test_a_right_formula_passes():
    run = doctor("dz xᵀ")
    assert run.exit_code == 0
    assert "✓ correct\n" in run.stdout


def test_the_example_of_the_help_works():
    run = doctor("(a - y) a (1 - a) x")
    assert run.exit_code == 1
    assert "  + ((a − y) ⊙ a ⊙ (1 − a)) xᵀ\n" in run.stdout


def test_json_holds_the_same():
    found = json.loads(doctor("2 dz xᵀ", "--json").stdout)
    assert (found["verdict"], found["wrt"]) == ("correct up to a scale", "W")


def test_names_of_code_are_translated():
    run = doctor("D[-1] ⊙ A[-1] ⊙ (1 − A[-1])", "--called", "D[-1]: da, A[-1]: a", wrt="z")
    assert run.exit_code == 0


def test_a_question_without_an_answer_says_so():
    run = doctor("dz xᵀ", "--called", "D[-1]")
    assert run.exit_code == 2
    assert run.stderr.startswith("Error: --called 'D[-1]' is no list of names")


def test_a_claim_about_a_jacobian_needs_no_shapes():
    asked = ["doctor", "--formula", "diag(p) - p p.T", "--of", "softmax"]
    run = CliRunner().invoke(main, asked, prog_name="backpass")
    assert (run.exit_code, run.stdout.splitlines()[1]) == (0, "✓ correct")
    without = CliRunner().invoke(main, [*asked[:-1], FORWARD], prog_name="backpass")
    assert without.exit_code == 2
    assert "say it with --of and --shapes" in without.stderr
