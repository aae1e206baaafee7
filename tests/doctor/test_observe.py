"""A run is watched, and nothing that can be reached is different afterwards."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.observe import observe
from backpass.doctor.probe import probe
from backpass.doctor.reach import is_users
from backpass.doctor.state import as_numbers
from backpass.language.errors import BackpassError
from tests.doctor.programs import blocks, loops, script


class Owner:
    def __init__(self):
        self.W = np.ones((2, 3))
        self.history = []
        self.table = {"b": np.zeros(3), "rows": [[1.0, 2.0], [3.0, 4.0]]}
        self.count = 0

    def update(self, X, Y):
        print("working")
        noise = np.random.random(3) + random.random()
        self.W -= 0.1 * X.T @ (X @ self.W - Y)
        self.table["b"] = self.table["b"] - noise
        self.table["rows"][1][0] = 7.0
        self.history.append(self.W.copy())
        self.extra = 1
        self.count += 1
        return noise


def test_packages_are_nobodys_code_wherever_they_lie():
    assert not is_users("/usr/lib/python3/dist-packages/numpy/core/_methods.py")
    assert not is_users("/srv/ada/.local/lib/python3.11/site-packages/numpy/core/_methods.py")
    assert is_users("/srv/ada/network/model.py")


X, Y = np.arange(8.0).reshape(4, 2), np.ones((4, 3))


def test_everything_is_put_back():
    owner = Owner()
    W, code = owner.W, Owner.update.__code__
    before = str(np.random.get_state()), random.getstate()
    run = observe(owner.update, [X, Y])
    assert owner.W is W
    assert (W == 1).all()
    assert owner.history == []
    assert (owner.table["b"] == 0).all()
    assert owner.table["rows"] == [[1.0, 2.0], [3.0, 4.0]]
    assert (owner.count, hasattr(owner, "extra")) == (0, False)
    assert Owner.update.__code__ is code
    assert "__backpass_see__" not in globals()
    assert (str(np.random.get_state()), random.getstate()) == before
    assert run.printed == "working\n"
    assert not np.array_equal(run.before["self.W"], run.after["self.W"])
    assert run.after["self.table['rows']"][1, 0] == 7


def test_a_run_is_seeded():
    owner = Owner()
    first, second = (observe(owner.update, [X, Y]).result for _ in range(2))
    assert np.array_equal(first, second)


def test_events_are_in_the_order_of_the_run():
    run = observe(Owner().update, [X, Y])
    texts = [run.places[event.place].text for event in run.events]
    assert texts.index("X @ self.W") < texts.index("X @ self.W - Y")
    assert texts.index("X @ self.W - Y") < texts.index("0.1 * X.T @ (X @ self.W - Y)")
    moments = [(one.text, one.moment) for one in (run.places[e.place] for e in run.events)]
    assert moments.index(("self.W", "before")) < moments.index(("self.W", "after"))


def failing(weights, X, Y):
    weights += 1
    inner = X @ weights
    return inner + Y[:1, :1] @ np.ones((9, 9))


def test_what_the_code_raises_is_kept_with_its_line_and_undone():
    weights = np.zeros((2, 3))
    run = observe(failing, [weights, X, Y])
    assert run.failure is not None
    assert isinstance(run.failure.error, ValueError)
    assert run.failure.line == failing.__code__.co_firstlineno + 3
    assert (weights == 0).all()


def endless(weights, X, Y):
    while True:
        try:
            weights[0, 0] += 1
        except Exception:
            continue


def test_a_run_that_goes_on_and_on_is_cut_off():
    weights = np.zeros((2, 3))
    run = observe(endless, [weights, X, Y], seconds=0.1)
    assert run.stopped
    assert (weights == 0).all()


def test_functions_of_installed_packages_are_left_alone():
    run = observe(blocks.Stack([2, 3]).learn, [X, np.zeros(4, int)])
    files = {*run.files.values()}
    assert {file.rpartition("/")[2] for file in files} == {"blocks.py"}


def test_functions_of_backpass_are_left_alone_wherever_it_lies():
    def outputs(X, W):
        return bp.sigmoid(X @ W)

    run = observe(outputs, [X, np.ones((4, 2))])
    assert {*run.files.values()} == {__file__}


def test_a_probe_makes_numbers_of_the_same_kind_and_shape():
    call = loops.Loops(3, 4, 2).learn
    found = probe(call, [[1.0, 0.0, 1.0], [0.0, 1.0]])
    assert {path: value.shape for path, value in found.parameters.items()} == {
        "self.first": (4, 3), "self.first_bias": (4,),
        "self.second": (2, 4), "self.second_bias": (2,),
    }  # fmt: skip
    assert all(np.abs(value).min() > 0 for value in found.parameters.values())
    assert found.X.shape == (3,)
    assert call.__self__.first_bias == [0.0] * 4


def test_a_column_of_ones_stays_one_and_labels_stay_labels():
    ones = np.column_stack([X, np.ones(4)])
    weights = np.zeros((3, 3))

    def step(X, Y):
        weights[...] -= X.T @ (X @ weights - np.eye(3)[Y])

    found = probe(step, [ones, np.array([2, 0, 1, 2])])
    assert (found.X[:, 2] == 1).all()
    assert np.ptp(found.X[:, 0]) > 0
    assert set(found.Y) <= {0, 1, 2}
    assert (weights == 0).all()


def test_weights_of_a_module_are_found_and_put_back():
    before = script.first.copy()
    found = probe(script.learn, [np.ones((4, 3)), np.zeros((4, 1))])
    assert set(found.parameters) == {"first", "second"}
    assert np.array_equal(script.first, before)


def test_code_that_changes_nothing_is_told_so():
    with pytest.raises(BackpassError, match="changed no array"):
        probe(lambda X, Y: X.T @ Y, [X, Y])


@pytest.mark.parametrize(
    ("given", "shape"),
    [([[1, 2.0], [3, 4]], (2, 2)), (3, ()), (np.float32(1), ()), ([], None), ([[1], [2, 3]], None),
     (True, None), ("12", None), ([[], []], None), ([np.ones(2)], None), (None, None)],
)  # fmt: skip
def test_numbers_are_arrays_scalars_and_rows_of_one_length(given, shape):
    found = as_numbers(given)
    assert (None if found is None else found.shape) == shape


def test_a_large_array_is_copied_again_only_where_it_changed():
    W = np.ones((80, 80))

    def update(X, Y):
        A = X @ W.T + W[0] + W.sum()
        W[:] = W - A.sum()
        return W + Y

    run = observe(update, [np.ones(80), np.ones(80)])
    whole = [event.value for event in run.events if event.value.shape == W.shape]
    old = [value for value in whole if (value == 1).all()]
    new = [value for value in whole if np.array_equal(value, run.after["W"])]
    assert len(old) > 3
    assert len(new) > 1
    assert all(np.shares_memory(value, run.before["W"]) for value in old)
    assert all((value == 1).all() for value in old)
    assert not any(np.shares_memory(value, run.before["W"]) for value in new)


def test_names_that_are_held_in_a_namespace_are_reached_and_put_back():
    net = SimpleNamespace(W=np.ones((2, 3)), step=0)

    def update(X, Y):
        net.W = net.W - 0.1 * X.T @ (X @ net.W - Y)
        net.step += 1

    run = observe(update, [X, Y])
    assert not np.array_equal(run.before["net.W"], run.after["net.W"])
    assert (net.W == 1).all()
    assert net.step == 0
