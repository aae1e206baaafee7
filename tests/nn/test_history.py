"""What a training run says of itself."""

import json

from backpass.nn.history import History, curve, shown

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


def test_it_is_numbers_by_name():
    history = History([1.0], [0.5], 0.1, backend="numpy")
    assert json.loads(json.dumps(history.to_json())) == {
        "loss": [1.0], "accuracy": [0.5], "seconds": 0.1, "stopped": None,
        "backend": "numpy",
    }  # fmt: skip
    assert len(history) == 1
