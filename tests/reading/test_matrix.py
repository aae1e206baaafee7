"""Every tree that is recognised is computed and held to the literal runner."""

from itertools import permutations, product

import numpy as np
import pytest

from backpass.language.evaluate import evaluate, evaluate_step
from backpass.language.expr import Function, Label, Read, multiply
from backpass.language.notation import parse_program
from backpass.language.program import Array, ArrayFunction, Step, Write
from backpass.language.shapes import evaluate_size, size
from backpass.reading import tree
from backpass.reading.matrix import matrix, matrix_write
from tests.reading.trees import Runner, outline

RANDOM = np.random.default_rng(0)
SIZES = dict(zip("abcdefg", (2, 3, 4, 5, 6, 7, 8), strict=True))


# ── all products of two factors ──────────────────────────────────────────────────────────────


def patterns(slots, used=0):
    """Every way to label slots, up to the names of the labels: 0, then 0 or 1, and so on."""
    if not slots:
        yield ()
        return
    for label in range(used + 1):
        for rest in patterns(slots - 1, max(used, label + 1)):
            yield (label, *rest)


def two_factor_writes(rank):
    """All products of two reads of rank up to `rank`, under every left side up to that rank."""
    extra = Label("g", size("g"))
    for one, two in product(range(rank + 1), repeat=2):
        for slots in patterns(one + two):
            labels = [Label(name, size(name)) for name in "abcdef"[: len(set(slots))]]
            index = tuple(labels[i] for i in slots)
            term = multiply(Read("A", index[:one]), Read("B", index[one:]))
            for kept in range(rank + 1):
                for left in permutations([*labels, extra], kept):
                    yield Write(left, term, tuple(dict.fromkeys((*left, *labels))))


def is_matrix_product(write):
    """The rule in the plainest words, for factors without repeated labels."""
    a, b, c = *(set(read.index) for read in write.term.factors), set(write.left)
    summed, free, batch = (a & b) - c, ((a ^ b) & c), a & b & c
    lead = [tuple(label for label in x.index if label in batch) for x in write.term.factors]
    straight = all(x.index[: len(batch)] == lead[0] for x in write.term.factors)
    kept = tuple(label for label in write.left if label in a | b)
    return (
        len(summed) == 1
        and not (a ^ b) - c
        and len(free & a) <= 1
        and len(free & b) <= 1
        and (not batch or (len(free) == 2 and straight and kept[: len(batch)] == lead[0]))
    )


def is_stack_times_matrix(write):
    """`X[b,n,d] * W[d,k]`: rows under several labels meet one matrix, or one vector."""
    for wide, one in permutations(write.term.factors):
        summed = {*wide.index} & {*one.index} - {*write.left}
        rows = tuple(label for label in wide.index if label not in summed)
        free = tuple(label for label in one.index if label not in summed)
        kept = tuple(label for label in write.left if label in rows + free)
        last = {*wide.index[-2:]} >= summed  # what is turned is the last two axes
        if len(summed) == 1 < len(rows) and len(free) < 2 and kept == rows + free and last:
            return {*rows}.isdisjoint(free)
    return False


def test_every_product_of_two_factors_is_recognised_rightly_or_not_at_all():
    seen, recognised = 0, 0
    for write in two_factor_writes(3):
        seen += 1
        reads = write.term.factors
        arrays = {r.name: Array(r.name, tuple(label.size for label in r.index)) for r in reads}
        target = Array("C", tuple(label.size for label in write.left))
        node = matrix_write(write, target, arrays)
        if all(len(set(read.index)) == len(read.index) for read in reads):
            found = isinstance(node.value if isinstance(node, tree.Spread) else node, tree.Matmul)
            assert found == (is_matrix_product(write) or is_stack_times_matrix(write)), write
        if node is None:
            continue
        recognised += 1
        assert node.axes == write.left
        values = {
            name: RANDOM.normal(size=[evaluate_size(axis, SIZES) for axis in array.shape])
            for name, array in arrays.items()
        }
        want = evaluate_step(Step(target, (write,)), values, SIZES)
        np.testing.assert_allclose(Runner(values, SIZES)(node), want, atol=1e-12)
    assert seen == 18768
    assert recognised == 1430


