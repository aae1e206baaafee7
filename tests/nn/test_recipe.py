"""From a table to a network: what is decided, and that nothing is learnt from what is held out."""

import csv
import io
import warnings
from dataclasses import replace

import numpy as np
import pytest

from backpass.language.errors import BackpassError, UnknownName
from backpass.nn.data import load_digits
from backpass.nn.exam import examine
from backpass.nn.recipe import Job, Recipe, few, prepare
from backpass.nn.tables.data_file import Data
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.table import from_array
from backpass.nn.verdict import verdict

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
RANDOM = np.random.default_rng(0)


def data(text: str, target: str | None = "-1") -> Data:
    table = read_delimited("data.csv", text.encode())
    if target is None:
        return Data(table, None)
    place = table.find(target)
    return Data(table, table.column(place), place)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_defaults_learn_what_there_is_to_learn(kind: str):
    images, digits = load_digits()
    names = [f"pixel {number}" for number in range(64)]
    if kind == "classes":  # which digit it is, in words
        goals = [WORDS[digit] for digit in digits]
    else:  # how much ink there is, in hundredths
        goals = (100 * images.sum(axis=1)).tolist()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*names, "goal"])
    writer.writerows([*image, goal] for image, goal in zip(images.tolist(), goals, strict=True))
    job = prepare(data(text.getvalue(), "goal"), Recipe())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        job.train(progress=False)
    exam = examine(job.model.network, job.X_held, job.y_held)
    found = verdict(job, exam)
    assert found.score == exam.score > 0.95
    assert len(exam) == job.held_out == 450
    if kind == "classes":
        assert found.error is None
        actual = np.array([job.model.target.classes[label] for label in job.y_held])
        assert found.baseline == np.mean(actual == found.always) < 0.15
    else:
        assert found.error is not None
        assert found.baseline == pytest.approx(np.std(goals), rel=0.1)
        assert found.error == pytest.approx(found.baseline * np.sqrt(1 - exam.score), rel=0.01)


NUMBERS = "a,b,y\n" + "".join(f"{a},{b},{a + b}\n" for a, b in RANDOM.normal(3, 2, (40, 2)))
CLASSES = "a,b,y\n" + "".join(
    f"{a},{b},{'yes' if a > 3 else 'no'}\n" for a, b in RANDOM.normal(3, 2, (40, 2))
)


def test_scales_are_those_of_the_training_part_alone():
    job = prepare(data(NUMBERS), Recipe())
    assert job.X.shape == (30, 2)
    np.testing.assert_allclose(job.X.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(job.X.std(axis=0), 1, rtol=1e-5)
    assert job.y.mean() == pytest.approx(0, abs=1e-6)
    assert abs(job.X_held.mean()) > 1e-3
    # another value in a held-out sample changes nothing for the others
    table = data(NUMBERS).table
    numbers = table.numbers.copy()
    scaled = (numbers[:, :2] - job.model.scale.mean) / job.model.scale.deviation
    held = np.flatnonzero(np.isclose(scaled[:, 0], job.X_held[0, 0], atol=1e-5))
    numbers[held[0], 0] = 1e6
    other = replace(table, numbers=numbers)
    again = prepare(Data(other, other.column(2), 2), Recipe())
    np.testing.assert_array_equal(again.X, job.X)
    assert again.X_held.max() > 1e5


def test_the_seed_decides_everything():
    jobs = [prepare(data(CLASSES), Recipe(seed=seed)) for seed in (3, 3, 4)]
    losses = [job.train(progress=False).loss for job in jobs]
    assert losses[0] == losses[1] != losses[2]
    assert not np.array_equal(jobs[0].X_held, jobs[2].X_held)


@pytest.mark.parametrize("convention", ["rows", "columns"])
@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [(None, 2, 1), ("mse", 2, 2), ("binary_cross_entropy", 1, 1)],
)
def test_samples_stand_as_the_network_takes_them(convention, loss, outputs, targets):
    job = prepare(data(CLASSES), Recipe(convention=convention, loss=loss, bias="augmented"))
    rows = convention == "rows"
    assert job.X.shape == ((30, 2) if rows else (2, 30))
    if loss is not None:
        assert job.y.shape == ((30, targets) if rows else (targets, 30))
    assert job.model.network.architecture.outputs == outputs
    job.train(progress=False)
    assert examine(job.model.network, job.X_held, job.y_held).score > 0.8


