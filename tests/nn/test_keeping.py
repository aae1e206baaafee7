"""A training that was broken off at any moment ends as if it had never been."""

import json
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn import checkpoint, files

ROOT = Path(__file__).parents[2]
X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


class Interrupt:
    """Presses Ctrl-C at the end of an epoch, before it is written down."""

    def __init__(self, epoch):
        self.last = epoch

    def epoch(self, history, net):
        if len(history) == self.last:
            raise KeyboardInterrupt


def network(**options):
    given = {"optimizer": bp.SGD(0.1, momentum=0.9), "seed": 3, **options}
    return bp.Network([bp.Dense(4, "tanh"), bp.Dense(2)], inputs=3, **given)


def fit(net, X=X, y=Y, epochs=12, **options):
    return net.fit(X, y, epochs=epochs, batch_size=8, progress=False, **options)


def same(one, other):
    """Whether two networks are equal in every bit, and would go on alike."""
    (arrays, about), (others, said) = one.stored(), other.stored()
    return about == said and all((arrays[name] == others[name]).all() for name in arrays)


@pytest.mark.parametrize(("backend", "kills"), [("numpy", 50), ("compiled", 15)])
def test_killed_at_random_moments_it_ends_with_the_same_bits(tmp_path, backend, kills):
    folder = tmp_path / "kept"
    folder.mkdir()
    run = subprocess.run(
        [sys.executable, "tests/nn/killed.py", str(folder), backend, str(kills)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{kills} kills")


SLOW = """
import sys, time, numpy as np, backpass as bp

def told(history, net):
    print(len(history), flush=True)
    time.sleep(0.02)

X = np.random.default_rng(0).normal(size=(40, 3))
net = bp.Network([bp.Dense(4, "tanh"), bp.Dense(2)], 3, optimizer=bp.Adam(), dtype="float64")
pace = [told] if "slowly" in sys.argv else []
net.fit(X, (X[:, 0] > 0).astype(int), 50, callbacks=pace, progress=False, checkpoint=sys.argv[1],
        resume=True)
net.save(sys.argv[2])
"""


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-c", SLOW, *arguments],
            cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    broken, whole = start("run", "net", "slowly"), start("other", "whole")
    while broken.stdout.readline() != "5\n":
        assert broken.poll() is None, broken.stderr.read()
    broken.send_signal(signal.SIGINT)
    said = broken.communicate()[1]
    assert broken.returncode != 0
    assert said.splitlines()[-2] == "KeyboardInterrupt"
    assert re.fullmatch(
        r"run holds the training up to epoch \d+ of 50; the same again with resume=True "
        r"goes on from there", said.splitlines()[-1],
    )  # fmt: skip
    again = start("run", "net")
    assert [again.communicate()[1], whole.communicate()[1]] == ["", ""]
    assert (tmp_path / "net").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize(
    "optimizer",
    [bp.SGD(0.1), bp.Adam(bp.WarmUp(bp.Cosine(0.05), 3)), bp.SGD(bp.Adaptive(0.1, patience=1))],
    ids=["sgd", "adam", "adaptive"],
)
def test_interrupted_it_goes_on_from_the_last_epoch(tmp_path, backend, every, optimizer):
    path = tmp_path / "run"
    options = {"backend": backend, "validation": 0.25, "early_stopping": 4}
    whole, broken, again = (network(optimizer=optimizer, dtype="float64") for _ in range(3))
    wanted = fit(whole, **options)
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(broken, checkpoint=path, every=every, callbacks=[Interrupt(4)], **options)
    assert caught.value.__notes__ == [
        f"{path} holds the training up to epoch 3 of 12; the same again with resume=True goes on "
        "from there"
    ]
    history = fit(again, checkpoint=path, every=every, resume=True, **options)
    assert history.loss == wanted.loss
    assert history.val_loss == wanted.val_loss
    assert history.rate == wanted.rate
    assert (history.ended, history.restored) == (wanted.ended, wanted.restored)
    assert same(again, whole)
    assert same(bp.load(path), whole)


def begun(path, **options):
    """A file that holds three epochs of twelve."""
    with pytest.raises(KeyboardInterrupt):
        fit(network(), checkpoint=path, callbacks=[Interrupt(4)], **options)
    return path


def test_nothing_to_go_on_from_is_a_beginning_and_an_end_is_the_end(tmp_path):
    one, other = network(), network()
    first = fit(one, checkpoint=tmp_path / "run", resume=True)
    with pytest.warns(RuntimeWarning, match="holds all 12 epochs, so nothing is left") as told:
        second = fit(other, checkpoint=tmp_path / "run", resume=True)
    assert told[0].filename == __file__
    assert first.loss == second.loss
    assert same(one, other)
    assert len(fit(other, epochs=15, checkpoint=tmp_path / "run", resume=True)) == 15


def test_an_end_that_is_passed_already_is_refused(tmp_path):
    path = begun(tmp_path / "run")
    before = path.read_bytes()
    said = "holds 3 epochs, more than the 2 that are asked for, which count from the first"
    with pytest.raises(BackpassError, match=said):
        fit(network(), epochs=2, checkpoint=path, resume=True)
    assert path.read_bytes() == before


def test_a_training_that_ended_early_is_not_gone_on_with(tmp_path):
    path = tmp_path / "run"
    fit(network(), checkpoint=path, callbacks=[lambda history, net: len(history) == 3 and "enough"])
    with pytest.warns(RuntimeWarning, match=r"ended in epoch 3 \(enough\), so nothing is left"):
        assert len(fit(network(), checkpoint=path, resume=True)) == 3


def test_an_unfinished_training_is_not_overwritten(tmp_path):
    path = begun(tmp_path / "run")
    before = path.read_bytes()
    with pytest.raises(BackpassError, match=r"holds a training up to epoch 3 of 12; go on with"):
        fit(network(), checkpoint=path)
    assert path.read_bytes() == before
    fit(network(), checkpoint=path, resume=True)
    fit(network(seed=9), checkpoint=path)  # of a finished one nothing is lost
    assert bp.load(path).seed == 9


@pytest.mark.parametrize(
    ("other", "options", "said"),
    [
        ({"seed": 4}, {}, "was begun with seed=3, and this network has 4"),
        (
            {"optimizer": bp.SGD(bp.Cosine(0.2), momentum=0.9)},
            {},
            "with optimizer=SGD(lr=0.1), and this network has SGD(lr=Cosine(lr=0.2",
        ),
        ({"optimizer": bp.Adam(0.2)}, {}, "and this network has Adam(lr=0.2, beta1=0.9"),
        ({"dtype": "float64"}, {}, "was begun with dtype='float32', and this network has"),
        ({}, {"backend": "compiled"}, "was begun with backend='numpy', and this fit has"),
        ({}, {"shuffle": False}, "was begun with shuffle=True, and this fit has False"),
        ({}, {"early_stopping": 3}, "was begun with early_stopping=None, and this fit has Early"),
        ({}, {"X": X + 1}, "was begun with other samples, weights of them or validation"),
        ({}, {"y": 1 - Y}, "was begun with other samples"),
        ({}, {"validation": 0.5}, "was begun with other samples"),
        ({}, {"sample_weight": np.arange(1, 41)}, "was begun with other samples"),
    ],
    ids=range(11),
)
def test_another_training_does_not_go_on_from_it(tmp_path, other, options, said):
    path = begun(tmp_path / "run")
    net = network(**other)
    before = {name: one.copy() for name, one in net.weights.items()}
    with pytest.raises(BackpassError) as caught:
        fit(net, checkpoint=path, resume=True, **options)
    assert said in str(caught.value)
    assert all((net.weights[name] == one).all() for name, one in before.items())


def test_auto_stays_with_the_back_end_that_it_began_with(tmp_path):
    path = begun(tmp_path / "run")
    arrays, about = checkpoint.read(path)
    about["run"]["history"]["backend"] = "compiled"  # as more epochs would have chosen
    checkpoint.write(path, arrays, about)
    assert fit(network(), checkpoint=path, resume=True).backend == "compiled"


def test_what_holds_no_training_is_neither_taken_up_nor_lost(tmp_path):
    network().save(tmp_path / "net")
    (tmp_path / "text").write_text("a diary")
    for name, said in (("net", "holds a network without a training"), ("text", "no safetensors")):
        for resume in (False, True):
            with pytest.raises(BackpassError, match=said):
                fit(network(), checkpoint=tmp_path / name, resume=resume)
    assert (tmp_path / "text").read_text() == "a diary"


@pytest.mark.parametrize(
    "change", [{"epoch": None}, {"stopping": 3}, {"history": {}}, {"random": None}], ids=str
)
def test_a_description_that_is_none_is_refused(tmp_path, change):
    path = begun(tmp_path / "run")
    arrays, about = checkpoint.read(path)
    checkpoint.write(path, arrays, {**about, "run": {**about["run"], **change}})
    with pytest.raises(BackpassError, match=r"does not describe a training as fit does"):
        fit(network(), checkpoint=path, resume=True)


def test_a_full_disk_keeps_the_last_checkpoint_and_training_goes_on(tmp_path, monkeypatch):
    path, sync = tmp_path / "run", files.os.fsync

    class Fill:
        def epoch(self, history, net):
            if len(history) == 4:
                monkeypatch.setattr(files.os, "fsync", full)

    def full(_):
        raise OSError(28, "No space left on device")

    net, whole = network(), network()
    with pytest.warns(RuntimeWarning, match="no space left on device, and still holds epoch 3"):
        fit(net, checkpoint=path, callbacks=[Fill()])
    fit(whole)
    assert same(net, whole)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]
    monkeypatch.setattr(files.os, "fsync", sync)
    again = network()
    fit(again, checkpoint=path, resume=True)
    assert same(again, whole)


def test_a_file_that_the_system_cuts_off_keeps_the_last_checkpoint(tmp_path):
    path, (soft, hard) = tmp_path / "run", resource.getrlimit(resource.RLIMIT_FSIZE)

    class Limit:
        """As on a full disk, the first bytes can be written and no more."""

        def epoch(self, history, net):
            limit = 1000 if 4 <= len(history) < 12 else soft
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            if len(history) == 12:
                held.append(bp.load(path).epochs)

    held, net, whole = [], network(), network()
    try:
        with pytest.warns(RuntimeWarning, match=r"cannot be written: file too large, and still"):
            fit(net, checkpoint=path, callbacks=[Limit()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fit(whole)
    assert held == [3]
    assert same(bp.load(path), whole)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = begun(tmp_path / "run")
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(BackpassError):
            fit(network(), checkpoint=path, resume=True)


def test_a_log_has_each_epoch_once(tmp_path):
    path, log = tmp_path / "run", tmp_path / "log"
    begun(path, log=log)
    fit(network(), checkpoint=path, resume=True, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 13))


def test_a_training_that_broke_is_over(tmp_path):
    nets = network(optimizer=bp.SGD(1e30)), network(optimizer=bp.SGD(1e30))
    for net in nets:
        with pytest.warns(RuntimeWarning, match="the loss is"):
            history = fit(net, X * 1e3, checkpoint=tmp_path / "run", resume=True)
    assert history.stopped


def test_what_cannot_be_is_said_before_the_first_step(tmp_path):
    for options, said in (
        ({"resume": True}, "resume=True needs the file to go on from"),
        ({"checkpoint": tmp_path / "run", "every": 0}, "every=0 is not valid"),
        ({"checkpoint": tmp_path / "missing" / "run"}, "cannot be written: no such file"),
        ({"checkpoint": tmp_path}, "it is a folder"),
    ):
        with pytest.raises(BackpassError, match=said):
            fit(network(), **options)

    class Mine(bp.SGD):
        pass

    with pytest.raises(BackpassError, match="Mine is an optimizer of your own, and a file cannot"):
        fit(network(optimizer=Mine(0.1)), checkpoint=tmp_path / "run")


def test_what_no_file_can_hold_is_not_kept(tmp_path):
    with pytest.raises(BackpassError, match="LBFGS remembers its steps where no file reaches"):
        fit(network(optimizer=bp.LBFGS()), checkpoint=tmp_path / "run.st")
