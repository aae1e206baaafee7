"""Which program printed the numbers?"""

import numpy as np
import pytest

import backpass as bp
from tests.doctor.printed.networks import NUMBERS, classifier, published, trained

ARGUMENTS = tuple(NUMBERS.values())


def test_the_published_numbers_are_those_of_updated_weights():
    printed = {1: {"loss": ".291027924"}, 10_000: {"out": [".015912196", ".984065734"]}}
    report = bp.doctor(published(), *ARGUMENTS, lr=0.5, printed=printed)
    assert report.verdict == "bug"
    assert not report
    (finding,) = report.findings
    assert (finding.bug, finding.tensors) == (31, ("W1",))
    assert [one.correct for one in report.numbers] == ["0.291027774", "0.015913620", "0.984064274"]
    assert [one.found for one in report.numbers] == ["0.291027924", "0.015912196", "0.984065734"]
    assert "It trains all the same" in report.notes[-1]


def test_the_loss_after_one_step_tells_it_alone():
    report = bp.doctor(published(), *ARGUMENTS, lr=0.5, printed={1: {"loss": ".291027924"}})
    assert [finding.bug for finding in report.findings] == [31]


def test_correct_numbers_are_correct():
    for steps in (1, 100):
        value, out = trained(steps)
        printed = {steps: {"loss": f"{value:.10f}", "out": [f"{one:.10f}" for one in out]}}
        report = bp.doctor(published(), *ARGUMENTS, lr=0.5, printed=printed)
        assert report.verdict == "correct"
        assert report.findings == ()
        assert all(one.agrees for one in report.numbers)


def test_few_digits_are_no_proof():
    report = bp.doctor(published(), *ARGUMENTS, lr=0.5, printed={1: {"loss": "0.294"}})
    assert report.verdict == "unknown"
    assert "Several programs print this number" in report.notes[0]


def test_a_late_number_alone_is_refused():
    with pytest.raises(bp.BackpassError, match="give one that was printed earlier"):
        bp.doctor(published(), *ARGUMENTS, lr=0.5, printed={10_000: {"out": [".0158", ".984"]}})


def test_a_factor_is_no_accusation():
    net, X, y = classifier()
    other = bp.Network(
        [bp.Dense(4, "tanh"), bp.Dense(4, "tanh"), bp.Dense(3)],
        inputs=3, optimizer=bp.SGD(3.0), dtype="float64",
    )  # fmt: skip
    other.fit(X, y, epochs=1, batch_size=6, progress=False)
    value, _ = other.gradients(X, y)
    report = bp.doctor(net, X, y, printed={1: {"loss": f"{value:.9f}"}})
    assert report.verdict == "correct up to a scale"
    assert report.findings[0].name == "a factor N = 6"
    assert not report.findings[0].accuses


@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_a_slope_that_is_wrong_in_one_layer_is_found_in_a_network(convention):
    net, X, y = classifier(convention)
    W = {name: value.copy() for name, value in net.weights.items()}
    if convention == "columns":
        X = X.T
        W = {name: value.T for name, value in W.items()}
    rows = np.arange(6)
    for _ in range(3):
        A1 = np.tanh(X @ W["W1"] + W["b1"].ravel())
        A2 = np.tanh(A1 @ W["W2"] + W["b2"].ravel())
        P = np.exp(A2 @ W["W3"] + W["b3"].ravel())
        P /= P.sum(axis=1, keepdims=True)
        value = -np.mean(np.log(P[rows, y]))
        d3 = (P - np.eye(3)[y]) / 6
        d2 = d3 @ W["W3"].T * (1 - A2**2)
        d1 = d2 @ W["W2"].T * (1 - A1)
        for layer, A, delta in ((1, X, d1), (2, A1, d2), (3, A2, d3)):
            W[f"W{layer}"] -= 0.5 * A.T @ delta
            W[f"b{layer}"] -= 0.5 * delta.sum(axis=0).reshape(W[f"b{layer}"].shape)
    given = X if convention == "rows" else X.T
    report = bp.doctor(net, given, y, printed={2: {"loss": f"{value:.8f}"}})
    assert [(finding.bug, finding.tensors) for finding in report.findings] == [(23, ("W1", "b1"))]


def test_only_a_stated_network_is_held_to_printed_numbers():
    with pytest.raises(bp.BackpassError, match="a derivation is right as it is"):
        bp.doctor(published(), *ARGUMENTS)
    with pytest.raises(bp.BackpassError, match="held to a network that is stated"):
        bp.doctor(trained, 1, printed={1: {"loss": "0.3"}})
