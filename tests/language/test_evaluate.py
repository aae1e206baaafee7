import numpy as np
import pytest

from backpass.language.errors import NoRule, ShapeError, UnknownName
from backpass.language.evaluate import evaluate
from backpass.language.expr import Function
from backpass.language.notation import parse_program
from backpass.language.program import ArrayFunction

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(2, 4, 3))
S = RANDOM.normal(size=(3, 3))
G = RANDOM.normal(size=(5, 3))
u = RANDOM.normal(size=3)
x = RANDOM.normal(size=7)
ids = np.array([2, 0, 2, 2, 1])
y = np.array([2, 0, 1, 2])
VALUES = {"A": A, "B": B, "S": S, "G": G, "u": u, "x": x, "ids": ids, "y": y, "w": 0.5}
DECLARED = """
A: n k; B: n k; S: k k; G: m k; u: k; x: h; ids: m int<n; y: n int<k; w: ()
"""


def scattered(rows: np.ndarray) -> np.ndarray:
    total = np.zeros((4, 3))
    for row, place in zip(rows, ids, strict=True):
        total[place] += row
    return total


EXAMPLES = {
    "matrix product and a bias": ("C[n,j] = A[n,k]*S[k,j] + u[j]", A @ S + u),
    "brackets keep one nest": ("L = (A[n,k] - u[k])", (A - u).sum()),
    "a sign separates two": ("L = A[n,k] - u[k]", A.sum() - u.sum()),
    "a label that only the left has is copied": ("C: n k; C[n,k] = u[k]", np.tile(u, (4, 1))),
    "a label that nothing mentions counts": ("L = w for n, k", 12 * 0.5),
    "trace": ("L = S[k,k]", np.trace(S)),
    "diagonal, read": ("d[k] = S[k,k]", np.diag(S)),
    "diagonal, written": ("D: k k; D[k,k] = u[k]", np.diag(u)),
    "transpose": ("C[i,j] = S[j,i]", S.T),
    "cumulative sum": ("c[j] = x[i]*[i<=j] for i<h, j<h", np.cumsum(x)),
    "reshape to one axis": ("r: n*k; r[3*n+k] = A[n,k]", A.reshape(-1)),
    "reshape by groups": ("r: n*k; r[3*n+k] = A[n,k]; C[i,j] = r[3*i+j] for i<n, j<k", A),
    "strided windows": (
        "c[p] = x[2*p+i]*u[i] for p<3",
        np.array([x[2 * p : 2 * p + 3] @ u for p in range(3)]),
    ),
    "strided windows, back": (
        "d: h; d[2*p+i] = u[i] for p<3, i<k",
        np.convolve([1, 0, 1, 0, 1], u),
    ),
    "gather": ("C[m,k] = A[ids[m],k]", A[ids]),
    "scatter with repeated ids": ("C: n k; C[ids[m],k] = G[m,k]", scattered(G)),
    "one entry of each row": ("p[n] = A[n,y[n]]", A[np.arange(4), y]),
    "one-hot": ("C[n,k] = [k==y[n]] for n, k", np.eye(3)[y]),
    "concatenate by offsets": (
        "C: n+m k; C[i,j] = A[i,j] for i<n; C[i+n,j] += G[i,j] for i<m",
        np.concatenate([A, G]),
    ),
    "slice": ("c[i] = x[i+2] for i<h-3", x[2:-1]),
    "flip": ("c[i] = x[h-1-i] for i<h", x[::-1]),
    "mean": ("L = A[n,k] / (n*k)", A.mean()),
    "a label and the size of its name": ("c[k] = index(k)/k**2 * u[k]", np.arange(3) / 9 * u),
    "a function of entries": ("C[n,k] = tanh(A[n,k]*B[n,k] - 1)**2", np.tanh(A * B - 1) ** 2),
    "division of whole numbers": ("c[i] = 1/(index(i)+1) for i<n", 1 / np.arange(1, 5)),
    "every comparison": (
        "C[n,k] = [n==k] + 2*[n!=k] + 4*[n<k] + 8*[n<=k] + 16*[n>k] + 32*[n>=k] for n, k",
        np.select([np.tri(4, 3, -1) > 0, np.eye(4, 3) > 0], [50.0, 41.0], 14.0),
    ),
    "no writes": ("C: n k; C[n,k] = 0", np.zeros((4, 3))),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_line_means_what_numpy_computes(name):
    lines, expected = EXAMPLES[name]
    program = parse_program(DECLARED + lines, {"tanh": Function("tanh", np.tanh)})
    found = evaluate(program, VALUES)[program.steps[-1].name]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert found.shape == np.shape(expected)


def test_the_result_holds_every_array_in_float64():
    found = evaluate(parse_program("X: n; Y[n] = 2*X[n]"), {"X": np.array([1, 2], np.float32)})
    assert list(found) == ["X", "Y"]
    assert all(array.dtype == np.float64 for array in found.values())


def test_integers_stay_integers_and_truth_is_a_sum_above_zero():
    program = parse_program("""
        y: n int
        z: n int; z[n] = y[n] + 1
        t: n bool; t[n] = [y[n]>2] + [y[n]>3]
    """)
    found = evaluate(program, {"y": [2, 3, 4]})
    np.testing.assert_array_equal(found["z"], [3, 4, 5], strict=True)
    np.testing.assert_array_equal(found["t"], [False, True, True], strict=True)


@pytest.mark.parametrize("length", [0, 1])
def test_empty_axes_and_axes_of_length_1(length):
    lines = "X: n k; S[k] = X[n,k]; C[n,k] = X[n,k]*S[k]; L = C[n,k]/k; Z[j] = X[n,j]*X[n,k]"
    X = RANDOM.normal(size=(length, 2))
    found = evaluate(parse_program(lines), {"X": X})
    np.testing.assert_allclose(found["S"], X.sum(0))
    np.testing.assert_allclose(found["C"], X * X.sum(0))
    np.testing.assert_allclose(found["L"], (X * X.sum(0)).sum() / 2)
    np.testing.assert_allclose(found["Z"], (X.T @ X).sum(1))


def test_a_call_sees_the_axes_that_it_runs_over():
    def softmax(Z: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
        return np.exp(Z) / np.exp(Z).sum(axes, keepdims=True)

    program = parse_program(
        "Z: n k; P[n,k] = softmax(Z[n,k] over k); Q[n,k] = softmax(Z[n,k] over n,k)",
        array_functions={"softmax": ArrayFunction("softmax", softmax)},
    )
    found = evaluate(program, {"Z": A})
    np.testing.assert_allclose(found["P"].sum(1), 1)
    np.testing.assert_allclose(found["Q"].sum(), 1)


def test_constants_are_read_like_inputs():
    program = parse_program("x: n; c: n fixed; L = x[n]*c[n]", constants={"c": np.array([1.0, 2])})
    assert evaluate(program, {"x": [3.0, 4]})["L"] == 11


@pytest.mark.parametrize(
    ("lines", "values", "error", "sentence"),
    [
        ("x: n; L = x[n]", {}, UnknownName, "the input x was not given"),
        (
            "x: n; y: n; L = x[n]*y[n]",
            {"x": [1, 2], "y": [1]},
            ShapeError,
            "y is n and was given 1, so n would be 1; but x already made it 2",
        ),
        (
            "x: n; z[n] = g(x[n])",
            {"x": [1.0]},
            NoRule,
            "g was declared without a body; pass it at the call",
        ),
        (
            "x: n; L = C(x[n] over n)",
            {"x": [1.0]},
            NoRule,
            "C was declared without a body; pass it at the call",
        ),
    ],
)
def test_what_cannot_run_says_why(lines, values, error, sentence):
    with pytest.raises(error) as caught:
        evaluate(parse_program(lines), values)
    assert str(caught.value) == sentence
