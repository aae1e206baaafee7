"""Networks that differ are judged by the same samples, and what broke is said to have."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError, UnknownName
from backpass.nn.recipe import Recipe, prepare
from backpass.nn.sweep import sweep
from backpass.nn.tables.data_file import read_data

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 2))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "points.csv"
    lines = [f"{x:.3f},{y:.3f},{'up' if x + y > 0 else 'down'}" for x, y in ROWS]
    path.write_text("\n".join(["x,y,side", *lines]))
    return read_data(path, "side")


def test_every_combination_is_trained_as_it_would_be_alone(data):
    recipe, told = Recipe(epochs=4, seed=3), []
    found = sweep(data, recipe, {"lr": [0.01, 1.0], "init": ["he", "zeros"]}, told.append)
    assert told == found.trials
    assert [tuple(one.chosen.values()) for one in found.trials] == [
        (0.01, "he"), (0.01, "zeros"), (1.0, "he"), (1.0, "zeros"),
    ]  # fmt: skip
    alone = prepare(data, Recipe(epochs=4, seed=3, lr=1.0, init="he"))
    assert found.trials[2].history.loss == alone.train(progress=False).loss
    scores = [group[0].verdict.score for group in found.ranked]
    assert scores == sorted(scores, reverse=True)


def test_networks_whose_numbers_break_come_last_and_their_curves_are_drawn(data):
    recipe = Recipe(epochs=3, activation="relu", loss="sum_of_squares")
    found = sweep(data, recipe, {"lr": [1e30, 0.001]})
    assert [one.broke for one in found.trials] == [True, False]
    assert [group[0].broke for group in found.ranked] == [False, True]
    axes = found.plot().axes[0]
    assert [line.get_marker() for line in axes.lines].count("x") == 1
    assert "verdict" not in found.to_json()["trials"][0]


def test_seeds_are_one_row_and_its_middle_counts(data):
    found = sweep(data, Recipe(epochs=2), {"lr": [0.01, 0.5], "seed": [0, 1, 2]})
    assert [len(group) for group in found.ranked] == [3, 3]
    first, second = ([one.verdict.score for one in group] for group in found.ranked)
    assert sorted(first)[1] >= sorted(second)[1]


@pytest.mark.parametrize(
    ("varied", "said", "error"),
    [
        ({"rate": [1.0]}, "no option rate", UnknownName),
        ({"lr": []}, "no value of lr", BackpassError),
        ({"lr": list(range(1, 202))}, "201 networks", BackpassError),
        ({"init": ["hee"]}, "he", UnknownName),
    ],
)
def test_what_cannot_be_compared_is_refused(data, varied, said, error):
    with pytest.raises(error, match=said):
        sweep(data, Recipe(epochs=1), varied)


def test_what_is_wrong_is_said_before_anything_is_trained(data):
    trained = []
    with pytest.raises(BackpassError, match="lr=-1 is no learning rate"):
        sweep(data, Recipe(epochs=1), {"lr": [0.1, -1], "init": ["he", "zeros"]}, trained.append)
    assert trained == []
