"""What holds for every derivation: its own formulas are right, and one change is found."""

import random

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.formula.derived import Derived
from backpass.doctor.formula.points import ground
from backpass.doctor.formula.search import changed
from backpass.doctor.formula.tree import hand, written
from backpass.doctor.formula.values import Values
from backpass.doctor.formula.verdict import stock

CODE, MATH = hand("A.T @ B"), hand("Aᵀ B")
NETWORKS = {
    "columns": bp.derive(
        "z1 = W1 x + b1; a1 = tanh(z1); z2 = W2 a1 + b2; a2 = σ(z2); L = Σ (a2 − y)²",
        "x: k, W1: j k, b1: j, W2: m j, b2: m, y: m",
    ),
    "fixed": bp.derive(
        "z2 = W2 a1; a2 = relu(z2); z3 = W3 a2; a3 = σ(z3); L = ½ Σ (a3 − y)²",
        "a1: 2, W2: 3 2, W3: 2 3, y: 2",
    ),
    "softmax": bp.derive(
        "z1 = W1 x; a1 = relu(z1); z2 = W2 a1; L = cross_entropy(z2, y)",
        "x: k, W1: j k, W2: m j, y: m",
    ),
    "scalars": bp.derive(
        "h = σ(w1 x); y = σ(w2 h); L = ½ (y − t)²", "x: (), w1: (), w2: (), t: ()"
    ),
    "rows": bp.derive(
        lambda X, Y, W, b: np.mean((np.tanh(X @ W + b) - Y) ** 2),
        "X: n k, Y: n m, W: k m, b: m",
    ),
}
each_network = pytest.mark.parametrize("d", NETWORKS.values(), ids=NETWORKS)


@each_network
@pytest.mark.parametrize("style", [CODE, MATH], ids=["code", "math"])
def test_every_derived_formula_is_correct(d, style):
    base = ground(d)
    derived = Derived(base, Values(base.points[0], style))
    gradients = [name for name in derived.links if name.startswith("d")]
    assert gradients
    for name in gradients:
        text = written(derived.whole(name), style)
        assert bp.doctor(text, of=d, wrt=name[1:]).verdict == "correct", text


@pytest.mark.parametrize("name", ["columns", "fixed"])
def test_one_change_of_a_derived_formula_is_repaired(name):
    d = NETWORKS[name]
    base = ground(d)
    values = Values(base.points[0], MATH)
    derived = Derived(base, values)
    chance = random.Random(name)
    for link in ("dz1", "dW1") if name == "columns" else ("dz2", "dW3"):
        right = derived.whole(link)
        wrong = [new for new, _ in changed(right, stock(derived, link, values), MATH)]
        for node in chance.sample(wrong, 5):
            report = bp.doctor(written(node, MATH), of=d, wrt=link[1:])
            assert report or report.repaired, report.formula
            if report.repaired:
                assert bp.doctor(report.repaired, of=d, wrt=link[1:])