# ── what people write ────────────────────────────────────────────────────────────────────────

RECOGNISED = [
    # products
    ("X: n k; W: k j; b: j; Z[n,j] = X[n,k]*W[k,j] + b[j]", "Add(Matmul(X, W), Spread(b))"),
    ("X: n k; dZ: n j; dW[k,j] = X[n,k]*dZ[n,j]", "Matmul(Transpose(X), dZ)"),
    ("X: n k; dZ: n j; dW[k,j] = dZ[n,j]*X[n,k]", "Matmul(Transpose(X), dZ)"),
    ("X: n k; dZ: n j; dW[j,k] = X[n,k]*dZ[n,j]", "Matmul(Transpose(dZ), X)"),
    ("W: j k; x: k; z[j] = W[j,k]*x[k]", "Matmul(W, x)"),
    ("W: j k; x: k; z[j] = x[k]*W[j,k]", "Matmul(x, Transpose(W))"),
    ("W: j k; dz: j; dx[k] = W[j,k]*dz[j]", "Matmul(Transpose(W), dz)"),
    ("W: o h; x: h 1; b: o 1; z[o,p] = W[o,h]*x[h,p] + b[o,p]", "Add(Matmul(W, x), b)"),
    ("X: b n d; W: d k; Z[b,n,k] = X[b,n,d]*W[d,k]", "Matmul(X, W)"),
    ("dZ: b n k; W: d k; dX[b,n,d] = dZ[b,n,k]*W[d,k]", "Matmul(dZ, Transpose(W))"),
    ("X: b n d; w: d; b0: b; z[b,n] = X[b,n,d]*w[d] + b0[b]", "Add(Matmul(X, w), Spread(b0))"),
    ("x: k; y: k; L = x[k]*y[k]", "Matmul(x, y)"),
    ("x: i; A: i i; L = x[i]*A[i,j]*x[j]", "Matmul(Matmul(x, A), x)"),
    ("A: h i; B: i j; x: j; z[h] = A[h,i]*B[i,j]*x[j]", "Matmul(A, Matmul(B, x))"),
    (
        "A: h i; B: i j; C: j k; z[k,h] = A[h,i]*B[i,j]*C[j,k]",
        "Matmul(Matmul(Transpose(C), Transpose(B)), Transpose(A))",
    ),
    (
        "Q: h i d; K: h j d; S[h,i,j] = Q[h,i,d]*K[h,j,d]/d**(1/2)",
        "Quotient(Matmul(Q, Transpose(K)), Powered(d, 1/2))",
    ),
    (
        "X: n k; A: n j; Y: n j; dW[k,j] = X[n,k]*(A[n,j]-Y[n,j])/n",
        "Quotient(Matmul(Transpose(X), Add(A, Negative(Y))), n)",
    ),
    (
        "X: n k; D: n j; A: n j; dW[k,j] = X[n,k]*D[n,j]*A[n,j]*(1-A[n,j])",
        "Matmul(Transpose(X), Times(D, A, Add(1, Negative(A))))",
    ),
    (
        "dY: n j; C: k j; B: n k; R[n,k] = dY[n,j]*C[k,j]*B[n,k]",
        "Times(Matmul(dY, Transpose(C)), B)",
    ),
    ("a: i; b: j; C[i,j] = 2*a[i]*b[j]", "Times(2, Outer(a, b))"),
    ("a: i; b: j; C[j,i] = a[i]*b[j]", "Outer(b, a)"),
    (
        "A: i i; x: i; d[i] = A[i,j]*x[j] + A[j,i]*x[j]",
        "Add(Matmul(A, x), Matmul(Transpose(A), x))",
    ),
    # entry by entry
    ("D: n m; A: n m; d[n,m] = D[n,m]*A[n,m]*(1-A[n,m])", "Times(D, A, Add(1, Negative(A)))"),
    ("A: n m; B: m n; C[m,n] = A[n,m]*B[m,n]", "Times(Transpose(A), B)"),
    ("X: n k; s: n; Y[n,k] = X[n,k]*s[n]", "Times(X, Spread(s))"),
    ("X: n k; r: k; Y[n,k] = X[n,k]/r[k]", "Quotient(X, Spread(r))"),
    ("Z: n k; Y[n,k] = -tanh(Z[n,k])**2", "Negative(Powered(Applied(tanh, Z), 2))"),
    ("Z: n k; Y[n,k] = 1/(1+exp(-Z[n,k]))", "Quotient(1, Add(1, Applied(exp, Negative(Z))))"),
    ("D: n k; Z: n k; Y[n,k] = D[n,k]*[Z[n,k]>0]", "Times(D, Compared(>, Z, 0))"),
    (
        "P: n k; y: n int<k; d[n,k] = (P[n,k] - [k==y[n]])/n",
        "Quotient(Add(P, Negative(OneHot(y))), n)",
    ),
    # sums
    (
        "A: n m; Y: n m; L = 1/2*(A[n,m]-Y[n,m])**2",
        "Times(1/2, Total(Powered(Add(A, Negative(Y)), 2), n, m))",
    ),
    (
        "A: n m; Y: n m; L = 1/2*(A[n,m]-Y[n,m])**2/n",
        "Quotient(Total(Powered(Add(A, Negative(Y)), 2), n, m), Times(2, n))",
    ),
    ("A: n m; y: m; L = (A[n,m]-y[m])", "Total(Add(A, Negative(Spread(y))), n, m)"),
    ("dL: (); A: n m; dy[m] = -dL for n, m", "Negative(Spread(Times(n, dL)))"),
    ("dZ: n m; db[m] = dZ[n,m]", "Total(dZ, n)"),
    ("A: n m k; B: n m k; C[k] = A[n,m,k]*B[n,m,k]", "Total(Times(A, B), n, m)"),
    ("A: i i; L = A[i,i]", "Total(Diagonal(A), i)"),
    # copies and parts
    ("dL: (); A: n m; dA: n m; dA[n,m] = dL for n, m", "Spread(dL)"),
    ("A: i i; d[i] = A[i,i]", "Diagonal(A)"),
    ("a: i; D: i i; D[i,i] = a[i]", "DiagonalMatrix(a)"),
    ("E: v d; ids: n t int<v; X[n,t,d] = E[ids[n,t],d]", "Picked(E, ids, :)"),
    (
        "P: n k; y: n int<k; L = -log(P[n,y[n]])/n",
        "Negative(Quotient(Total(Applied(log, Picked(P, Ramp(), y)), n), n))",
    ),
    ("X: n 5; Y[n,j] = X[n,2*j+1] for n, j<2", "Picked(X, :, 1:2×2)"),
    ("X: n k; Y: n k; Y[n,j] = X[n,k-1-j] for n, j<k", "Picked(X, :, k-1:-1×k)"),
    ("X: n k; Y: n k; Y[n,k-1-j] = X[n,j] for n, j<k", "Picked(X, :, k-1:-1×k)"),
    ("X: n k; y[n] = X[n,0]", "Picked(X, :, 0)"),
    ("x: 6; Y: 2 3; Y[i,j] = x[3*i+j] for i<2, j<3", "Reshaped(x)"),
    ("X: n h w; Y: n h*w; Y[n,w*i+j] = X[n,i,j] for n, i<h, j<w", "Reshaped(X)"),
    # axes of length 1
    ("X: n k; b: 1 k; Z[n,k] = X[n,k] + b[0,k]", "Add(X, Spread(Thin(b)))"),
    ("dZ: n k; db: 1 k; db[0,k] = dZ[n,k] for n, k", "Spread(Total(dZ, n))"),
    ("E: n k; S: n 1; P[n,k] = E[n,k]/S[n,0]", "Quotient(E, Spread(Thin(S)))"),
    (
        "D: n k; S: n 1; dS: n 1; dS[n,0] = -D[n,k]/S[n,0]**2",
        "Negative(Quotient(Spread(Total(D, k)), Powered(S, 2)))",
    ),
    # end to end
    (
        "X: n k; Y: n k+1; Y[n,i] = X[n,i] for n, i<k; Y[n,size(k)] = 1 for n",
        "Stacked(X, Spread(1))",
    ),
    (
        "A: h k; B: i k; Y: h+i k; Y[j,l] = A[j,l] for j<h, l<k;"
        "Y[size(h)+j,l] = 2*B[j,l] for j<i, l<k",
        "Stacked(A, Times(2, B))",
    ),
    ("Z: n k; P[n,k] = softmax(Z[n,k] over k)", "Called(softmax, Z, k)"),
]

