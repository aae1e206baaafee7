"""What `print(d)` shows, to the letter."""

from backpass.reading.lines import WIDTH
from backpass.reading.text import derivation_text
from tests.reading.networks import BATCH, COLUMNS, PAIR, RESIDUAL, passes


def shown(text, wrt, dialect="code", **options):
    text = derivation_text(passes(text, wrt, dialect), **options)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    return text


def test_a_batch_with_samples_as_rows():
    assert (
        shown(BATCH, "W1 b1 W2 b2")
        == """\
forward
  Z1 = X @ W1 + b1              (n×k)(k×j) + j → n×j
  A1 = sigmoid(Z1)              n×j
  Z2 = A1 @ W2 + b2             (n×j)(j×m) + m → n×m
  A2 = sigmoid(Z2)              n×m
  L  = ½ Σ (A2 − Y)²            scalar
backward
  dA2 = A2 − Y                  n×m
        the 2 of the square meets the ½: no factor is left
  dZ2 = dA2 ⊙ A2 ⊙ (1 − A2)     n×m
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW2 = A1.T @ dZ2              (j×n)(n×m) → j×m
        every row n used the same W2, so n is summed; A1 has n first, hence .T
  db2 = Σₙ dZ2                  m
        b2 was copied to every row, so the rows are added up
  dA1 = dZ2 @ W2.T              (n×m)(m×j) → n×j
        m is summed (n stays); W2 has m last, hence .T
  dZ1 = dA1 ⊙ A1 ⊙ (1 − A1)     n×j
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW1 = X.T @ dZ1               (k×n)(n×j) → k×j
        every row n used the same W1, so n is summed; X has n first, hence .T
  db1 = Σₙ dZ1                  j
        b1 was copied to every row, so the rows are added up"""
    )


def test_one_sample_as_a_column():
    assert (
        shown(COLUMNS, "W2 W3", "math")
        == """\
forward
  z2 = W2 a1                    (3×2)(2×1) → 3×1
  a2 = relu(z2)                 3×1
  z3 = W3 a2                    (2×3)(3×1) → 2×1
  a3 = σ(z3)                    2×1
  L  = ½ Σ (a3 − y)²            scalar
backward
  da3 = a3 − y                  2×1
        the 2 of the square meets the ½: no factor is left
  dz3 = da3 ⊙ a3 ⊙ (1 − a3)     2×1
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW3 = dz3 a2ᵀ                 (2×1)(1×3) → 2×3
        each entry of W3 joins one entry of a2 to one of z3: nothing is summed
  da2 = W3ᵀ dz3                 (3×2)(2×1) → 3×1
        2 is summed; W3 has 2 first, hence ᵀ
  dz2 = da2 ⊙ [z2 > 0]          3×1
        relu acts entry by entry, so ⊙; its slope is 1 where z > 0, else 0
  dW2 = dz2 a1ᵀ                 (3×1)(1×2) → 3×2
        each entry of W2 joins one entry of a1 to one of z2: nothing is summed"""
    )


def test_two_numbers_in_a_row():
    assert (
        shown(PAIR, "w1 w2", "math")
        == """\
forward
  z1 = w1 x                     scalar
  h1 = σ(z1)                    scalar
  z2 = w2 h1                    scalar
  y  = σ(z2)                    scalar
backward
  dz2 = y · (1 − y)             scalar
        sigmoid: its slope is a(1 − a)
  dw2 = dz2 h1                  scalar
        each factor is the other one's slope
  dh1 = w2 dz2                  scalar
        each factor is the other one's slope
  dz1 = dh1 · h1 · (1 − h1)     scalar
        sigmoid: its slope is a(1 − a)
  dw1 = dz1 x                   scalar
        each factor is the other one's slope"""
    )


