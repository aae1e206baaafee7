"""“Backpropagation in matrix form”: 2-3-2 as columns, its layouts, and L layers with any g."""

import numpy as np
import pytest

from tests.seeds.networks import said, two_three_two


def test_q11_with_several_samples_the_label_that_is_summed_decides():
    text = said(two_three_two(" n"), "dW3")
    assert "dW3[i,j] = Σₙ dz3[i,n] · a2[j,n]" in text
    assert "n stands last in dz3 (2×n) and last in a2 (3×n), so a2 is transposed" in text


def test_q12_relu_is_diagonal_hence_the_circled_product():
    """The vector of ones that the asker multiplies by is a diagonal matrix, 3×3, not 3×1."""
    text = said(two_three_two(), "dz2")
    assert "its slope is 1 where z > 0, else 0" in text
    assert "No other entry of a2 contains z2[i]: the Jacobian is diagonal" in text
    assert "multiplying by a diagonal matrix is multiplying entry by entry, ⊙" in text


@pytest.mark.parametrize("samples", ["", " n"])
def test_q13_rows_are_the_same_gradients_transposed(samples):
    columns = two_three_two(samples)
    rows = columns.rows()
    random = np.random.default_rng(2)
    tail = (4,) if samples else ()
    a1, y = random.normal(size=(2, *tail)), random.normal(size=(2, *tail))
    W2, W3 = random.normal(size=(3, 2)), random.normal(size=(2, 3))
    value, gradients = columns(a1=a1, y=y, W2=W2, W3=W3)
    other, turned = rows(a1=a1.T, y=y.T, W2=W2.T, W3=W3.T)
    assert value == pytest.approx(other, rel=1e-15)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, turned[name].T, rtol=1e-13)
