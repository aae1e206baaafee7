"""The chain rule in three layouts: the same Jacobians, in another order, transposed."""

import pytest

from backpass.language.errors import UnknownName
from backpass.reading.layout import chain
from tests.reading.networks import BATCH, COLUMNS, PAIR, RESIDUAL, passes


def told(text, wrt, name, layout="mixed", dialect="code", **options):
    return chain(passes(text, wrt, dialect), name, layout, **options)


def test_denominator_layout_grows_to_the_left():
    assert (
        told(COLUMNS, "W2 W3", "W2", "denominator", "math")
        == """\
∂L/∂W2, denominator layout
  ∂a/∂z has a row for each entry of z and a column for each of a; the gradient
  of the loss is a column. Chains grow to the left.
    ∂L/∂z2 = (∂a2/∂z2) (∂z3/∂a2) (∂a3/∂z3) (∂L/∂a3)
        (3×3)(3×2)(2×2)(2×1) → 3×1
    ∂L/∂a3 = a3 − y                 2×1
    ∂a3/∂z3 = diag(a3 ⊙ (1 − a3))   2×2, diagonal
    ∂z3/∂a2 = W3ᵀ                   3×2
    ∂a2/∂z2 = diag([z2 > 0])        3×3, diagonal

  A diagonal matrix times a vector is a product entry by entry: ⊙ in its place.
  So the program computes, from the loss on:
    da3 = a3 − y                2×1
    dz3 = da3 ⊙ a3 ⊙ (1 − a3)   2×1
    da2 = W3ᵀ dz3               (3×2)(2×1) → 3×1
    dz2 = da2 ⊙ [z2 > 0]        3×1

  ∂z2/∂W2 has the labels of z2 and of W2, three in all: 3×3×2. For one entry of
  W2 it is a vector again:
    ∂L/∂W2[i,j] = (∂z2/∂W2[i,j]) (∂a2/∂z2) (∂z3/∂a2) (∂L/∂z3)
        (1×3)(3×3)(3×2)(2×1) → a number

  W2[i,j] goes into z2[i] alone, so the vector is a1[j] in place i and 0
  elsewhere.
    ∂L/∂W2[i,j] = ∂L/∂z2[i] · a1[j]

  All entries, gathered where they belong:
    dW2 = dz2 a1ᵀ   (3×1)(1×2) → 3×2

  In one formula, by entries and as a whole:
    ∂L/∂W2[i,j] = Σₖ (a3[k] − y[k]) · a3[k] · (1 − a3[k]) · W3[k,i]
        · [z2[i] > 0] · a1[j]
    ∂L/∂W2 = ((W3ᵀ ((a3 − y) ⊙ a3 ⊙ (1 − a3))) ⊙ [z2 > 0]) ⊗ a1

  ∂L/∂z3 stands in the chain of W3 too. What chains share is computed once, as
  dz3, and used again: this sharing is what backpropagation is."""
    )


