"""A model answers about tables in the words of its target, before and after a file."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError, ShapeError
from backpass.nn import checkpoint
from backpass.nn.model import ABOUT, Model, load_model
from backpass.nn.recipe import Recipe, prepare
from backpass.nn.tables.data_file import Data
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.table import Table, from_array

RANDOM = np.random.default_rng(0)
SIZES = RANDOM.normal(size=(60, 2))
KINDS = np.where(SIZES[:, 0] > 0, "cat", "dog")
COLOURS = np.where(SIZES[:, 1] > 0, "black", "white")
ROWS = [
    f"{width:.6f},{colour},{height:.6f},{kind}"
    for (width, height), colour, kind in zip(SIZES, COLOURS, KINDS, strict=True)
]


def table(lines: list[str]) -> Table:
    return read_delimited("data.csv", "\n".join(lines).encode())


ANIMALS = table(["width,colour,height,kind", *ROWS])


def trained(target: str = "kind", **options: object) -> Model:
    place = ANIMALS.find(target)
    spread = [name for name in ("colour", "kind") if name != target]
    recipe = Recipe(**{"epochs": 20, "one_hot": spread, **options})
    job = prepare(Data(ANIMALS, ANIMALS.column(place), place), recipe)
    job.train(progress=False)
    return job.model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"convention": "columns", "bias": "augmented"},
        {"loss": "mse", "bias": None},
        {"loss": "binary_cross_entropy"},
        {"loss": "cross_entropy_from_probabilities", "convention": "columns"},
        {"loss": "binary_cross_entropy_from_probabilities", "layers": (), "lr": 0.5},
    ],
)
def test_a_model_says_the_same_after_a_file(tmp_path, options):
    model = trained(**options)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    before, after = model.answers(ANIMALS), again.answers(ANIMALS)
    assert list(before.values) == list(after.values)
    assert np.mean(np.array(after.values) == KINDS) > 0.9
    assert again.target == model.target
    assert again.features == model.features
    shares = after.probabilities
    assert (shares is None) == (options.get("loss") == "mse")
    if shares is not None:
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        assert [model.target.classes[place] for place in shares.argmax(axis=1)] == after.values


def test_numbers_come_back_in_their_unit(tmp_path):
    model = trained("height", epochs=60)
    model.save(tmp_path / "m")
    answers = load_model(tmp_path / "m").answers(ANIMALS)
    assert answers.probabilities is None
    assert np.corrcoef(np.asarray(answers.values), SIZES[:, 1])[0, 1] > 0.7
    assert abs(np.mean(answers.values) - SIZES[:, 1].mean()) < 0.3


def test_the_order_of_columns_does_not_matter():
    model = trained()
    turned = [",".join(reversed(row.split(",")[:3])) + ",7" for row in ROWS]
    other = table(["height,colour,width,more", *turned])
    assert model.answers(other).values == model.answers(ANIMALS).values


def test_the_network_alone_is_a_network(tmp_path):
    model = trained()
    model.save(tmp_path / "m")
    net = bp.load(tmp_path / "m")
    X = model.inputs(ANIMALS)
    np.testing.assert_array_equal(net.predict(X), model.network.predict(X))


def test_what_does_not_fit_is_refused():
    model = trained()
    with pytest.raises(BackpassError, match=r"data\.csv lacks column 'width'"):
        model.answers(table(["a,b", "1,2"]))
    with pytest.raises(ShapeError, match=r"a\.npy has 2 columns and the model takes 3"):
        model.answers(from_array("a.npy", np.zeros((1, 2))))
    with pytest.raises(
        BackpassError, match=r"line 2, column 'width' is 1e\+300, which lies too far"
    ):
        model.answers(table(["width,colour,height", "1e300,black,1"]))
    with pytest.raises(BackpassError, match="line 2, column 'height' is empty"):
        model.answers(table(["width,colour,height", "1,black,"]))


def test_files_that_hold_something_else_are_refused(tmp_path):
    path = tmp_path / "m"
    bp.Network([bp.Dense(2)], inputs=3).save(path)
    with pytest.raises(BackpassError, match="holds a network and not the columns that it takes"):
        load_model(path)
    model = trained()
    model.save(path)
    arrays, about = checkpoint.read(path)
    for change, said in (
        ({"features": 3}, "does not describe its table"),
        ({"features": []}, "do not fit its network"),
        ({"target": {"name": "y", "classes": ["a"], "size": 3}}, "does not describe its table"),
        ({"target": {"name": "y", "classes": ["a", "b", "c"]}}, "do not fit its network"),
    ):
        checkpoint.write(path, arrays, {**about, ABOUT: {**about[ABOUT], **change}})
        with pytest.raises(BackpassError, match=said):
            load_model(path)
    less = {name: one for name, one in arrays.items() if name != "inputs_mean"}
    checkpoint.write(path, less, about)
    with pytest.raises(BackpassError, match="does not describe its table"):
        load_model(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BackpassError, match="is no safetensors file, or a damaged one"):
        load_model(path)