NOT_RECOGNISED = [
    "a: i; b: j; C[i,j] = a[i]+b[j]",
    "X: n k; W: k j; L = X[n,k]*W[k,j]",
    "A: n k; B: n k j; C[j] = A[n,k]*B[n,k,j]",
    "X: n k; s: n; D: n j; dW[k,j] = X[n,k]*s[n]*D[n,j]",
    "A: n m; B: n m; C[k] = A[n,m]*B[n,k]*A[n,k] for k<m",
    "A: b i j; C[j,b,i] = A[b,i,j]",
    "A: i j; B: j k; C[i,k] = tanh(A[i,j]*B[j,k])",
    "X: n d; C: k d; D[n,k] = (X[n,d]-C[k,d])**2",
    "E: v d; ids: n int<v; X: n d; dE: v d; dE[ids[n],d] = X[n,d]",
    "x: n; Y: n+2; Y[i+1] = x[i]",
    "x: n+2; w: 3; y[i] = x[i+u]*w[u] for i<n, u<3",
    "A: i i i; d[i] = A[i,i,i]",
    "A: n n; M[i,j] = A[i,j]*[j<=i]",
    "X: n k n; ids: n int<n; Y[k,n] = X[ids[n],k,n]",
]


def softmax(z, axes):
    return np.exp(z) / np.exp(z).sum(axis=axes, keepdims=True)


