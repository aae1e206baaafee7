"""`backpass train` and `backpass predict` as a shell calls them."""

import csv
import io
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from backpass.cli import main
from backpass.nn import checkpoint
from backpass.nn.keeping import Keeper
from backpass.nn.recipe import Job
from backpass.nn.run import Run
from tests.nn.tables.formats import idx, npz

RANDOM = np.random.default_rng(0)
FLOWERS = "length,species\n" + "".join(
    f"{x:.3f},{'rose' if x > 0 else 'iris'}\n" for x in RANDOM.normal(size=40)
)
HOUSES = "id,city,size,price\n" + "".join(
    f"{n},{'Rome' if n % 3 else 'Oslo'},{x:.3f},{90 + 30 * x:.1f}\n"
    for n, x in enumerate(RANDOM.normal(size=40))
)


def backpass(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="backpass")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pictures = RANDOM.integers(0, 256, (40, 2, 2))
    (tmp_path / "iris.csv").write_text(FLOWERS)
    (tmp_path / "houses.csv").write_text(HOUSES)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(idx(pictures))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx(pictures[:, 0, 0] > 99))
    (tmp_path / "data.npz").write_bytes(npz(X=pictures / 255, y=pictures[:, 0, 0] / 255))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_help_work(folder: Path):
    text = backpass("train", "--help").stdout.replace("\\\n", " ")
    commands = [line for line in text.splitlines() if line.startswith("    backpass")]
    assert len(commands) == 3
    for command in commands:
        result = backpass(*shlex.split(command)[1:], "--epochs", "3")
        assert result.exit_code == 0, result.stderr
    assert (folder / "houses.html").is_file()
    assert backpass("train", "iris.csv", "--target", "species").exit_code == 0
    (folder / "new.csv").write_text(FLOWERS)
    text = backpass("predict", "--help").stdout.replace("\\\n", " ")
    commands = [line for line in text.splitlines() if line.startswith("    backpass")]
    assert len(commands) == 2
    for command in commands:
        result = backpass(*shlex.split(command.partition(">")[0])[1:])
        assert result.exit_code == 0, result.stderr
    assert (folder / "answers.csv").read_text().startswith("species,P(iris),P(rose)\n")


def test_answers_go_to_the_output_and_words_beside_it(folder: Path):
    backpass("train", "iris.csv", "--target", "species")
    result = backpass("predict", "model.safetensors", "iris.csv")
    assert len(list(csv.reader(io.StringIO(result.stdout)))) == 41
    assert result.stderr.startswith("Column 'species' is there too: ")
    found = json.loads(backpass("predict", "model.safetensors", "iris.csv", "--json").stdout)
    assert set(found["predictions"]) == {"iris", "rose"}


def test_the_results_alone_as_json(folder: Path):
    result = backpass("train", "iris.csv", "--target", "species", "--json", "--epochs", "2")
    found = json.loads(result.stdout)
    assert found["classes"] == ["iris", "rose"]
    assert found["held_out"] == 10
    assert len(found["history"]["loss"]) == 2


