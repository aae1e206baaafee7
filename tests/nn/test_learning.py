"""How to learn, said in words, comes to an optimiser and to layers."""

import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.learning import BY_NAME, SCHEDULES, Learning


def test_names_come_to_optimizers():
    assert Learning().made(None, 0.1) == bp.SGD(0.1)
    assert Learning(momentum=0.9).made(0.2, 0.1) == bp.SGD(0.2, momentum=0.9)
    ahead = Learning(momentum=0.9, nesterov=True)
    assert ahead.made(0.2, 0.1) == bp.SGD(0.2, momentum=0.9, nesterov=True)
    assert Learning("adam").made(None, 0.1) == bp.Adam()
    assert Learning("adamw", weight_decay=0.1).made(0.01, 0.1) == bp.AdamW(0.01, weight_decay=0.1)
    assert Learning("lbfgs").made(None, 0.1) == bp.LBFGS()
    assert Learning(clip_norm=1.0).made(None, 0.1) == bp.SGD(0.1, clip_norm=1.0)
    warm = Learning("adam", schedule="cosine", warm_up=2.0).made(0.01, 0.1)
    assert warm == bp.Adam(bp.WarmUp(bp.Cosine(0.01), epochs=2.0))
    for optimizer in BY_NAME:
        assert Learning(optimizer).made(None, 0.1)
    for schedule in SCHEDULES:
        assert Learning(schedule=schedule).made(None, 0.1)


def test_what_stands_behind_a_hidden_layer():
    assert Learning().hidden(3, "tanh") == [bp.Dense(3, "tanh")]
    assert Learning(dropout=0.2, batch_norm=True).hidden(3, "tanh") == [
        bp.Dense(3), bp.BatchNorm("tanh"), bp.Dropout(0.2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Learning("adm"), "did you mean adam"),
        (lambda: Learning(schedule="cosin"), "did you mean cosine"),
        (lambda: Learning("adam", momentum=0.9), "no momentum of its own"),
        (lambda: Learning("sgd", weight_decay=0.1), "take adamw"),
        (lambda: Learning(early_stopping=0), "give epochs, from 1 on"),
        (lambda: Learning(nesterov=True), "looks ahead along a momentum; give that, too"),
        (lambda: Learning(warm_up=-1), "warm_up=-1 is not valid; give epochs, from 0 on"),
        (lambda: Learning("lbfgs", dropout=0.1), "takes all samples at once; leave out dropout"),
        (lambda: Learning("newtoncg", batch_norm=True), "leave out batch_norm"),
        (lambda: Learning("lbfgs").made(0.1, 0.1), "has no rate"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, says):
    with pytest.raises(BackpassError, match=says):
        make()
