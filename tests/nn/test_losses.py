"""Losses by name and by formula."""

import pytest

from backpass.language.errors import DerivationError, UnknownName
from backpass.nn.losses import LOSSES, find_loss


@pytest.mark.parametrize(
    ("formula", "sums"),
    [
        ("½ Σ (output − target)²", True),
        ("sum(abs(output - target))/3", True),
        ("mean((output - target)²)", False),
        ("log(1 + sum((output - target)²))", False),
    ],
)
def test_a_formula_is_known_to_add_samples_up(formula: str, sums: bool):
    assert find_loss(formula).sums == sums


def test_formulas_and_names_agree():
    assert find_loss("mse") is LOSSES["mse"]
    assert LOSSES["half_sum_of_squares"].sums
    assert not LOSSES["mse"].sums


@pytest.mark.parametrize("formula", ["(output - target)²", "abs(output − target)"])
def test_a_formula_gives_one_number_for_all_samples(formula: str):
    with pytest.raises(DerivationError, match="has to be one number") as caught:
        find_loss(formula)
    assert caught.value.line == formula
    suggested = str(caught.value).split("write ")[1].split(", or mean")[0]
    assert find_loss(suggested).sums


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("Σ (output − goal)²", "speaks of goal; it is a formula in output and target"),
        ("Σ (outputs − target)²", r"speaks of outputs; did you mean output\?"),
        ("Σ sqroot(output − target)", r"speaks of sqroot; did you mean sqrt\?"),
    ],
)
def test_a_name_is_corrected_by_one_that_could_stand_there(formula: str, says: str):
    with pytest.raises(UnknownName, match=says):
        find_loss(formula)