def test_every_option_reaches_the_network(folder: Path):
    result = backpass(
        "train", "houses.csv", "--target", "-1", "--ignore", "id", "--ignore", "city",
        "--layers", "5,4", "--activation", "relu", "--loss", "huber", "--lr", "0.2",
        "--epochs", "3", "--batch-size", "8", "--init", "he", "--bias", "none", "--seed", "7",
        "--convention", "columns", "--held-out", "0.5", "--scale", "none", "--no-derivation",
        "--output", "m", "--task", "regression", "--header", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["network"] == "1 → 5 relu → 4 relu → 1 linear, huber, SGD(lr=0.2), 29 weights"
    assert (found["epochs"], found["batch_size"], found["held_out"]) == (3, 8, 20)
    assert "nothing is scaled" in found["decided"]
    linear = backpass("train", "iris.csv", "--target", "2", "--layers", "none", "--json")
    assert json.loads(linear.stdout)["network"].startswith("1 → 2 linear, cross_entropy")


def test_an_archive_needs_no_target(folder: Path):
    found = json.loads(backpass("train", "data.npz", "--json").stdout)
    assert found["task"] == "regression"
    assert found["r2"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("iris.csv", "say which column of iris.csv is the target, --target COLUMN"),
        ("iris.csv --target specie", "did you mean species?"),
        ("iris.csv --target species --activation rellu", "did you mean relu?"),
        ("iris.csv --target species --layers 64;32", "is no list of units; write 64,32, or none"),
        ("iris.csv --target species --layers 1000000,1000000", "more than fit into the memory"),
        ("iris.csv --target species --layers 0", "Dense(0) has no units"),
        ("iris.csv --target species --output no/m", "no/m cannot be written"),
        ("houses.csv --target price", "column 'city' holds text ('Oslo' in line 2)"),
        ("missing.csv --target y", "missing.csv cannot be read: no such file or directory"),
        (". --target y", "is a folder; give a CSV, NPY, NPZ or IDX file"),
    ],
)
def test_what_cannot_be_learnt_gets_one_sentence(folder: Path, arguments: str, said: str):
    before = sorted(path.name for path in folder.iterdir())
    result = backpass("train", *arguments.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("iris.csv iris.csv", "iris.csv is no safetensors file, or a damaged one"),
        ("missing iris.csv", "missing cannot be read"),
        ("m houses.csv", "houses.csv lacks column 'length' of the 1 that the model takes"),
        ("m missing.csv", "missing.csv cannot be read"),
        ("m data.npz", "X of data.npz has 4 columns and the model takes 1"),
        ("m iris.csv --output m", "m is read from; write to another file"),
    ],
)
def test_what_cannot_be_answered_gets_one_sentence(folder: Path, arguments: str, said: str):
    backpass("train", "iris.csv", "--target", "species", "--output", "m", "--epochs", "1")
    result = backpass("predict", *arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_help_is_ascii_and_in_80_columns(verb: str):
    text = backpass(verb, "--help").stdout
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_class_names_cannot_paint_the_terminal(folder: Path):
    (folder / "evil.csv").write_text(FLOWERS.replace("rose", "\x1b[31mrose"))
    result = backpass("train", "evil.csv", "--target", "species", "--epochs", "2")
    assert result.exit_code == 0
    assert "\x1b" not in result.output


def test_an_interruption_says_how_it_would_be_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(job: Job, progress: bool, **kept: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "train", interrupted)
    result = backpass("train", "iris.csv", "--target", "species", "--no-derivation")
    assert result.exit_code == 2
    assert "Error: interrupted: nothing is kept; --checkpoint FILE would" in result.stderr


def test_a_training_is_kept_and_taken_up(folder: Path, monkeypatch: pytest.MonkeyPatch):
    asked = ["train", "iris.csv", "--target", "species", "--epochs", "9", "--no-derivation"]
    kept = [*asked, "--checkpoint", "run.st", "--every", "2", "--resume"]
    assert backpass(*asked).exit_code == 0
    wanted, about = checkpoint.read(folder / "model.safetensors")

    after = Keeper.after

    def interrupted(keeper: Keeper, run: Run) -> None:
        after(keeper, run)
        if run.epoch == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Keeper, "after", interrupted)
    result = backpass(*kept)
    assert result.exit_code == 2
    said = "Error: interrupted: run.st holds the training up to epoch 5 of 9; the same again with"
    assert f"{said} --resume goes on" in " ".join(result.stderr.split())
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    result = backpass(*kept[:-1])
    assert "a training up to epoch 5 of 9; go on with --resume" in " ".join(result.stderr.split())
    assert backpass(*kept).exit_code == 0
    found, told = checkpoint.read(folder / "model.safetensors")
    assert told == about
    assert {name: one.tobytes() for name, one in found.items()} == {
        name: one.tobytes() for name, one in wanted.items()
    }


def test_a_checkpoint_has_a_file_of_its_own(folder: Path):
    asked = ["train", "iris.csv", "--target", "species"]
    for more, said in (
        (["--resume"], "--resume needs the file to go on from; give --checkpoint FILE"),
        (["--checkpoint", "model.safetensors"], "cannot be both the model and the checkpoint"),
        (["--checkpoint", "iris.csv"], "iris.csv holds the data; write to another file"),
        (["--log", "iris.csv"], "iris.csv holds the data; write to another file"),
        (["--log", "x", "--report", "x"], "x cannot be both the report and the log"),
    ):
        result = backpass(*asked, *more)
        assert result.exit_code == 2
        assert said in " ".join(result.stderr.split())


def test_how_to_learn_is_asked_for_and_logged(folder: Path):
    result = backpass(
        "train", "iris.csv", "--target", "species", "--epochs", "300", "--momentum", "0.9",
        "--nesterov", "--class-weight", "balanced", "--backend", "numpy", "--early-stopping", "1",
        "--log", "run.jsonl", "--no-derivation",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "SGD(lr=0.1, momentum=0.9, nesterov=True)" in " ".join(result.output.split())
    assert "It ended early: val_loss was best in epoch" in " ".join(result.output.split())
    lines = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, len(lines) + 1))
    assert "val_loss" in lines[0]
    result = backpass("train", "iris.csv", "--target", "species", "--class-weight", "fair")
    assert "class_weight='fair' is not known; give \"balanced\"" in result.stderr
    result = backpass("train", "iris.csv", "--target", "species", "--optimizer", "lbfgs")
    assert "in batches" not in result.output
