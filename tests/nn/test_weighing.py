"""Formulas take weights of samples where they add up, or average, what samples cost."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.losses import find_loss

RANDOM = np.random.default_rng(0)
OUTPUT, TARGET = RANDOM.uniform(0.1, 0.9, (2, 6, 3))
COUNTS = np.array([1, 0, 3, 2, 1, 4])

ADDING = [
    "½ Σ (output − target)²",
    "Σ √(1 + (output − target)²) / 3 + 0.1 Σ output²",
    "sum(sum((output - target)², 1))",
    "Σ (output.T − target.T)²",
    "half_sum_of_squares(output, target) + sum(abs(output))",
]
AVERAGING = [
    "mean((output - target)²)",
    "mean(sum(abs(output - target), axis=1))",
    "sum(mean((output - target)², axis=0, keepdims=True))",
    "-mean(target * log(output))",
    "mse(output, target) / 2 + 0.01 mean(abs(output))",
    "mean((output - target)²) + 1",
]


@pytest.mark.parametrize("text", [*ADDING, *AVERAGING])
def test_a_weight_counts_as_so_many_samples(text):
    loss = find_loss(text)
    assert loss.sums == (text in ADDING)
    many = (np.repeat(one, COUNTS, axis=0) for one in (OUTPUT, TARGET))
    np.testing.assert_allclose(
        loss.weighted(OUTPUT, TARGET, COUNTS), loss.function(*many), rtol=1e-12
    )


@pytest.mark.parametrize(
    "text",
    [
        "log(1 + sum((output - target)²))",
        "max((output - target)²)",
        "sum((output - target)²) / mean(target²)",
        "sum((mean(output, axis=0) - target)²)",
        "sum(log(sum(exp(output - target), axis=0)))",
    ],
)
def test_what_is_no_sum_over_samples_has_no_weights(text):
    assert find_loss(text).weighted is None
    net = bp.Network([bp.Dense(3)], 3, text)
    with pytest.raises(BackpassError, match="neither adds up what its samples cost nor averages"):
        net.fit(OUTPUT, TARGET, sample_weight=COUNTS, progress=False)


@pytest.mark.parametrize("convention", ["rows", "columns"])
@pytest.mark.parametrize(
    ("text", "name"), [(ADDING[0], "half_sum_of_squares"), (AVERAGING[0], "mse")]
)
def test_a_formula_trains_as_the_loss_that_it_spells(text, name, convention):
    given = (OUTPUT, TARGET) if convention == "rows" else (OUTPUT.T, TARGET.T)
    options = {"inputs": 3, "optimizer": bp.SGD(0.1), "dtype": "float64", "convention": convention}
    stated, named = (bp.Network([bp.Dense(3)], loss=loss, **options) for loss in (text, name))
    losses = [
        net.fit(*given, epochs=5, batch_size=4, sample_weight=COUNTS, progress=False).loss
        for net in (stated, named)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-12)
    assert "weight" in str(stated.derivation(weighted=True))


def test_classes_count_unequally_in_a_formula():
    y = np.array([0, 0, 0, 0, 0, 1])
    targets = np.eye(2)[y]
    nets = [bp.Network([bp.Dense(2)], 3, "mean((output − target)²)", seed=1) for _ in "ab"]
    for net, options in zip(
        nets, ({"class_weight": {1: 5}}, {"sample_weight": 1 + 4 * y}), strict=True
    ):
        net.fit(OUTPUT, targets, epochs=3, progress=False, **options)
    assert (nets[0].weights["W1"] == nets[1].weights["W1"]).all()