def test_a_residual_layer_centred_scaled_and_shifted():
    assert (
        shown(RESIDUAL, "X W1 g b W2")
        == """\
forward
  Z1 = X @ W1                    (n×k)(k×k) → n×k
  H  = relu(Z1)                  n×k
  A1 = X + H                     n×k
  M  = Σₖ A1 / k                 n
  C1 = A1 − M[:, None]           n×k
  S  = g ⊙ C1 + b                n×k
  T  = tanh(S)                   n×k
  Z2 = T @ W2                    (n×k)(k×m) → n×m
  D  = Z2                        n×m
  L  = cross_entropy(D, y)       scalar
backward
  P   = softmax(D)               n×m
        the probabilities, which the next line needs
  dD  = (P − onehot(y)) / n      n×m
        softmax with cross-entropy leaves p − y, averaged over the samples
  dZ2 = dD                       n×m
        D is Z2 itself, so the factor is 1
  dW2 = T.T @ dZ2                (k×n)(n×m) → k×m
        every row n used the same W2, so n is summed; T has n first, hence .T
  dT  = dZ2 @ W2.T               (n×m)(m×k) → n×k
        m is summed (n stays); W2 has m last, hence .T
  dS  = dT ⊙ (1 − T²)            n×k
        tanh acts entry by entry, so ⊙; its slope is 1 − a²
  dg  = Σₙ dS ⊙ C1               k
        each factor is the other one's slope; g was used for every row, so the
        rows are added up
  db  = Σₙ dS                    k
        b was copied to every row, so the rows are added up
  dC1 = g ⊙ dS                   n×k
        each factor is the other one's slope
  dM  = −Σₖ dC1                  n
        M was subtracted from every column, so the columns are added up, with a
        minus
  dA1 = dC1 + (dM / k)[:, None]  n×k
        A1 is used in C1 and M, so the two gradients are added
  dH  = dA1                      n×k
        H is added as it is: its slope in A1 is 1
  dZ1 = dH ⊙ [Z1 > 0]            n×k
        relu acts entry by entry, so ⊙; its slope is 1 where z > 0, else 0
  dX  = dA1 + dZ1 @ W1.T         n×k + (n×k)(k×k) → n×k
        X is used in A1 and Z1, so the two gradients are added
  dW1 = X.T @ dZ1                (k×n)(n×k) → k×k
        every row n used the same W1, so n is summed; X has n first, hence .T"""
    )


def test_ascii_when_a_stream_can_do_no_better():
    assert (
        shown(BATCH, "W1 b1", ascii=True)
        == """\
forward
  Z1 = X @ W1 + b1              (nxk)(kxj) + j -> nxj
  A1 = sigmoid(Z1)              nxj
  Z2 = A1 @ W2 + b2             (nxj)(jxm) + m -> nxm
  A2 = sigmoid(Z2)              nxm
  L  = 0.5 * Sum (A2 - Y)**2    scalar
backward
  dA2 = A2 - Y                  nxm
        the 2 of the square meets the 0.5: no factor is left
  dZ2 = dA2 * A2 * (1 - A2)     nxm
        sigmoid acts entry by entry, so *; its slope is a(1 - a)
  dA1 = dZ2 @ W2.T              (nxm)(mxj) -> nxj
        m is summed (n stays); W2 has m last, hence .T
  dZ1 = dA1 * A1 * (1 - A1)     nxj
        sigmoid acts entry by entry, so *; its slope is a(1 - a)
  dW1 = X.T @ dZ1               (kxn)(nxj) -> kxj
        every row n used the same W1, so n is summed; X has n first, hence .T
  db1 = Sum_n dZ1               j
        b1 was copied to every row, so the rows are added up"""
    )


def test_shapes_of_terms_are_those_of_the_terms():
    """A factor such as 1 − z has a shape, though one of its terms is a mere number."""
    text = """\
z: h
x: h
H: h
U: h h
A[h] = (1 - z[h])*H[h] + z[h]*x[h] + U[h,h′]*H[h′]
L = A[h]**2
return L
"""
    lines = shown(text, "H").splitlines()
    assert lines[1].endswith("A = (1 − z) ⊙ H + z ⊙ x + U @ H  h + h + (h×h)(h) → h")
    assert "dH = (1 − z) ⊙ dA + U.T @ dA" in lines[6]
    assert lines[6].endswith("h + (h×h)(h) → h")


def test_many_terms_of_one_kind_are_counted_by_the_formula_alone():
    terms = " + ".join(f"u{i}[i]*v{i}[j]" for i in range(4))
    names = "".join(f"u{i}: 2\nv{i}: 3\n" for i in range(4))
    text = f"{names}Z[i,j] = {terms}\nL = Z[i,j]**2\nreturn L\n"
    assert "(2)(3) + … + (2)(3) → 2×3" in shown(text, "u0")


def test_shapes_stand_behind_the_longest_formula_and_the_longest_name():
    text = "x: k\nhidden[k] = exp(x[k])\nL = hidden[k]*(1 - x[k])\nreturn L\n"
    assert (
        shown(text, "x")
        == """\
forward
  hidden = exp(x)                       k
  L      = hidden @ (1 − x)             (k)(k) → scalar
backward
  dhidden = 1 − x                       k
        each factor is the other one's slope
  dx      = −hidden + dhidden ⊙ hidden  k
        x is used in L and hidden, so the two gradients are added"""
    )
