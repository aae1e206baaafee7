"""Who looks on may end a training in time, and the best weights come back."""

import json

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.callbacks import better
from backpass.nn.run import Patience


def data(count=80, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 4)), random.integers(0, 3, count)  # nothing to be learnt


def small(**options):
    return bp.Network([bp.Dense(32, "tanh"), bp.Dense(3)], 4, optimizer=bp.Adam(0.02), **options)


def test_the_best_weights_come_back():
    X, y = data()
    net, kept = small(), []

    def keep(history, net):
        kept.append({name: values.copy() for name, values in net.weights.items()})

    history = net.fit(
        X, y, epochs=200, validation=0.25, callbacks=[keep], progress=False,
        early_stopping=bp.EarlyStopping(patience=5),
    )  # fmt: skip
    best = int(np.argmin(history.val_loss))
    assert len(history) == best + 6 == len(kept)
    assert history.restored == best + 1
    assert history.ended.startswith(f"val_loss was best in epoch {best + 1}, ")
    assert "and 5 epochs since were no better" in history.ended
    for name, values in net.weights.items():
        assert (values == kept[best][name]).all()
    assert f"the weights are those of epoch {best + 1}" in str(history)


def test_without_restore_the_last_weights_stay():
    X, y = data()
    net, kept = small(), []
    history = net.fit(
        X, y, epochs=200, validation=0.25, progress=False,
        early_stopping=bp.EarlyStopping(patience=3, monitor="val_accuracy", restore=False),
        callbacks=[lambda history, net: kept.append(net.weights["W1"].copy())],
    )  # fmt: skip
    assert history.restored is None
    assert len(history) == int(np.argmax(history.val_accuracy)) + 4
    assert (net.weights["W1"] == kept[-1]).all()


def test_the_training_loss_is_watched_without_validation():
    X, y = data()
    history = small().fit(
        X, y, epochs=400, progress=False, early_stopping=bp.EarlyStopping(2, tol=0.05)
    )
    assert history.ended.startswith("loss was best")
    assert small().fit(X, y, epochs=2, early_stopping=5, progress=False).ended is None


def test_better_is_better_than_ever_by_enough():
    patience = Patience()
    seen = [better(patience, v, e, 0.1, False) for e, v in enumerate([3, 2, 1.95, 1.95, 1.5], 1)]
    assert seen == [True, True, True, False, True]
    assert (patience.best, patience.epoch, patience.waited) == (1.5, 5, 0)
    assert not better(patience, float("nan"), 6, 0, False)
    assert patience.waited == 1
    rising = Patience()
    assert better(rising, 0.5, 1, 0, True)
    assert not better(rising, 0.4, 2, 0, True)


def test_callbacks_are_asked_in_their_turn():
    X, y = data()
    said = []

    class Observer:
        def begin(self, net):
            said.append(("begin", net.epochs))

        def epoch(self, history, net):
            said.append(("epoch", len(history), net.epochs))
            return "two are enough" if len(history) == 2 else None

        def end(self, history, net):
            said.append(("end", len(history)))

    history = small().fit(X, y, epochs=9, callbacks=[Observer()], progress=False)
    assert history.ended == "two are enough"
    assert said == [("begin", 0), ("epoch", 1, 1), ("epoch", 2, 2), ("end", 2)]
    assert str(history).endswith("two are enough")


def test_an_interrupted_training_keeps_what_it_has_learnt():
    X, y = data()
    net, whole = small(), small()

    def interrupt(history, net):
        if len(history) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, epochs=9, callbacks=[interrupt], progress=False)
    whole.fit(X, y, epochs=3, progress=False)
    assert net.epochs == 3
    for one in (net, whole):
        one.fit(X, y, epochs=2, progress=False)
    for name, values in whole.weights.items():
        assert (values == net.weights[name]).all()


def test_every_epoch_is_a_line_of_the_log(tmp_path):
    X, y = data()
    log = tmp_path / "log.jsonl"
    for _ in range(2):
        history = small().fit(X, y, epochs=3, validation=0.2, log=log, progress=False)
    lines = log.read_text("utf-8").splitlines()
    assert lines == list(history.lines())
    assert set(json.loads(lines[0])) == {
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "rate",
    }  # fmt: skip


class Begins:
    """Takes one argument too many."""

    def begin(self, history, net): ...


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"callbacks": ["stop"]}, "'stop' is no callback"),
        ({"callbacks": [lambda h: None]}, r"<lambda>\(h\) is called as <lambda>\(history, net\)"),
        ({"callbacks": [Begins]}, r"Begins is a class; give one of it, Begins\(\)"),
        ({"callbacks": [Begins()]}, r"begin\(history, net\) is called as begin\(net\)"),
        ({"early_stopping": 0}, "early_stopping=0 is not valid"),
        ({"early_stopping": "soon"}, "early_stopping='soon' is not valid"),
        ({"early_stopping": bp.EarlyStopping(monitor="val_r2")}, "there are loss, accuracy"),
        ({"log": "no/such/folder/log"}, "cannot be written"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, says):
    net = small()
    before = net.weights["W1"].copy()
    with pytest.raises(BackpassError, match=says):
        net.fit(*data(), epochs=1, progress=False, **options)
    assert (net.weights["W1"] == before).all()
    with pytest.raises(BackpassError, match="tol='0' is not valid"):
        bp.EarlyStopping(tol="0")
    with pytest.raises(BackpassError, match="there is no curve 'val_los'; did you mean val_loss"):
        bp.EarlyStopping(monitor="val_los")
    with pytest.raises(BackpassError, match="patience='3' is not valid"):
        bp.EarlyStopping("3")
    with pytest.raises(BackpassError, match="patience=0 is not valid"):
        bp.EarlyStopping(0)
