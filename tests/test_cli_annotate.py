"""`backpass annotate FILE` reads a file back as text, as data and as a page."""

from __future__ import annotations

import json

from click.testing import CliRunner

from backpass.cli import main
from tests.doctor.mutants import PROGRAMS


def run(*arguments):
    return CliRunner().invoke(main, ["annotate", *map(str, arguments)])


def test_a_file_is_read_back_and_what_was_assumed_is_said():
    result = run(PROGRAMS / "three.py")
    assert result.exit_code == 0
    assert " W1: W1" not in result.output
    assert "dW1" in result.output
    assert " ".join(result.output.split()).count("Assumed: made Three(); called fit_partial") == 1


def test_it_is_plain_data_and_a_page_too(tmp_path):
    data = json.loads(run(PROGRAMS / "three.py", "--json").output)
    assert data["share"] == 1
    assert data["assumed"][0] == "made Three()"
    page = tmp_path / "three.html"
    assert run(PROGRAMS / "three.py", "--html", page).output == ""
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path):
    result = run(PROGRAMS / "three.py", "--html", tmp_path / "none" / "three.html")
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")


def test_a_file_without_training_is_told_so(tmp_path):
    file = tmp_path / "empty.py"
    file.write_text("x = 1\n", "utf-8")
    result = run(file)
    assert result.exit_code == 2
    assert "nothing in empty.py could be called" in result.output
