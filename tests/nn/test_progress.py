"""The bar beside a training."""

from backpass.nn.history import History
from backpass.nn.progress import said, short


def test_what_does_not_fit_into_a_line_is_left_out():
    history = History(loss=[0.1219], accuracy=[0.97], val_loss=[0.1147], val_accuracy=[0.963])
    whole = "loss 0.1219  val_loss 0.1147  val_accuracy 96.3%  18.4k/s"
    assert said(history, 18_400, len(whole)) == whole
    assert said(history, 18_400, len(whole) - 1) == whole.removesuffix("  18.4k/s")
    assert said(history, 18_400, 3) == "loss 0.1219"


def test_speeds_are_short():
    assert [short(one) for one in (940, 12_345, 4.56e6)] == ["940", "12.3k", "4.56M"]
