"""`backpass doctor FILE` finds what trains, says what it assumed, and ends with 1 on a bug."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backpass.cli import main
from tests.doctor.mutants import PROGRAMS

EXAMPLE = Path(__file__).parents[1] / "examples" / "from_scratch" / "class_network.py"


def run(*arguments):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


def test_a_file_is_examined_and_what_was_assumed_is_said():
    result = run(PROGRAMS / "three.py")
    assert result.exit_code == 0
    assert result.output.startswith("Three.fit_partial: correct\n")
    assert "Assumed: made Three(); called fit_partial; on random samples 6×4" in result.output


def test_a_constructor_that_needs_arguments_is_asked_for():
    result = run(EXAMPLE)
    assert result.exit_code == 2
    assert '--make "Network([3, 4, 2])"' in result.output


def test_a_method_without_its_class_asks_for_what_makes_one(tmp_path):
    alone = tmp_path / "alone.py"
    alone.write_text("def fit_partial(self, x, y):\n    self.W -= x.T @ (x @ self.W - y)\n")
    result = run(alone)
    assert result.exit_code == 2
    assert result.output.startswith("Error: fit_partial takes self, which alone.py has no class")
    assert "--make" in result.output


def test_what_is_said_is_taken():
    make = "Network([2, 2, 1], 0.5, np.random.default_rng(0))"
    result = run(EXAMPLE, "--make", make, "--call", "fit_partial", "--data", "4x3 4x1")
    assert result.exit_code == 0
    assert "½Σ(a − y)², at the rate 0.5" in result.output


def test_functions_take_what_is_made_first():
    result = run(PROGRAMS / "chooser.py", "--make", "start(4, 5, 3)")
    assert result.exit_code == 0
    assert result.output.startswith("train: correct\n")


def test_a_bug_ends_with_1_and_is_plain_data(tmp_path):
    file = tmp_path / "mine.py"
    source = (PROGRAMS / "three.py").read_text("utf-8")
    file.write_text(source.replace("* dtanh(self.A1)", ""), "utf-8")
    result = run(file, "--json")
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert data["findings"][0]["bug"] == 16
    assert data["assumed"][0] == "made Three()"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [([], "give a FILE that trains"), (["nowhere.py"], "there is no file nowhere.py"),
     ([PROGRAMS / "three.py", "--call", "fit_partia"], "fit_partial"),
     ([PROGRAMS / "three.py", "--make", "Three(1 + 1)"], "is neither a name"),
     ([PROGRAMS / "three.py", "--data", "X"], "is not two things")],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.output