def test_a_batch_is_written_for_one_row():
    assert (
        told(BATCH, "W1 b1 W2 b2", "W1")
        == """\
∂L/∂W1, mixed layout
  ∂a/∂z has a row for each entry of a and a column for each of z, but the
  gradient of the loss has the shape of its variable, as in code. So every
  Jacobian is transposed in the chain.
  n counts the samples, and what happens to one does not touch another: every
  Jacobian is block-diagonal in n. So this is written for each row n, without n.
    ∂L/∂Z1 = (∂A1/∂Z1)ᵀ (∂Z2/∂A1)ᵀ (∂A2/∂Z2)ᵀ (∂L/∂A2)
        (j×j)(j×m)(m×m)(m×1) → j×1
    ∂L/∂A2 = A2 − Y                 m×1
    ∂A2/∂Z2 = diag(A2 ⊙ (1 − A2))   m×m, diagonal
    ∂Z2/∂A1 = W2ᵀ                   m×j
    ∂A1/∂Z1 = diag(A1 ⊙ (1 − A1))   j×j, diagonal

  A diagonal matrix times a vector is a product entry by entry: ⊙ in its place.
  So the program computes, from the loss on:
    dA2 = A2 − Y                n×m
    dZ2 = dA2 ⊙ A2 ⊙ (1 − A2)   n×m
    dA1 = dZ2 @ W2.T            (n×m)(m×j) → n×j
    dZ1 = dA1 ⊙ A1 ⊙ (1 − A1)   n×j

  ∂Z1/∂W1 has the labels of Z1 and of W1, three in all: j×k×j. For one entry of
  W1 it is a vector again:
    ∂L/∂W1[k,j] = (∂Z1/∂W1[k,j])ᵀ (∂A1/∂Z1)ᵀ (∂Z2/∂A1)ᵀ (∂L/∂Z2)
        (1×j)(j×j)(j×m)(m×1) → a number

  W1[k,j] goes into Z1[n,j] alone, so the vector is X[n,k] in place j and 0
  elsewhere. W1 has no n: every sample adds its part, so n is summed.
    ∂L/∂W1[k,j] = Σₙ X[n,k] · ∂L/∂Z1[n,j]

  All entries, gathered where they belong:
    dW1 = X.T @ dZ1   (k×n)(n×j) → k×j

  In one formula, by entries and as a whole:
    ∂L/∂W1[k,j] = Σₙₘ (A2[n,m] − Y[n,m]) · A2[n,m] · (1 − A2[n,m]) · W2[j,m]
        · A1[n,j] · (1 − A1[n,j]) · X[n,k]
    ∂L/∂W1 = Xᵀ ((((A2 − Y) ⊙ A2 ⊙ (1 − A2)) W2ᵀ) ⊙ A1 ⊙ (1 − A1))

  ∂L/∂Z1 stands in the chain of b1 too. ∂L/∂Z2 stands in the chains of W2 and b2
  too. What chains share is computed once, as dZ1 and dZ2, and used again: this
  sharing is what backpropagation is."""
    )


def test_numbers_share_a_factor():
    assert (
        told(PAIR, "w1 w2", "w1")
        == """\
∂y/∂w1
    ∂y/∂w1 = ∂y/∂z2 · ∂z2/∂h1 · ∂h1/∂z1 · ∂z1/∂w1
    ∂y/∂w1 = y · (1 − y) · w2 · h1 · (1 − h1) · x
    ∂y/∂w2 = ∂y/∂z2 · ∂z2/∂w2
    ∂y/∂w2 = y · (1 − y) · h1

  ∂y/∂z2 stands in the chain of w2 too. What chains share is computed once, as
  dz2, and used again: this sharing is what backpropagation is."""
    )


def test_numerator_layout_runs_from_the_loss():
    text = told(COLUMNS, "W2 W3", "W2", "numerator")
    assert "∂L/∂z2 = (∂L/∂a3) (∂a3/∂z3) (∂z3/∂a2) (∂a2/∂z2)" in text
    assert "(1×2)(2×2)(2×3)(3×3) → 1×3" in text
    assert "∂z3/∂a2 = W3                    2×3" in text
    assert "(1×2)(2×3)(3×3)(3×1) → a number" in text


def test_mixed_layout_transposes_every_jacobian():
    text = told(COLUMNS, "W2 W3", "W2")
    assert "∂L/∂z2 = (∂a2/∂z2)ᵀ (∂z3/∂a2)ᵀ (∂a3/∂z3)ᵀ (∂L/∂a3)" in text
    assert "(3×3)(3×2)(2×2)(2×1) → 3×1" in text


def test_a_bias_is_a_vector_and_its_jacobian_the_identity():
    text = told(BATCH, "W1 b1 W2 b2", "b1", "numerator")
    assert "b1 has no n: every sample adds its part, so n is summed." in text
    assert "∂Z1/∂b1 = I                     j×j, diagonal" in text
    assert "(1×m)(m×m)(m×j)(j×j)(j×j) → 1×j" in text
    assert "∂L/∂b1[j] = Σₙₘ (A2[n,m] − Y[n,m])" in text


