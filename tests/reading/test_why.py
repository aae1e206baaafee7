"""What `d.why(name)` says: where a line comes from, what is summed, where it stands, what fails."""

import re

import pytest

from backpass.language.errors import UnknownName
from backpass.reading.why import why
from tests.reading.networks import BATCH, COLUMNS, PAIR, RESIDUAL, passes


def told(text, wrt, name, dialect="code", **options):
    return why(passes(text, wrt, dialect), name, **options)


def one_line(text):
    """A text without its line breaks."""
    return " ".join(text.split())


def test_the_gradient_of_a_weight_matrix():
    assert (
        told(BATCH, "W1 b1 W2 b2", "dW2")
        == """\
dW2 = A1.T @ dZ2     (j×n)(n×m) → j×m
  W2 is used in
    Z2 = A1 @ W2 + b2
    Z2[n,m] = Σⱼ A1[n,j] · W2[j,m] + b2[m]

  How much does Z2[n,m] move with W2[j,m]?
    ∂Z2[n,m]/∂W2[j,m] = A1[n,j]

  It is the weight from unit j of A1 to unit m of Z2: W2 has a row for each unit
  that it leads from, and a column for each that it leads to.
  Every row n of Z2 used this same W2[j,m]. So each of them pulls on it, and the
  pulls add up: n is summed.
    dW2[j,m] = Σₙ A1[n,j] · dZ2[n,m]

  A matrix product sums the last label of its left factor with the first label
  of its right factor. n stands first in A1 (n×j) and first in dZ2 (n×m), so A1
  is transposed.
    A1.T @ dZ2   (j×n)(n×m) → j×m

  That is the shape of W2, as it must be of a gradient. The shapes fit because
  the right label is summed, and not the other way round.
  Other orders, and what becomes of them:
    A1 @ dZ2     (n×j)(n×m): j meets n
    dZ2 @ A1     (n×m)(n×j): m meets n
    dZ2 @ A1.T   (n×m)(j×n): m meets j
    dZ2.T @ A1   (m×n)(n×j) → m×j: the transpose of what is wanted

  Should two of these sizes be equal one day, a wrong order would run in
  silence.
  dW2 points uphill: a small step against it, W2 ← W2 − lr · dW2, lowers L."""
    )


def test_the_gradient_of_an_activation():
    assert (
        told(BATCH, "W1 b1 W2 b2", "dA1")
        == """\
dA1 = dZ2 @ W2.T     (n×m)(m×j) → n×j
  A1 is used in
    Z2 = A1 @ W2 + b2
    Z2[n,m] = Σⱼ A1[n,j] · W2[j,m] + b2[m]

  How much does Z2[n,m] move with A1[n,j]?
    ∂Z2[n,m]/∂A1[n,j] = W2[j,m]

  So W2 is itself the derivative of Z2 with respect to A1: that is why it stands
  here, where the chain rule asks for a derivative.
  A1[n,j] goes into Z2[n,m] for every m, so what comes back is summed over m. n
  is not summed: the part of Z2 at one n is made from the part of A1 at that n
  alone.
    dA1[n,j] = Σₘ dZ2[n,m] · W2[j,m]

  A matrix product sums the last label of its left factor with the first label
  of its right factor. m stands last in dZ2 (n×m) and last in W2 (j×m), so W2 is
  transposed.
    dZ2 @ W2.T   (n×m)(m×j) → n×j

  That is the shape of A1, as it must be of a gradient. The shapes fit because
  the right label is summed, and not the other way round.
  Other orders, and what becomes of them:
    dZ2 @ W2     (n×m)(j×m): m meets j
    W2 @ dZ2     (j×m)(n×m): m meets n
    W2.T @ dZ2   (m×j)(n×m): j meets n
    W2 @ dZ2.T   (j×m)(m×n) → j×n: the transpose of what is wanted

  Should two of these sizes be equal one day, a wrong order would run in
  silence.
  This must still be the W2 of the forward pass: update W2 only when everything
  has flowed back. With W2 already moved to W2 − lr · dW2, dA1 would be off by
  −lr · dZ2 @ dW2.T: half the rate, half the damage, never none."""
    )


