"""`backpass grade` as a shell calls it: the table, the files, the exit status."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backpass.cli import main
from tests.grading.networks import REFERENCE, RIGHT, edited, handed_in

CLASS = Path(__file__).parents[1] / "examples/grading"


def grade(*asked: object) -> Result:
    return CliRunner().invoke(main, ["grade", *map(str, asked)], prog_name="backpass")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference.py").write_text(REFERENCE, "utf-8")
    handed_in(tmp_path / "submissions", ada=RIGHT, ben=edited("1 - A1**2", "1 - A1"))
    return tmp_path


def test_the_class_of_the_examples(folder: Path):
    shutil.copytree(CLASS, "class")
    run = grade("class/submissions", "--reference", "class/reference.py")
    assert run.exit_code == 1  # one raises
    assert max(map(len, run.stdout.splitlines())) <= 80
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in Path("grades").iterdir()}
    assert {name: (one["verdict"], one["right"]) for name, one in found.items()} == {
        "ada": ("correct", 4), "ben": ("bug", 2), "chen": ("bug", 2),
        "dora": ("correct for another loss", 0), "emil": ("correct in the other layout", 2),
        "fay": (None, 0),
    }  # fmt: skip
    assert [hint["bug"] for hint in found["ben"]["hints"] + found["chen"]["hints"]] == [23, 9]
    shapes = 'ValueError: in dZ2 @ params["W2"] the shapes are (8×3) and (5×3)'
    assert (found["fay"]["line"], found["fay"]["reason"]) == (10, shapes)
    assert "fix" not in found["fay"]  # unless it is asked for
    assert "  ben.py     ✗  ✗  ✓  ✓    50%  bug: line 13, tanh′ = 1 − a\n" in run.stdout


def test_the_first_examples_of_the_help_work(folder: Path):
    run = grade("submissions/", "--reference", "reference.py", "--hint", "fix", "--seed", "1")
    assert (run.exit_code, run.stderr) == (0, "")
    assert "should be: dZ1 = dA1 ⊙ (1 − A1²)\n    repaired:\n      dZ1 = " in run.stdout
    assert "* (1 - A1**2)\n" in run.stdout
    again = grade("submissions/", "--reference", "reference.py", "--hint", "verdict")
    assert "bug\n" in again.stdout
    assert "W1" not in again.stdout + Path("grades/ben.json").read_text("utf-8")


def test_json_is_all_there_is(folder: Path):
    found = json.loads(grade("submissions", "--reference", "reference.py", "--json").stdout)
    assert (found["mean"], [one["score"] for one in found["submissions"]]) == (0.75, [1, 0.5])


def test_one_submission_for_autograders(folder: Path):
    asked = ["submissions/ben.py", "--reference", "reference.py", "--points", "8"]
    run = grade(*asked, "--gradescope", "results.json", "--otter", "otter.json")
    assert run.exit_code == 0
    assert json.loads(Path("results.json").read_text("utf-8"))["score"] == 4
    assert json.loads(Path("otter.json").read_text("utf-8"))["test_file_results"]
    assert not Path("grades").exists()
    one = grade("submissions", *asked[1:], "--gradescope", "results.json")
    assert one.exit_code == 1  # as a folder it is one submission, of two files without main.py
    assert "it has 2 files" in one.stdout


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("x = 1\n", "the reference has no function loss"),
        ("def loss(W, X, y):\n    return W\n", "the reference has no example of W"),
        ("def loss(X, y):\n    return 1.0\n", "takes no parameters"),
        (REFERENCE + "\nRATE = -1\n", "RATE of the reference is a number above 0"),
        (REFERENCE + "\nCALL = 3\n", "CALL of the reference is a text"),
        (REFERENCE.replace("np.ones(5)", "np.ones(5, int)"), "params['b1'] of the reference"),
        (REFERENCE.replace("np.ones(5)", "'five'"), "is no array of numbers"),
        (REFERENCE.replace("np.ones(5)", "np.ones(7)"), "cannot be the key"),
    ],
)
def test_a_reference_without_a_key_is_refused_in_one_sentence(
    folder: Path, reference: str, said: str
):
    Path("reference.py").write_text(reference, "utf-8")
    run = grade("submissions", "--reference", "reference.py")
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith("Error: ")
    assert said in run.stderr


def test_results_go_into_no_link_that_was_laid_there(folder: Path):
    Path("grades").mkdir()
    Path("precious").write_text("mine")
    Path("grades/ada.json").symlink_to(folder / "precious")
    assert grade("submissions", "--reference", "reference.py").exit_code == 0
    assert Path("precious").read_text() == "mine"
    assert not Path("grades/ada.json").is_symlink()


def test_a_place_that_cannot_take_results_is_refused_before_anything_runs(folder: Path):
    for place in ("reference.py", "reference.py/grades"):
        run = grade("submissions", "--reference", "nowhere.py", "--output", place)
        assert (run.exit_code, run.stdout) == (2, "")
        assert "results cannot go to" in run.stderr


def test_a_grader_that_is_ended_leaves_the_results_that_it_had(folder: Path):
    handed_in(folder / "submissions", zoe="while True:\n    pass\n")
    asked = ["submissions", "--reference", "reference.py", "--seconds", "100", "--jobs", "1"]
    command = [sys.executable, "-m", "backpass", "grade", *asked]
    root = str(Path(__file__).parents[1])
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": root}) as grader:
        while not Path("grades/ben.json").exists() and grader.poll() is None:
            time.sleep(0.05)
        grader.kill()
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in Path("grades").iterdir()}
    assert {name: one["score"] for name, one in found.items()} == {"ada": 1, "ben": 0.5}


def test_each_submission_has_a_file_of_its_own_whatever_its_name(folder: Path):
    shutil.rmtree("submissions")
    inside = handed_in(Path("submissions"), ada=RIGHT)
    for name in ("Ada.py", "ada.py.py", "x" * 252 + ".py", os.fsdecode(b"bad\xff.py")):
        (inside / name).write_text("def grads(:\n", "utf-8")
    handed_in(inside / "ada", main="def grads(:\n")
    assert grade("submissions", "--reference", "reference.py").exit_code == 1
    found = [json.loads(file.read_text("utf-8")) for file in Path("grades").iterdir()]
    assert len({one["submission"] for one in found}) == len(found) == 6
    assert [one["submission"] for one in found if one["score"]] == ["ada.py"]