def test_where_ways_part_the_chain_starts_from_their_sum():
    text = told(RESIDUAL, "X W1 g b W2", "W1")
    assert "∂L/∂Z1 = (∂H/∂Z1)ᵀ (∂A1/∂H)ᵀ (∂L/∂A1)   (k×k)(k×k)(k×1) → k×1" in text
    assert "A1 is used in C1 and M: several ways lead on from there" in text


CENTRED = """\
X: n k
W: k j
Z[n,j] = X[n,k] * W[k,j]
M[j] = Z[n,j] / n
A[j] = tanh(M[j])
L = A[j]**2
return L
"""


def test_samples_that_meet_are_not_written_apart():
    text = told(CENTRED, "W", "W")
    assert "does not touch" not in text
    assert "((j·n)×j)(j×j)(j×1) → (j·n)×1" in text
    assert "∂L/∂W = Xᵀ (∂L/∂Z)" in text  # dZ is a copied row, which no product can hold


@pytest.mark.parametrize("layout", ["mixed", "numerator", "denominator"])
@pytest.mark.parametrize("name", ["W1", "b1", "dZ1", "A1"])
def test_ascii_is_ascii_and_nothing_is_wider_than_80_columns(name, layout):
    text = told(BATCH, "W1 b1 W2 b2", name, layout, ascii=True)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_a_quantity_that_no_gradient_flows_to_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="no gradient flows to Y here"):
        told(BATCH, "W1", "Y")


def test_jacobians_are_mathematics_and_the_lines_of_a_program_are_its_own():
    text = told(COLUMNS, "W2 W3", "W2")
    assert "∂z3/∂a2 = W3 " in text
    assert "da2 = W3.T @ dz3            (3×2)(2) → 3" in text
    assert "dW2 = outer(dz2, a1)   (3)(2) → 3×2" in text
    assert "∂L/∂W2 = ((W3ᵀ" in text


SLICED = """\
X: n 2
Y: n 3
V: 5 3
Z[n,i] = X[n,i]
H: n 5
H[n,i] = Z[n,i] for i<2
H[n,2+i] = Y[n,i] for i<3
T[n,m] = H[n,i]*V[i,m]
L = T[n,m]**2
return L
"""


def test_what_lies_beside_an_array_has_zeros_in_its_jacobian():
    text = told(SLICED, "X V", "Z")
    assert "does not touch another" in text
    assert "∂H/∂Z = [I; 0]   5×2" in text
    assert "∂H/∂Z = [I | 0]   2×5" in told(SLICED, "X V", "Z", "denominator")


def test_a_gradient_from_several_ways_is_one_of_whole_arrays():
    text = told(SKIPPED, "W V", "W")
    assert "∂L/∂H = ∂L/∂R + (∂L/∂Z) Vᵀ   n×k, all rows at once" in text
    assert "H is used in R and Z: several ways lead on from there" in text
    assert "∂L/∂H = ∂L/∂R + (∂L/∂Z) Vᵀ   n×k\n" in told(SKIPPED, "W V", "H")


SKIPPED = """\
X: n k
W: k k
V: k k
H[n,k′] = X[n,k]*W[k,k′]
Z[n,k′] = H[n,k]*V[k,k′]
R[n,k] = H[n,k] + tanh(Z[n,k])
L = R[n,k]**2
return L
"""


def test_a_number_is_no_diagonal_matrix():
    text = told("x: n\nb: ()\nZ[n] = x[n] + b\nL = tanh(Z[n])\nreturn L\n", "b", "b")
    assert "∂Z/∂b = 1" in text
    assert "diagonal matrix" not in text


WEIGHED = """\
X: n k
W: k k
V: k m
S[n,k′] = X[n,k]*W[k,k′]
P[n,k] = softmax(S[n,k] over k)
O[n,m] = P[n,k]*V[k,m]
L = O[n,m]**2
return L
"""


def test_a_line_that_prepares_another_stands_before_it():
    text = told(WEIGHED, "W", "W")
    lines = text[text.index("So the program computes") :].splitlines()
    names = [line.split("=")[0].strip() for line in lines if " = " in line]
    assert names[: names.index("dS")][-2:] == ["dP", "s"]
    assert "In one formula, by entries:" in text  # a bare s has not the shape of dP
    assert "dP ⊙ P)" not in text
