"""A score beside what the same answer for every sample would reach."""

from backpass.nn.exam import examine
from backpass.nn.recipe import Recipe, prepare
from backpass.nn.tables.data_file import Data
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.verdict import Verdict, verdict


def judged(rows: list[tuple[int, object]], **options: object) -> tuple[Verdict, list[float]]:
    text = "x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)
    table = read_delimited("data.csv", text.encode())
    recipe = Recipe(**{"held_out": 0, "epochs": 5, **options})
    job = prepare(Data(table, table.column(1), 1), recipe)
    job.train(progress=False)
    exam = examine(job.model.network, job.X_held, job.y_held)
    return verdict(job, exam), job.model.target.numbers(exam.outputs).tolist()


def test_the_baseline_of_classes_is_the_most_frequent_one():
    rows = [(number % 10, "rare" if number % 10 == 0 else "often") for number in range(40)]
    for loss in (None, "mse", "binary_cross_entropy"):
        found, _ = judged(rows, loss=loss)
        assert (found.always, found.baseline) == ("often", 0.9)
        assert found.to_json() == {"accuracy": found.score, "baseline": 0.9, "always": "often"}


def test_the_baseline_of_numbers_is_their_mean():
    rows = [(number, 10.0 + 2 * (number % 2)) for number in range(40)]
    for convention in ("rows", "columns"):
        found, said = judged(rows, task="regression", convention=convention)
        assert (found.always, round(found.baseline, 6)) == ("11", 1.0)
        squares = [(one - goal) ** 2 for one, (_, goal) in zip(said, rows, strict=True)]
        assert found.error is not None
        assert abs(found.error**2 - sum(squares) / 40) < 1e-5
        assert abs(found.score - (1 - found.error**2)) < 1e-5
        assert found.to_json().keys() == {"r2", "error", "baseline", "always"}
