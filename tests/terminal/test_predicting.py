"""Answers about a file: every sample in its order, and a word about columns left alone."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from backpass.language.errors import BackpassError
from backpass.nn.recipe import Recipe, prepare
from backpass.nn.tables.data_file import read_data
from backpass.terminal.predicting import Predicted, predict
from tests.nn.tables.formats import npy

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.normal(size=(40, 2))
KINDS = ["a, b" if x > 0 else 'the "c"' for x, _ in POINTS]
PRICES = [3000 * x + 9000 for x, _ in POINTS]


def wrote(path: Path, header: list[str], columns: list) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *zip(*columns, strict=True)])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x, y = POINTS.T.tolist()
    wrote(tmp_path / "data.csv", ["x", "y", "kind", "price"], [x, y, KINDS, PRICES])
    for target, other in (("kind", "price"), ("price", "kind")):
        data = read_data(tmp_path / "data.csv", target)
        job = prepare(data, Recipe(ignore=[other], epochs=100))
        job.train(progress=False)
        job.model.save(tmp_path / target)
    return tmp_path


def ask(folder: Path, model: str, data: str, **more: object) -> Predicted:
    options = {"labels": None, "header": None, "probabilities": False, "output": None}
    return predict(folder / model, folder / data, **{**options, **more})


def rows(found: Predicted) -> list[list[str]]:
    return list(csv.reader(io.StringIO(found.to_csv())))


def test_a_line_for_each_sample(folder: Path):
    found = ask(folder, "kind", "data.csv")
    (head,), *said = rows(found)
    assert head == "kind"
    right = np.mean([one == [kind] for one, kind in zip(said, KINDS, strict=True)])
    assert right > 0.9
    assert found.notes == (
        "not used: column price",
        f"column 'kind' is there too: {right:.1%} of 40 samples are right",
    )


def test_probabilities_stand_beside_the_classes(folder: Path):
    found = ask(folder, "kind", "data.csv", probabilities=True)
    head, *said = rows(found)
    assert head == ["kind", "P(a, b)", 'P(the "c")']
    for kind, *shares in said:
        assert sum(map(float, shares)) == pytest.approx(1, abs=2e-6)
        assert (kind == "a, b") == (float(shares[0]) > 0.5)
    (first, *_) = found.to_json()["probabilities"]
    assert first.keys() == {"a, b", 'the "c"'}


def test_numbers_are_said_in_their_unit(folder: Path):
    found = ask(folder, "price", "data.csv")
    said = np.array([float(row[0]) for row in rows(found)[1:]])
    assert np.abs(said - PRICES).mean() < 600
    assert found.notes[-1].startswith("column 'price' is there too: off by ")
    np.testing.assert_allclose(found.to_json()["predictions"], said, rtol=1e-5)
    with pytest.raises(BackpassError, match="answers with numbers, so there are no probabilities"):
        ask(folder, "price", "data.csv", probabilities=True)


def test_the_target_need_not_be_known(folder: Path):
    wrote(folder / "new.csv", ["y", "note", "x"], [[0.0, 0.0], ["p", ""], [2.0, -2.0]])
    found = ask(folder, "kind", "new.csv")
    assert rows(found)[1:] == [["a, b"], ['the "c"']]
    assert found.notes == ("not used: column note",)
    wrote(folder / "gaps.csv", ["x", "y", "kind"], [[2.0, -2.0], [0.0, 0.0], ["a, b", ""]])
    assert ask(folder, "kind", "gaps.csv").notes == ()


def test_columns_without_names_are_taken_in_order(folder: Path):
    (folder / "new.npy").write_bytes(npy(np.array([[2.0, 0.0], [-2.0, 0.0]])))
    found = ask(folder, "kind", "new.npy")
    assert rows(found)[1:] == [["a, b"], ['the "c"']]
    assert found.notes == ("the columns of new.npy have no names: they are taken in order",)


def test_labels_judge(folder: Path):
    (folder / "new.npy").write_bytes(npy(np.array([[2.0, 0.0], [-2.0, 0.0]])))
    (folder / "labels.npy").write_bytes(npy(np.array(["a, b", "a, b"])))
    found = ask(folder, "kind", "new.npy", labels=folder / "labels.npy")
    assert found.notes[-1] == "the target in labels.npy is there too: 50.0% of 2 samples are right"


def test_classes_that_training_never_met_are_told(folder: Path):
    wrote(folder / "new.csv", ["x", "y", "kind"], [[2.0, -2.0, 2.0], [0.0] * 3, ["a, b", "d", "e"]])
    assert ask(folder, "kind", "new.csv").notes == (
        "column 'kind' is there too: 33.3% of 3 samples are right",
        "2 of them cannot be right, as their classes did not occur in training: 'd', 'e' (first in "
        "line 3)",
    )


@pytest.mark.parametrize("taken", ["kind", "data.csv"])
def test_what_is_read_is_not_written(folder: Path, taken: str):
    with pytest.raises(BackpassError, match="is read from; write to another file"):
        ask(folder, "kind", "data.csv", output=folder / taken)
    with pytest.raises(BackpassError, match="cannot be written: no such file or directory"):
        ask(folder, "kind", "data.csv", output=folder / "missing" / "out")
