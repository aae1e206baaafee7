"""What the documents report, in shorter runs of the experiments behind docs/seeds.md."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import picture, seeds, seeds_page
from benchmarks.tutorial import XOR, XOR_Y, compile_step, derive_class, draw, train, with_ones
from tests.seeds.networks import ListedNetwork

DOCS = Path(__file__).parents[2] / "docs"


def test_twenty_seeds_side_by_side_learn_what_each_class_learns_alone():
    X = with_ones(XOR)
    start = draw((2, 3, 2, 1), range(20))
    weights = train(compile_step(derive_class(3)), X, XOR_Y, start, 0.5, epochs=50)
    for seed in (0, 19):
        alone = ListedNetwork([2, 3, 2, 1], 0.5, np.random.default_rng(seed))
        for _ in range(50):
            for x, target in zip(X, XOR_Y, strict=True):
                alone.fit_partial(x, target)
        for ours, theirs in zip(weights.values(), alone.W, strict=True):
            np.testing.assert_allclose(ours[seed], theirs, rtol=0, atol=1e-11)


def test_most_seeds_solve_xor():
    found = seeds.xor((2, 2, 1), seeds=20, epochs=10_000)
    assert found.solved.sum() >= 12
    assert np.median(found.losses[found.solved]) < 0.001


def test_without_a_hidden_layer_no_seed_solves_xor():
    found = seeds.xor((2, 1), seeds=20, epochs=2_000)
    assert found.solved.sum() == 0
    assert found.losses.min() > 0.49  # half of four squares of ½ is ½


def test_a_network_solves_xor_for_some_seed():
    assert seeds.xor_network(seeds=3, epochs=5_000).losses.min() < 0.01


def test_the_class_reads_held_out_digits():
    shares = seeds.read_digits(seeds=5, marks=(2, 40), rate=0.5)
    assert np.median(shares[40]) >= 0.96
    assert np.median(shares[2]) < 0.9


def test_updating_on_the_way_back_hurts_with_the_rate():
    slow, fast = seeds.order((0.1, 1.0), seeds=2, epochs=10)
    for few, many in zip(slow.off, fast.off, strict=True):
        assert 0.02 < few < many
    assert fast.off[1] == pytest.approx(10 * slow.off[1])  # lr · dZ3 @ dW3.T, and nothing else
    assert abs(slow.right - slow.early) < 0.1
    assert fast.right > 0.9
    assert fast.early < 0.7


def test_a_loop_and_a_recursion_give_the_same_bits():
    assert seeds.same_bits(seeds.styles(5, width=8))


def test_ones_that_are_trained_are_ones_no_longer():
    fixed, free = (seeds.ones(1, 15, 0.1, trained=one) for one in (False, True))
    assert (fixed.values == 1).all()
    assert fixed.loss == fixed.loss_at_one
    assert np.abs(free.values - 1).min() > 0.01
    assert free.loss_at_one > 1.1 * free.loss  # weights that were learnt beside other numbers


def test_a_trained_column_suits_the_samples_that_it_was_trained_on():
    free = seeds.ones(1, 150, 0.01, trained=True, whole=True)
    assert free.values.shape == (3, 1, 1347)
    assert (np.ptp(free.values, axis=-1) > 1e-4).all()
    assert free.loss_at_one > free.loss + 0.05


def test_the_picture_is_small(tmp_path):
    shares = {"lecun": [0.5, 0.97], "zeros": [0.1, 0.1]}
    picture.draw(shares, (0.1, 1), 20, tmp_path / "seeds.svg")
    text = (tmp_path / "seeds.svg").read_text("utf-8")
    assert text.count("<use") > 20  # letters are shapes, whatever fonts a reader has
    assert (DOCS / seeds_page.PICTURE).stat().st_size < 200_000