def test_a_column_times_a_row():
    assert (
        told(COLUMNS, "W2 W3", "dW2", "math")
        == """\
dW2 = dz2 a1ᵀ     (3×1)(1×2) → 3×2
  W2 is used in
    z2 = W2 a1
    z2[i] = Σⱼ W2[i,j] · a1[j]

  How much does z2[i] move with W2[i,j]?
    ∂z2[i]/∂W2[i,j] = a1[j]

  It is the weight from unit j of a1 to unit i of z2: W2 has a row for each unit
  that it leads to, and a column for each that it leads from.
  No other entry of z2 contains W2[i,j], so nothing is summed: each entry of the
  gradient is one product.
    dW2[i,j] = dz2[i] · a1[j]

  All products of an entry of dz2 with an entry of a1: a column times a row,
  also written dz2 ⊗ a1. a1 lies down because its label, j, is the second one of
  W2; that the sizes then fit is the consequence, not the reason.
    dz2 a1ᵀ   (3×1)(1×2) → 3×2

  Other orders, and what becomes of them:
    dz2 a1    (3×1)(2×1): 1 meets 2
    a1 dz2    (2×1)(3×1): 1 meets 3
    a1ᵀ dz2   (1×2)(3×1): 2 meets 3
    a1 dz2ᵀ   (2×1)(1×3) → 2×3: the transpose of what is wanted

  dW2 points uphill: a small step against it, W2 ← W2 − lr · dW2, lowers L."""
    )


def test_a_slope_that_needs_what_went_in():
    assert (
        told(COLUMNS, "W2 W3", "dz2", "math")
        == """\
dz2 = da2 ⊙ [z2 > 0]     3×1
  z2 is used in
    a2 = relu(z2)
    a2[i] = relu(z2[i])

  How much does a2[i] move with z2[i]?
    ∂a2[i]/∂z2[i] = [z2[i] > 0]

  relu acts entry by entry: its slope is 1 where z > 0, else 0, where z is what
  goes in. No other entry of a2 contains z2[i]: the Jacobian is diagonal, and
  multiplying by a diagonal matrix is multiplying entry by entry, ⊙. Entries
  meet entries: all that ⊙ joins has one shape, 3×1.
    dz2[i] = da2[i] · [z2[i] > 0]

  The slope needs the sign of z2, what went into relu, and a2 is above zero in
  the same places: a2 is kept anyway, so with [a2 > 0] in its place z2 need not
  be."""
    )


def test_a_slope_that_needs_what_came_out():
    assert (
        told(BATCH, "W1 b1 W2 b2", "dZ2")
        == """\
dZ2 = dA2 ⊙ A2 ⊙ (1 − A2)     n×m
  Z2 is used in
    A2 = sigmoid(Z2)
    A2[n,m] = sigmoid(Z2[n,m])

  How much does A2[n,m] move with Z2[n,m]?
    ∂A2[n,m]/∂Z2[n,m] = A2[n,m] · (1 − A2[n,m])

  sigmoid acts entry by entry: its slope is a(1 − a), where a is what comes out.
  No other entry of A2 contains Z2[n,m]: the Jacobian is diagonal, and
  multiplying by a diagonal matrix is multiplying entry by entry, ⊙. Entries
  meet entries: all that ⊙ joins has one shape, n×m.
    dZ2[n,m] = dA2[n,m] · A2[n,m] · (1 − A2[n,m])

  The output A2 is enough for the slope, so Z2 need not be kept. dZ2 is computed
  once and used again in dW2, db2 and dA1: this sharing is what backpropagation
  is."""
    )


def test_the_square_and_the_half():
    assert (
        told(BATCH, "W1 b1 W2 b2", "dA2")
        == """\
dA2 = A2 − Y     n×m
  A2 is used in
    L = ½ Σ (A2 − Y)²
    L = ½ Σₙₘ (A2[n,m] − Y[n,m])²

  The slope of a square is twice its base. The ½ in front takes the 2 away.
  Without the ½ the gradient would be twice as long and point the same way: half
  the learning rate would then take the same steps.
    dA2[n,m] = A2[n,m] − Y[n,m]"""
    )


