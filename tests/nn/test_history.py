"""What a training run says of itself."""

import json
import math

from backpass.nn.history import History, curve, restored_history, shown

PRINTED = """\
 epoch        loss  accuracy
     1           4     25.0%
     2           2     50.0%
     3         0.5     75.0%
  loss  █▄▁
3 epochs in 1.50 s"""


def test_it_prints_itself():
    assert str(History([4.0, 2.0, 0.5], [0.25, 0.5, 0.75], 1.5)) == PRINTED
    assert "accuracy" not in str(History([1.0]))
    assert repr(History([1.0], seconds=2)).endswith("1 epoch in 2.00 s")
    assert str(History([1.0], stopped="the loss is nan")).endswith("the loss is nan")


def test_a_long_one_shows_its_first_last_and_some_between():
    assert shown(3) == [0, 1, 2]
    assert shown(1000)[0] == 0
    assert shown(1000)[-1] == 999
    assert len(shown(1000)) == 10
    text = str(History([1 / (1 + epoch) for epoch in range(1000)]))
    assert max(map(len, text.splitlines())) <= 80


def test_the_curve_is_as_high_as_the_values():
    assert curve([0, 7, 3.4]) == "▁█▄"
    assert curve([1, 1]) == "▁▁"
    assert curve([0, float("nan"), 1, float("inf")]) == "▁×█×"
    assert len(curve(list(range(999)))) <= 40


def test_it_draws_itself():
    figure = History([3, 2, 1], [0.1, 0.2, 0.3]).plot()
    loss, accuracy = figure.axes
    assert loss.get_ylabel() == "loss"
    assert loss.lines[0].get_ydata().tolist() == [3, 2, 1]
    assert accuracy.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert len(History([3, 2]).plot().axes) == 1


def test_a_loss_that_falls_far_is_drawn_in_logarithms_and_epochs_are_whole():
    scales = {
        History(losses).plot().axes[0].get_yscale(): losses
        for losses in ([3.0, 0.04, math.inf], [3.0, 0.02, math.nan])
    }
    assert list(scales) == ["linear", "log"]
    assert History([3.0, 0.0]).plot().axes[0].get_yscale() == "linear"
    ticks = History([3.0, 2.0, 1.0]).plot().axes[0].get_xticks()
    assert all(tick == round(tick) for tick in ticks)


def test_it_is_numbers_by_name():
    history = History([1.0], [0.5], 0.1, backend="numpy", val_loss=[2.0], ended="enough")
    found = json.loads(json.dumps(history.to_json()))
    assert (found["loss"], found["accuracy"], found["seconds"]) == ([1.0], [0.5], 0.1)
    assert (found["val_loss"], found["backend"], found["ended"]) == ([2.0], "numpy", "enough")
    assert restored_history(found) == history
    assert len(history) == 1


VALIDATED = """\
 epoch        loss    val_loss  val_accuracy        rate
     1           4           5         25.0%         0.1
     2           2           3         50.0%        0.05
  loss  █▁
2 epochs in 1.50 s
val_loss is low enough; the weights are those of epoch 1"""


def test_held_out_samples_and_a_rate_that_changes_have_columns():
    history = History(
        [4.0, 2.0], seconds=1.5, val_loss=[5.0, 3.0], val_accuracy=[0.25, 0.5], rate=[0.1, 0.05],
        ended="val_loss is low enough", restored=1,
    )  # fmt: skip
    assert str(history) == VALIDATED
    assert "rate" not in str(History([4.0, 2.0], rate=[0.1, 0.1]))
    loss, accuracy = history.plot().axes
    assert [line.get_label() for line in loss.lines] == ["loss", "val_loss"]
    assert accuracy.get_ylabel() == "accuracy"


def test_it_is_written_line_by_line(tmp_path):
    history = History([4.0, 2.0], [0.5, 0.75], rate=[0.1, 0.1], val_loss=[float("inf"), 3.0])
    history.write(tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"epoch": 1, "loss": 4.0, "accuracy": 0.5, "val_loss": None, "rate": 0.1},
        {"epoch": 2, "loss": 2.0, "accuracy": 0.75, "val_loss": 3.0, "rate": 0.1},
    ]
