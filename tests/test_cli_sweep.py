"""`backpass sweep` as a shell calls it."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backpass.cli import main
from tests.test_cli_tables import FLOWERS, HOUSES


def backpass(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="backpass")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "iris.csv").write_text(FLOWERS)
    (tmp_path / "houses.csv").write_text(HOUSES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_help_work_and_what_they_suggest_does_too(folder: Path):
    text = backpass("sweep", "--help").stdout.replace("\\\n", " ")
    commands = [line for line in text.splitlines() if line.startswith("    backpass")]
    assert len(commands) == 2
    for command in commands:
        result = backpass(*shlex.split(command)[1:], "--epochs", "2")
        assert result.exit_code == 0, result.stderr
        *lines, suggested = result.stdout.strip().splitlines()
        assert max(map(len, lines)) <= 80
        assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
        assert suggested.startswith("backpass train")
        again = backpass(*shlex.split(suggested)[1:], "--output", "m.safetensors")
        assert again.exit_code == 0, again.stderr


def test_json_has_every_curve(folder: Path):
    asked = "sweep houses.csv --target price --ignore city --lr 0.01,0.1 --seeds 2"
    asked += " --layers none --layers 4,3"
    result = backpass(*asked.split(), "--epochs", "2", "--picture", "all.svg", "--json")
    found = json.loads(result.stdout)
    assert found["varied"] == {"lr": ["0.01", "0.1"], "layers": ["none", "4,3"], "seed": [0, 1]}
    assert [len(one["history"]["loss"]) for one in found["trials"]] == [2] * 8
    assert "<svg" in (folder / "all.svg").read_text()


def test_how_to_learn_can_be_compared_too(folder: Path):
    asked = "sweep iris.csv --target species --optimizer sgd,adam --dropout 0,0.2 --l2 0.01"
    result = backpass(*asked.split(), "--scale", "all", "--epochs", "2")
    assert result.exit_code == 0, result.stderr
    assert "4 networks" in result.stdout
    suggested = result.stdout.strip().splitlines()[-1]
    assert "--scale all" in suggested
    assert "--l2 0.01" in suggested
    again = backpass(*shlex.split(suggested)[1:], "--output", "m.safetensors")
    assert again.exit_code == 0, again.stderr
    found = json.loads(backpass(*asked.split(), "--epochs", "2", "--json").stdout)["trials"]
    assert len({one["history"]["loss"][-1] for one in found}) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "say what is to differ"),
        ("--lr fast", "is no list of numbers"),
        ("--lr 0.1 --picture iris.csv", "is to be a picture"),
        ("--lr 0.1 --picture nowhere/a.png", "cannot be written"),
        ("--activation tan", "tanh"),
        ("--lr -1", "no learning rate"),
        ("--optimizer adamm", "did you mean adam?"),
        ("--optimizer lbfgs --lr 0.1", "has no rate"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(options: str, said: str):
    result = backpass("sweep", "iris.csv", "--target", "species", *options.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