def numbers_of(job: Job) -> tuple[int, int, float]:
    return job.epochs, job.batch_size, job.model.network.optimizer.numbers["lr"]


def test_epochs_and_rates_follow_the_data():
    assert numbers_of(prepare(data(CLASSES), Recipe())) == (300, 16, 0.1)
    assert numbers_of(prepare(data(CLASSES), Recipe(batch_size=1))) == (20, 1, 0.1)
    many = Data(
        from_array("x", np.zeros((60_000, 1))), from_array("y", np.arange(60_000) % 2).column(0)
    )
    assert numbers_of(prepare(many, Recipe())) == (7, 16, 0.1)
    assert numbers_of(prepare(many, Recipe(batch_size=1))) == (1, 1, 0.1)
    assert numbers_of(prepare(data(CLASSES), Recipe(epochs=7, lr=0.3))) == (7, 16, 0.3)
    assert numbers_of(prepare(data(NUMBERS), Recipe())) == (300, 16, 0.05)
    sums = Recipe(loss="half_sum_of_squares", batch_size=10)
    assert numbers_of(prepare(data(NUMBERS), sums)) == (200, 10, 0.005)
    job = prepare(data(CLASSES), Recipe(batch_size=100))
    assert job.batch_size == 30
    assert "a batch of 100 is more than there are, so each takes all 30" in job.decided


def test_nothing_may_be_held_out():
    job = prepare(data(CLASSES), Recipe(held_out=0))
    assert job.held_out == 0
    assert len(job.X) == len(job.X_held) == 40
    assert "nothing is held out: the score is that of the samples that train it" in job.decided


def test_pictures_are_scaled_alike_and_kept_for_the_report():
    images = RANDOM.integers(0, 255, (40, 3, 4)).astype(np.uint8)
    labels = from_array("labels", np.arange(40) % 2).column(0)
    job = prepare(Data(from_array("images", images), labels), Recipe())
    assert job.pictures is not None
    assert job.pictures.shape == (10, 3, 4)
    assert (job.pictures.min(), job.pictures.max()) == (0, 1)
    assert len(set(job.model.scale.deviation)) == 1
    assert "40 samples, each 3×4 numbers" in job.decided


def test_what_was_decided_is_said():
    text = "a,still,city,y\n" + "".join(
        f"{n},1,{'Rome' if n % 3 else 'Oslo'},{n % 2}\n" for n in range(9)
    )
    assert prepare(data(text), Recipe(one_hot=["city"])).decided == (
        "9 samples, 3 features: a, still, city",
        "column 'city' has an input for each of 2 values: Oslo, Rome",
        "column 'y' has 2 classes, as it holds 2 different whole numbers: 0, 1",
        "each column of numbers is scaled to mean 0 and deviation 1",
        "1 input does not vary and tells nothing",
        "3 samples are held out to judge it, 6 train it",
        "a batch of 16 is more than there are, so each takes all 6",
    )
    assert few("abcdefgh") == "a, b, c, d, e, f and 2 more"


WRONG = {
    "no target": (data(CLASSES, None), {}, "say which column of data.csv is the target, --target"),
    "one sample": (
        data("a,y\n1,2\n"),
        {},
        "has one sample, and there is nothing to learn from one",
    ),
    "one class": (data("a,y\n1,b\n2,b\n"), {}, "all 2 targets are 'b'"),
    "share": (data(CLASSES), {"held_out": 1}, "held_out=1 is no share"),
    "no share": (data(CLASSES), {"held_out": float("nan")}, "held_out=nan is no share"),
    "epochs": (data(CLASSES), {"epochs": 0}, "epochs=0 is not valid"),
    "batch": (data(CLASSES), {"batch_size": 0}, "batch_size=0 is not valid"),
    "units": (data(CLASSES), {"layers": (0,)}, r"Dense\(0\) has no units"),
    "activation": (data(CLASSES), {"activation": "than"}, "did you mean tanh"),
    "loss": (data(CLASSES), {"loss": "cross"}, "there is no loss 'cross'"),
    "ignored": (data(CLASSES), {"ignore": ["c"]}, "data.csv has no column 'c'"),
    "scaling": (data(CLASSES), {"scaling": "al"}, "did you mean all"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_learnt(case: str):
    found, options, said = WRONG[case]
    with pytest.raises((BackpassError, UnknownName), match=said) as caught:
        prepare(found, Recipe(**options))
    assert "\n" not in str(caught.value)