def test_a_bias():
    assert (
        told(BATCH, "W1 b1 W2 b2", "db2")
        == """\
db2 = Σₙ dZ2     m
  b2 is used in
    Z2 = A1 @ W2 + b2
    Z2[n,m] = Σⱼ A1[n,j] · W2[j,m] + b2[m]

  How much does Z2[n,m] move with b2[m]?
    ∂Z2[n,m]/∂b2[m] = 1

  One and the same b2[m] went into Z2 for every n, so what comes back is added
  up: that is where n goes. A bias is a weight whose input is always 1: written
  as one more row of the weights, it would meet a column of ones, and that
  column is a constant, which nothing ever updates.
    db2[m] = Σₙ dZ2[n,m]

  db2 points uphill: a small step against it, b2 ← b2 − lr · db2, lowers L."""
    )


def test_a_forward_line():
    assert (
        told(BATCH, "W1 b1 W2 b2", "Z1")
        == """\
Z1 = X @ W1 + b1     (n×k)(k×j) + j → n×j
    Z1[n,j] = Σₖ X[n,k] · W1[k,j] + b1[j]

  k is summed; n and j stay. Z1 has one row for each n, as many as there are
  samples: with a batch of n it has n of them, and with a single sample one.
  Its gradient is dZ1."""
    )


def test_an_input_stands_for_its_gradient():
    assert told(BATCH, "W1", "W1") == told(BATCH, "W1", "dW1")


def test_square_matrices_multiply_in_silence():
    text = told(SQUARE, "W X", "dX")
    assert "dZ @ W     (n×k)(k×k) → n×k: it runs, and the result is wrong without a word" in text
    assert "W.T @ dZ   (k×k)(n×k): k meets n" in text


SQUARE = """\
X: n k
Y: n k
W: k k
Z[n,k′] = X[n,k] * W[k,k′]
L = (Z[n,k] - Y[n,k])**2
return L
"""


def test_a_linear_output_has_the_factor_one():
    text = told(SQUARE, "W", "dZ")
    assert "Z goes into L without an activation" in " ".join(text.split())
    assert "twice the learning rate would take the same steps" in " ".join(text.split())


def test_a_quantity_used_twice_is_told_twice():
    text = told(RESIDUAL, "X W1 g b W2", "dX")
    assert "  X is used in A1 and Z1, so the two gradients are added." in text
    assert "A1 = X + H" in text
    assert "Z1 = X @ W1" in text


def test_scalars_have_no_entries():
    assert told(PAIR, "w1 w2", "dw1", "math").splitlines()[-5:-2] == [
        "  How much does z1 move with w1?",
        "    ∂z1/∂w1 = x",
        "    dw1 = dz1 x",
    ]


@pytest.mark.parametrize("name", ["dW1", "db1", "dA1", "dZ1", "dA2", "Z1", "A1"])
def test_ascii_is_ascii_and_nothing_is_wider_than_80_columns(name):
    text = told(BATCH, "W1 b1 W2 b2", name, ascii=True)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=re.escape("dW3 is no line of this derivation; did you")):
        told(BATCH, "W1 W2", "dW3")


ROW = """\
x: 1 3
y: 1 1
W1: 3 4
W2: 4 1
Z1[i,j] = x[i,k]*W1[k,j]
A1[i,j] = sigmoid(Z1[i,j])
Z2[i,m] = A1[i,j]*W2[j,m]
L = 1/2*(Z2[i,m]-y[i,m])**2
return L
"""


def test_a_sum_over_one_sample_has_one_term():
    weight = one_line(told(ROW, "W1 W2", "dW2"))
    assert "There is one sample, so the sum over k has one term, a column times a row" in weight
    assert "with n samples it would be a sum over n" in weight
    assert "used this same" not in weight