FUNCTIONS = {name: Function(name, getattr(np, name)) for name in ("tanh", "exp", "log")}
ARRAY_FUNCTIONS = {"softmax": ArrayFunction("softmax", softmax)}


def parsed(text):
    return parse_program(text, FUNCTIONS, ARRAY_FUNCTIONS)


def values_for(program, sizes):
    def value(array):
        shape = [evaluate_size(axis, sizes) for axis in array.shape]
        if array.kind == "int":
            return RANDOM.integers(max(evaluate_size(array.below, sizes), 1), size=shape)
        return RANDOM.uniform(0.5, 2, size=shape)

    return {array.name: value(array) for array in program.inputs}


@pytest.mark.parametrize(("text", "expected"), RECOGNISED)
def test_what_people_write_is_recognised(text, expected):
    program = parsed(text)
    (step,) = program.steps
    node = matrix(step, program.arrays)
    assert node is not None
    assert outline(node) == expected
    assert tuple(label.size for label in node.axes) == step.target.shape
    names = "abcdefghijklmnopqrstuvwxyz"
    # the mean, an entry or the softmax of nothing
    undefined = any(one in text for one in ("/", "X[n,0]", "softmax"))
    for lengths in [[4, 3, 5, 2], [1], [1, 3], [2, 1]] + [[2, 0], [0]] * (not undefined):
        sizes = {name: lengths[i % len(lengths)] for i, name in enumerate(names)}
        values = values_for(program, sizes)
        want = evaluate(program, values)[step.name]
        np.testing.assert_allclose(Runner(values, sizes)(node), want, atol=1e-12)


@pytest.mark.parametrize("text", NOT_RECOGNISED)
def test_all_else_stays_in_index_notation(text):
    program = parsed(text)
    (step,) = program.steps
    assert matrix(step, program.arrays) is None
