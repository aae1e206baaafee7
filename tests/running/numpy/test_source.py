"""Emitted NumPy against the literal runner, on random programs and on what people write."""

from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backpass.derive import derive
from backpass.language.evaluate import evaluate
from backpass.language.notation import parse_program
from backpass.running.numpy.source import source
from backpass.running.runner import compile_numpy
from tests.running.random_steps import Maker

EXAMPLES = settings().max_examples


# ── random programs ──────────────────────────────────────────────────────────────────────────


@pytest.mark.fuzz
@settings(max_examples=max(400, EXAMPLES))
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_emitted_source_computes_what_the_loop_nests_say(seed, lengths):
    maker = Maker(seed, dict(zip("abc", lengths, strict=True)))
    program = maker.program()
    values = maker.values(program)
    wanted = evaluate(program, values)
    before = {name: value.copy() for name, value in values.items()}
    run = compile_numpy(program, gradients=list(program.outputs))
    _, found = run(values)
    for name, value in zip(program.outputs, found, strict=True):
        np.testing.assert_allclose(
            value, wanted[name], rtol=1e-11, atol=1e-11, err_msg=run.source.text
        )
        assert np.shape(value) == wanted[name].shape
        value = np.asarray(value)
        value += 1  # it is the caller's own, and writing to it changes nothing else
    for name, value in values.items():
        np.testing.assert_array_equal(value, before[name])
    single = {k: v.astype(np.float32) if v.dtype == float else v for k, v in values.items()}
    with np.errstate(all="ignore"):
        _, found = run(single)
    kinds = [np.asarray(value).dtype for value in found]
    assert kinds == [np.float32] * len(found), run.source.text


# ── what it looks like ───────────────────────────────────────────────────────────────────────


def network(X, Y, W1, b1, W2, b2):
    A1 = 1 / (1 + np.exp(-(X @ W1 + b1)))
    A2 = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
    return 0.5 * np.sum((A2 - Y) ** 2)


def test_a_network_reads_as_if_written_by_hand():
    derivation = derive(
        network, "X: n k, Y: n m, W1: k j, b1: j, W2: j m, b2: m", wrt="W1 b1 W2 b2"
    )
    text = source(derivation.program, gradients=dict(derivation.gradients)).text
    assert text == dedent('''\
        import numpy as np


        def sigmoid(z):
            with np.errstate(over="ignore"):  # exp(800) is inf, and 1 / inf is 0 as it should
                return 1 / (1 + np.exp(-z))


        def forward_backward(X, Y, W1, b1, W2, b2):
            """Return L and its gradients.

            X (n, k), Y (n, m), W1 (k, j), b1 (j,), W2 (j, m), b2 (m,)
            """
            Z1 = X @ W1 + b1           # (n, j)
            A1 = sigmoid(Z1)           # (n, j)
            Z2 = A1 @ W2 + b2          # (n, m)
            A2 = sigmoid(Z2)           # (n, m)
            L = 0.5 * np.sum((A2 - Y) ** 2)
            dA2 = A2 - Y               # (n, m)
            dZ2 = dA2 * A2 * (1 - A2)  # (n, m)
            dW2 = A1.T @ dZ2           # (j, m)
            db2 = dZ2.sum(axis=0)      # (m,)
            dA1 = dZ2 @ W2.T           # (n, j)
            dZ1 = dA1 * A1 * (1 - A1)  # (n, j)
            dW1 = X.T @ dZ1            # (k, j)
            db1 = dZ1.sum(axis=0)      # (j,)
            return L, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
        ''')


def body(text, **options):
    """The lines of a program's function, without its docstring."""
    emitted = source(parse_program(text), name="f", **options).text
    return dedent(emitted.partition('"""\n')[2]).strip()