def test_a_sum_over_one_output_is_not_one_over_samples():
    hidden = one_line(told(ROW, "W1 W2", "dA1"))
    assert "k takes one value, so the sum over it has one term." in hidden
    assert "sample" not in hidden
    given = one_line(told(ROW, "x W1 W2", "dx"))
    assert "one sample" not in given


def test_one_row_is_one_sample():
    line = one_line(told(ROW, "W1 W2", "Z2"))
    assert "Z2 has one row, because there is one sample; of a batch of n it would have n." in line
    assert line.count("one row") == 1


def test_a_slope_inside_a_loss_is_that_of_its_own_term():
    text = one_line(told("a: m\nL = log(a[m])\nreturn L\n", "a", "da"))
    assert "L adds up one such term for each m, so da[m] is the slope of its own term." in text
    assert "diagonal" not in text


def test_the_sign_of_an_update_is_told_of_what_was_asked_for():
    assert "W1 ← W1 − lr · dW1, lowers L" in one_line(told(BATCH, "W1", "dW1"))
    assert "uphill" not in told(BATCH, "W1", "dZ1")


def test_a_weight_that_moved_too_early_shows_in_proportion():
    math = one_line(told(COLUMNS, "W2 W3", "da2", "math"))
    assert "da2 would be off by −lr · dW3ᵀ dz3: half the rate, half the damage" in math
    assert "off by" not in told(COLUMNS, "W2", "da2", "math")  # W3 never moves


def test_the_outer_product_is_named_by_its_sign_too():
    assert "also written dz3 ⊗ a2" in one_line(told(COLUMNS, "W2 W3", "dW3", "code"))
    assert "also written dz3 (x) a2" in one_line(told(COLUMNS, "W3", "dW3", "math", ascii=True))


ONES = """\
X: n k
W1: k+1 j
W2: j+1 m
O0: n k+1
O0[n,i] = X[n,i] for i<k
O0[n,k+i] = 1 for i<1
Z1[n,j] = O0[n,i]*W1[i,j]
O1: n j+1
O1[n,i] = Z1[n,i] for i<j
O1[n,j+i] = 1 for i<1
Z2[n,m] = O1[n,i]*W2[i,m]
L = Z2[n,m]**2
return L
"""


def test_a_concatenation_says_which_entries_are_whose():
    lines = told(ONES, "W1 W2", "O0").splitlines()
    assert lines[1:] == ["    O0[n,i] = X[n,i] for i < k", "    O0[n,k] = 1"]
    assert "O1[n,j] = 1" in told(ONES, "W1 W2", "dZ1")


def test_the_row_that_meets_ones_is_the_bias():
    text = one_line(told(ONES, "W1 W2", "dW2"))
    assert "The last row of W2 meets the ones in O1: it is the bias" in text
    assert "it is the bias" not in told(BATCH, "W1", "dW1")


def test_ones_take_their_part_and_drop_it():
    text = one_line(told(ONES, "W1 W2", "dZ1"))
    assert "the 1 beside it takes its own and drops it." in text
    assert "nothing made it, so nothing is to be updated" in text


def test_a_display_is_followed_by_a_blank_line_and_nothing_by_two():
    for name in ("dZ", "dW"):
        text = told(SQUARE, "W", name)
        assert "\n\n\n" not in text
    lines = told(SQUARE, "W", "dZ").splitlines()
    shown = [place for place, line in enumerate(lines) if line.startswith("    ")]
    after = [lines[place + 1] for place in shown if place + 1 not in shown]
    assert set(after) == {""}


def test_an_axis_of_length_one_is_added_in_so_many_words():
    text = "x: k\nw: k\nA: 1 k\nA[0,k] = x[k]\nZ[i] = A[i,k]*w[k]\nL = Z[i]**2\nreturn L\n"
    assert told(text, "w", "A") == "A = x[None,:]     1×k\n    A[0,k] = x[k]"
    assert told(text, "w", "A", "math").startswith("A = xᵀ     1×k\n")
