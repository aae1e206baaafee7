"""A run is all that a training has come to: kept and taken up again it is the same."""

import json

import numpy as np

from backpass.nn.history import History
from backpass.nn.run import Patience, Run, restored_run


def test_a_run_is_arrays_and_what_json_holds():
    random = np.random.default_rng(3)
    run = Run(
        {"W1": np.ones((2, 3), "float32")}, random.bit_generator.state, epoch=4, epochs=9,
        steps=123, stopping=Patience(0.5, 3, 1), easing=Patience(0.25, 2, 2), slowed=5.0,
        history=History([1.0, 0.5], [0.1, 0.2], 0.3, backend="numpy"),
    )  # fmt: skip
    run.keep_best()
    run.arrays["W1"] += 1
    arrays, about = run.stored()
    found = restored_run(arrays, json.loads(json.dumps(about)))
    assert (found.arrays["W1"] == 2).all()
    assert (found.best["W1"] == 1).all()
    for name in ("random", "epoch", "epochs", "steps", "stopping", "easing", "slowed", "history"):
        assert getattr(found, name) == getattr(run, name), name
