"""Classes or numbers: what a column asks for, and what the losses then take."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError, UnknownName
from backpass.nn.losses import LOSSES
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.table import Column
from backpass.nn.target import (
    Target,
    amount,
    choose_loss,
    choose_task,
    class_names,
    decide,
    of_numbers,
)


def column(*cells: object) -> Column:
    text = "".join(f"0;{cell}\n" for cell in cells)
    return read_delimited("data.csv", f"x;y\n{text}".encode()).column(1)


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["cat", "dog", "cat"], "classification"),
        ([0, 1, 1, 0], "classification"),
        ([3, 4, 5] * 4, "classification"),
        ([1.0, 2.0] * 4, "classification"),
        ([0.5, 1.5] * 4, "regression"),
        ([1, 2, 3, 4], "regression"),
        (range(100), "regression"),
        (list(range(21)) * 5, "regression"),
        (list(range(20)) * 5, "classification"),
    ],
)
def test_the_task_is_read_off_the_column(cells, task: str):
    assert decide(column(*cells))[0] == task
    assert choose_task(column(*cells), None)[0] == task


def test_a_task_may_be_told():
    assert choose_task(column(1.5, 2.5), "classification")[0] == "classification"
    assert choose_task(column(0, 1, 1, 0), "regression")[0] == "regression"
    with pytest.raises(UnknownName, match="did you mean regression"):
        choose_task(column(1), "regresion")
    with pytest.raises(BackpassError, match="line 3, column 'y' is 'x', which is no number"):
        choose_task(column(1, "x"), "regression")


def test_a_gap_among_numbers_does_not_make_classes():
    with pytest.raises(BackpassError, match="line 4, column 'y' is 'NA', a missing value"):
        decide(column(1.5, 2.5, "NA", 3))
    with pytest.raises(BackpassError, match="line 3, column 'y' is empty"):
        class_names(column("cat", "", "dog"))


def test_classes_are_what_a_loss_takes():
    cells = column("b", "a", "c", "b")
    target = Target("y", class_names(cells))
    assert target.classes == ("a", "b", "c")
    assert target.encode(cells, LOSSES["cross_entropy"]).tolist() == [1, 0, 2, 1]
    assert target.encode(cells, LOSSES["mse"]).tolist() == np.eye(3)[[1, 0, 2, 1]].tolist()
    assert target.outputs(LOSSES["binary_cross_entropy"]) == 3
    two = Target("y", ("no", "yes"))
    binary = LOSSES["binary_cross_entropy"]
    assert two.outputs(binary) == 1
    assert two.encode(column("yes", "no"), binary).tolist() == [[1], [0]]
    assert two.outputs(LOSSES["cross_entropy"]) == two.outputs(LOSSES["mse"]) == 2
    with pytest.raises(
        UnknownName, match="line 3, column 'y' is 'nope', which is none of the 2 cla"
    ):
        two.encode(column("yes", "nope"), binary)


def test_numbers_are_scaled_there_and_back():
    cells = column(10, 20, 60)
    target = of_numbers("y", cells.numbers)
    scaled = target.encode(cells, LOSSES["mse"])
    assert scaled.shape == (3, 1)
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)
    np.testing.assert_allclose(target.numbers(scaled), [10, 20, 60])


def test_nothing_to_learn_is_said():
    with pytest.raises(
        BackpassError, match="all 3 targets are 'a': there is nothing to tell apart"
    ):
        class_names(column("a", "a", "a"))
    with pytest.raises(BackpassError, match=r"all 3 targets are 0\.1: there is nothing to learn"):
        of_numbers("y", [0.1, 0.1, 0.1])
    with pytest.raises(BackpassError, match="too large to be scaled"):
        of_numbers("y", [1e300, -1e300])


def test_losses_go_with_tasks():
    assert choose_loss("classification", None).name == "cross_entropy"
    assert choose_loss("regression", None).name == "mse"
    assert choose_loss("classification", "mse").name == "mse"
    with pytest.raises(BackpassError, match="cross_entropy is for classes"):
        choose_loss("regression", "cross_entropy")


def test_amounts_are_read_as_people_write_them():
    found = [amount(one) for one in (423_697.4, -10_034.0, 999.96, 0.0123456, 0.0, 3e12)]
    assert found == ["423,697", "-10,034", "1,000", "0.01235", "0", "3e+12"]
