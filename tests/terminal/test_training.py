"""The show of a training: what it says, what it writes, and what it refuses before it begins."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.model import load_model
from backpass.nn.recipe import Recipe
from backpass.terminal.training import Files, Trained, train

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.normal(size=(40, 2))
FLOWERS = "length,width,kind\n" + "".join(
    f"{length:.4f},{width:.4f},{'rose' if length > width else 'iris'}\n" for length, width in POINTS
)
PRICES = "rooms,price\n" + "".join(f"{x:.4f},{3000 * x + 9000:.2f}\n" for x, _ in POINTS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "flowers.csv").write_text(FLOWERS)
    (tmp_path / "prices.csv").write_text(PRICES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(name: str, target: str, **more: object) -> tuple[str, Trained]:
    text = io.StringIO()
    console = Console(file=text, width=80, highlight=False)
    files = Files(Path(name), Path("m.safetensors"), report=more.pop("report", None))
    derivation = bool(more.pop("derivation", True))
    found = train(console, files, target, None, Recipe(**more), derivation)
    return text.getvalue(), found


def test_classes_are_trained_judged_and_saved(folder: Path):
    text, found = shown("flowers.csv", "kind", epochs=30)
    assert "Column 'kind' has 2 classes, as it holds text: iris, rose." in text
    assert "2 → 32 tanh → 2 linear, cross_entropy, SGD(lr=0.1), 162 weights; 30 epochs" in text
    assert "  dW2 = A1.T @ dZ2              (32×n)(n×2) → 32×2" in text
    assert f"{found.exam.score:.1%} of the 10 held-out samples are right. To say " in text
    assert "backpass predict m.safetensors new.csv" in text
    for name, row in zip(("iris", "rose"), found.exam.confusion, strict=True):
        cells = [str(count or "·") for count in row]
        assert [name, *cells] in [line.split()[:3] for line in text.splitlines()]
    assert max(map(len, text.splitlines())) <= 80
    assert load_model(folder / "m.safetensors").target.classes == ("iris", "rose")
    assert sorted(path.name for path in folder.iterdir()) == [
        "flowers.csv", "m.safetensors", "prices.csv",
    ]  # fmt: skip


def test_numbers_are_judged_in_their_unit(folder: Path):
    text, found = shown("prices.csv", "price", derivation=False)
    assert "Column 'price' is a number to be found, as it holds 40 different numbers" in text
    assert found.verdict.error is not None
    assert found.verdict.error < 0.2 * found.verdict.baseline
    assert found.verdict.baseline > 1000
    assert f"R² is {found.exam.score:.3f}." in text
    assert "backward" not in text


def test_the_numbers_are_there_by_name(folder: Path):
    _, found = shown("flowers.csv", "kind", epochs=3, report=Path("page.html"))
    numbers = json.loads(json.dumps(found.to_json()))
    assert numbers["task"] == "classification"
    assert numbers["features"] == ["length", "width"]
    assert numbers["accuracy"] == numbers["exam"]["accuracy"] == found.exam.score
    assert len(numbers["history"]["loss"]) == 3
    assert (numbers["output"], numbers["report"]) == ("m.safetensors", "page.html")


def test_the_report_is_about_this_training(folder: Path):
    text, found = shown("flowers.csv", "kind", epochs=1, lr=1e-3, report=Path("page.html"))
    page = (folder / "page.html").read_text("utf-8")
    assert "flowers.csv" in page
    assert "rose" in page
    assert "Each column of numbers is scaled" in page
    assert found.exam.misread
    for place in found.exam.misread[:12]:
        line, kind = found.job.held[place], found.job.model.target.classes[found.job.y_held[place]]
        assert line in page
        assert FLOWERS.splitlines()[int(line.removeprefix("line ")) - 1].endswith(kind)
    assert "The model is kept in m.safetensors, the report in page.html." in text


def test_what_was_learnt_in_vain_is_said(folder: Path):
    with (folder / "noise.csv").open("w") as file:
        file.write("a,y\n")
        file.writelines(f"{n % 7},{'yes' if n % 5 else 'no'}\n" for n in range(70))
    text, found = shown("noise.csv", "y", epochs=2)
    assert found.verdict.score <= found.verdict.baseline
    assert "What it has learnt does not help." in text.replace("\n", " ")


def test_numbers_that_break_end_the_training_and_write_nothing(folder: Path):
    with pytest.raises(BackpassError, match=r"the loss is .* training stopped there"):
        shown("prices.csv", "price", lr=50.0)
    assert not (folder / "m.safetensors").exists()


def test_a_loss_that_does_not_fall_is_told(folder: Path):
    text, found = shown("prices.csv", "price", lr=1e-30, epochs=3)
    assert "the loss did not fall" in text.replace("\n", " ")
    assert len(found.warned) == 1


@pytest.mark.parametrize(
    ("output", "report", "said"),
    [
        ("missing/m", None, "missing/m cannot be written"),
        ("m", "missing/page", "missing/page cannot be written"),
        (".", None, "it is a folder"),
        ("flowers.csv", None, "flowers.csv holds the data; write to another file"),
        ("m", "flowers.csv", "flowers.csv holds the data"),
        ("m", "m", "m cannot be both the model and the report"),
        ("prices.csv", None, "prices.csv is there and is no model of a table"),
        ("net", None, "net is there and is no model of a table"),
    ],
)
def test_what_cannot_be_written_is_noticed_before_the_data_are_read(
    folder: Path, output: str, report: str | None, said: str
):
    (folder / "flowers.csv").write_text("not,a table\n")
    bp.Network([bp.Dense(1)], inputs=1, loss="mse").save(folder / "net")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    files = Files(Path("flowers.csv"), Path(output), report=Path(report) if report else None)
    with pytest.raises(BackpassError, match=said):
        train(Console(quiet=True), files, "kind", None, Recipe())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_model_may_be_trained_again(folder: Path):
    shown("flowers.csv", "kind", epochs=1)
    shown("prices.csv", "price", epochs=1)
    assert load_model(folder / "m.safetensors").target.name == "price"