LINES = [
    # how tightly things bind
    ("X: n k; D: n j; dW[k,j] = X[n,k]*D[n,j]/n", "n = X.shape[0]", "dW = (X.T @ D) / n  # (k, j)"),
    ("D: n j; C: k j; B: n k; R[n,k] = D[n,j]*C[k,j]*B[n,k]", "R = (D @ C.T) * B  # (n, k)"),
    ("A: h i; B: i j; x: j; z[h] = A[h,i]*B[i,j]*x[j]", "z = A @ (B @ x)  # (h,)"),
    ("a: i; b: i; c[i] = a[i] - (b[i] - a[i])", "c = a - (b - a)  # (i,)"),
    ("a: i; b: i; c[i] = -a[i]*b[i]/(a[i]+1)", "c = -a * b / (a + 1)  # (i,)"),
    ("a: i; b: i; c[i] = a[i]/(b[i]/2)", "c = 2 * a / b  # (i,)"),
    ("a: i; b: i; c[i] = (-a[i])**2 - b[i]**(-1/2)", "c = (-a) ** 2 - 1 / np.sqrt(b)  # (i,)"),
    ("a: i; c[i] = a[i]**3/3", "c = (1 / 3) * (a * a**2)  # (i,)"),
    ("a: i; c[i] = 2/3*a[i]", "c = (2 / 3) * a  # (i,)"),
    ("a: i; c[i] = 0.123456789*0.987654321*a[i] + 1", "c = 0.12193263111263528 * a + 1  # (i,)"),
    ("a: i; c[i] = a[i]*[i==3] + [size(i)>2]",
     "i = a.shape[0]", "c = a * (np.arange(i) == 3) + int(i > 2)  # (i,)"),
    # axes
    ("X: n k; s: n; Y[n,k] = X[n,k]*s[n]", "Y = X * s[:, None]  # (n, k)"),
    ("a: i; b: j; C[i,j] = a[i]+b[j]", "C = a[:, None] + b  # (i, j)"),
    ("D: n k; S: n 1; d: n 1; d[n,0] = -D[n,k]/S[n,0]**2",
     "d = -D.sum(axis=1, keepdims=True) / S**2  # (n, 1)"),
    ("X: n t d; W: d j; Z[n,t,j] = X[n,t,d]*W[d,j]",
     "Z = X @ W  # (n, t, j)"),
    ("Q: b i h d; K: b j h d; S[b,h,i,j] = Q[b,i,h,d]*K[b,j,h,d]",
     "S = Q.transpose(0, 2, 1, 3) @ K.transpose(0, 2, 3, 1)  # (b, h, i, j)"),
    ("X: n k; W: k j; L = X[n,k]*W[k,j]", "L = X.sum(axis=0) @ W.sum(axis=1)"),
    ("X: n k; s: n; D: n j; dW[k,j] = X[n,k]*s[n]*D[n,j]",
     'dW = np.einsum("nk,n,nj->kj", X, s, D, optimize=True)  # (k, j)'),
    # indices
    ("P: n k; y: n int<k; d[n,k] = P[n,k] - [k==y[n]]",
     "k = P.shape[1]", "d = P - (y[:, None] == np.arange(k))  # (n, k)"),
    ("x: k; y: k; y[j] = x[k-1-j] for j<k", "y = x[::-1].copy()  # (k,)"),
    ("X: n k; ids: m int<n; D: m k; dX: n k; dX[ids[m],k] = D[m,k]",
     "dtype = np.result_type(X, D)", "n, k = X.shape", "dX = np.zeros((n, k), dtype)  # (n, k)",
     "np.add.at(dX, ids, D)"),
    ("P: n k; y: n int<k; D: n; dP: n k; dP[n,y[n]] = -D[n]",
     "dtype = np.result_type(P, D)", "n, k = P.shape", "dP = np.zeros((n, k), dtype)  # (n, k)",
     "dP[np.arange(n), y] = -D"),
    ("x: n; y: n+2; y[i+1] = x[i]; y[i] += x[i] for i<n",
     "dtype = x.dtype", "n = x.shape[0]", "y = np.zeros((n + 2,), dtype)  # (n+2,)",
     "y[1:n + 1] = x", "y[:n] += x"),
    ("D: n 3; w: 2; dx: n 7; dx[n,2*p+u] = D[n,p]*w[u] for n, p<3, u<2",
     "dtype = np.result_type(D, w)", "n = D.shape[0]", "dx = np.zeros((n, 7), dtype)  # (n, 7)",
     "parts = D[:, :, None] * w", "for u in range(2):", "    dx[:, u:u + 6:2] += parts[..., u]"),
    ("x: n 7; w: 2; y[n,p] = x[n,2*p+u]*w[u] for n, p<3, u<2",
     "y = np.tensordot(sliding_window_view(x, 2, 1)[:, ::2], w, axes=(2, 0))  # (n, 3)"),
]  # fmt: skip


@pytest.mark.parametrize("case", LINES, ids=lambda case: case[0])
def test_lines_are_plain(case):
    text, *lines = case
    assert body(text).splitlines()[:-1] == lines


def test_gradients_come_nested_as_they_were_asked_for():
    nest = {"layers": [{"it's": "b"}, ("c",)], 'a "b"\n': "b"}
    lines = body("a: i; b[i] = 2*a[i]; c[i] = 3*a[i]; return c, b", gradients=nest).splitlines()
    assert lines[-1] == 'return c, {"layers": [{"it\'s": b}, (c,)], "a \\"b\\"\\n": b}'


def test_a_long_sum_goes_over_several_lines():
    names = [f"quantity{number}" for number in range(9)]
    text = "; ".join(f"{name}: i" for name in names)
    lines = body(f"{text}; total[i] = {' - '.join(f'{name}[i]' for name in names)}").splitlines()
    assert lines[:3] == ["total = (  # (i,)", "    quantity0", "    - quantity1"]
    assert max(map(len, lines)) < 40


def test_names_are_identifiers_of_our_own():
    program = parse_program("lambda: n; W′: n; np: n; σ1[n] = lambda[n]*W′[n]*np[n]/n")
    emitted = source(program, name="f")
    assert emitted.arrays == ("lambda", "W′", "np")
    assert "def f(lambda_, W_prime, np_):" in emitted.text
    assert "sigma1 = lambda_ * W_prime * np_ / n" in emitted.text


def test_a_size_is_called_otherwise_where_an_array_has_its_name():
    values = {"n": np.array(3.0), "x": np.ones(4)}
    run = compile_numpy(parse_program("n: (); x: n; L = x[n]*n[]/size(n)"))
    assert "n_ = x.shape[0]" in run.source.text
    assert run(values) == 3
