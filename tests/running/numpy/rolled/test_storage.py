"""What a loop must keep: found by playing it through."""

import numpy as np
import pytest

import backpass as bp
from backpass.running.numpy.rolled.storage import storage
from tests.running.numpy.rolled.networks import batch, classifier, columns, recurrent
from tests.running.numpy.rolled.test_rolling import best


def kept(d):
    """The first layer's words of what is kept in lists, and what is merged."""
    rolled, _ = best(d)
    gradients = {*d.gradients.values()}
    shelved = [n for n, words in enumerate(rolled.series) if gradients & {*words.values()}]
    found = storage(rolled, shelved, [d.loss, *gradients])
    lists = {max(rolled.series[number].items())[1] for number in found.lists}
    return lists - gradients, set(found.merged)


@pytest.mark.parametrize(
    ("d", "lists", "merged"),
    [
        (batch(), {"A5"}, {"dA5"}),  # the output of a sigmoid tells its slope
        (columns(3), {"z3", "h3"}, {"dh3"}),  # any other slope needs what went in
        (classifier(3), {"Z2", "A2"}, {"dA2"}),
        (recurrent(), {"h3", "dZ3"}, {"dh3"}),  # every dZ is read behind the loop
    ],
)
def test_only_what_is_read_later_is_kept(d, lists, merged):
    assert kept(d) == (lists, merged)


def test_what_the_way_back_does_not_read_is_a_variable():
    d = bp.derive(
        "a1 = W1 + a0; a2 = W2 + a1; a3 = W3 + a2; L = sum((a3 - y)²)",
        "a0: k, y: k, W1: k, W2: k, W3: k",
        wrt="W1 W2 W3",
    )
    assert kept(d)[0] == set()
    text = d.code("numpy", "loop")
    assert "a = a0\n" in text
    assert "a = W[l] + a" in text


def test_a_gradient_that_is_read_again_behind_the_loop_is_not_overwritten():
    def loss(A, W):
        for weights in W:
            A = np.tanh(A @ weights)
        return np.sum(A**2)

    d = bp.derive(loss, {"A": "n k", "W": ["k k"] * 3}, wrt="A W")
    rolled, _ = best(d)
    last = rolled.series[-1][2]  # what layer 3 hands down is asked for, say
    assert len(rolled.series) - 1 in storage(rolled, [], [d.loss, last]).lists
