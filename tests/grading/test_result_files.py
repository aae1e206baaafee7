"""Files for autograders: the fields that they read, and scores that add up."""

import json
from dataclasses import replace

import pytest

from backpass.grading.graded import Graded, Hint, Tensor
from backpass.grading.result_files import gradescope, otter

MISSING = Hint(("W1",), "f′ is missing", "the error goes back without f′", "dA ⊙ f′", 16)
WRONG = Graded(
    "ada.py",
    (
        Tensor("W1", (2, 3), "bug"),
        Tensor("b1", (3,), "correct", 1.0),
        Tensor("W2", (3,), "correct"),
    ),
    (MISSING,),
    "bug",
)
FAILED = Graded("bob.py", (Tensor("W1", (2, 3), "unknown"),), reason="it took too long")


def test_gradescope_reads_a_score_and_a_test_for_each_tensor():
    found = gradescope(WRONG, 30, "fix")
    assert found["score"] == 20
    assert [(one["score"], one["max_score"], one["status"]) for one in found["tests"]] == [
        (0, 10, "failed"), (10, 10, "passed"), (10, 10, "passed")
    ]  # fmt: skip
    assert set(found) <= {
        "score", "execution_time", "output", "output_format", "visibility", "stdout_visibility",
        "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    assert set(found["tests"][0]) <= {
        "score", "max_score", "status", "name", "name_format", "number", "output",
        "output_format", "tags", "visibility", "extra_data",
    }  # fmt: skip
    assert "should be: dA ⊙ f′" in found["output"]


def test_hints_go_as_far_as_they_are_given():
    outputs = {
        level: gradescope(WRONG, 30, level)["output"] for level in ("verdict", "where", "what")
    }
    assert outputs["verdict"] == "bug"
    assert outputs["where"] == "bug\n  W1"
    assert "f′ is missing" in outputs["what"]
    assert "should be" not in outputs["what"]


def test_the_repaired_line_is_part_of_the_fix_alone():
    hint = replace(MISSING, line=8, source="dZ = dA", repaired="dZ = dA * (1 - A**2)")
    graded = replace(WRONG, hints=(hint,))
    for written in (gradescope, otter):
        assert hint.repaired in json.dumps(written(graded, 30, "fix"))
        assert hint.repaired not in json.dumps(written(graded, 30, "what"))
    assert graded.to_json("fix")["hints"][0]["repaired"] == hint.repaired
    assert "repaired" not in graded.to_json("what")["hints"][0]


def test_what_could_not_be_graded_has_no_points():
    found = gradescope(FAILED, 10, "fix")
    assert (found["score"], found["output"]) == (0, "not graded: it took too long")
    assert [one["status"] for one in found["tests"]] == ["failed"]


@pytest.mark.parametrize("graded", [WRONG, FAILED])
def test_otter_reads_a_case_for_each_tensor(graded: Graded):
    (file,) = otter(graded, 30, "what")["test_file_results"]
    points = 0.0
    for case in file["test_case_results"]:  # the fields that otter takes out of each
        test = case["test_case"]
        assert {"name", "code", "hidden", "points", "success_message", "failure_message"} == set(
            test
        )
        assert case["passed"] is (case["error"] is None)
        points += test["points"] * case["passed"]
    assert points == pytest.approx(30 * graded.score)
    assert len(file["test_case_results"]) == len(graded.tensors)
