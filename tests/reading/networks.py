"""Forward passes in index notation, differentiated by the one rule, for every reading to read."""

from backpass.calculus import fused, losses
from backpass.calculus.backward import reverse
from backpass.calculus.op import SCALARS
from backpass.calculus.whole import FUNCTIONS
from backpass.language.notation import parse_program
from backpass.reading.passes import Passes

ENTERED = (fused, losses)  # importing them enters their functions into the tables


def passes(text: str, wrt: str, dialect: str = "code") -> Passes:
    """A forward pass and its backward pass; the program's last line returns the loss."""
    program = parse_program(text, functions=SCALARS, array_functions=FUNCTIONS)
    steps, names = reverse(program.steps, program.arrays, program.outputs[0], wrt.split())
    return Passes(program, tuple(steps), tuple(names), dialect)


# Samples as rows, two layers, a bias each.
BATCH = """\
X: n k
Y: n m
W1: k j
b1: j
W2: j m
b2: m
Z1[n,j] = X[n,k]*W1[k,j] + b1[j]
A1[n,j] = sigmoid(Z1[n,j])
Z2[n,m] = A1[n,j]*W2[j,m] + b2[m]
A2[n,m] = sigmoid(Z2[n,m])
L = 1/2*(A2[n,m]-Y[n,m])**2
return L
"""

# One sample as a column, 2-3-2, ReLU and then sigmoid.
COLUMNS = """\
a1: 2
y: 2
W2: 3 2
W3: 2 3
z2[i] = W2[i,j]*a1[j]
a2[i] = relu(z2[i])
z3[i] = W3[i,j]*a2[j]
a3[i] = sigmoid(z3[i])
L = 1/2*(a3[i]-y[i])**2
return L
"""

# Two numbers in a row.
PAIR = """\
x: ()
w1: ()
w2: ()
z1 = w1*x
h1 = sigmoid(z1)
z2 = w2*h1
y = sigmoid(z2)
return y
"""

# A residual layer, centred, scaled and shifted, with classes at the end.
RESIDUAL = """\
X: n k
y: n int<m
W1: k k
g: k
b: k
W2: k m
Z1[n,k′] = X[n,k]*W1[k,k′]
H[n,k] = relu(Z1[n,k])
A1[n,k] = X[n,k] + H[n,k]
M[n] = A1[n,k]/k
C1[n,k] = A1[n,k] - M[n]
S[n,k] = g[k]*C1[n,k] + b[k]
T[n,k] = tanh(S[n,k])
Z2[n,m] = T[n,k]*W2[k,m]
D[n,m] = Z2[n,m]
L = cross_entropy(D[n,m], y[n] over n,m)
return L
"""

# Entries that move: transposed, sliced, joined, reshaped, scaled.
SHAPES = """\
A: n k
B: n j
s: ()
H: k-1 n
C: n k+j
T[k,n] = A[n,k]
H[i,n] = T[i+1,n]
C[n,i] = A[n,i] for i<k
C[n,k+i] = B[n,i] for i<j
V = s * A[n,k]
M[n] = C[n,i] / (k+j)
Q[n] = M[n]**2 + 1
R[n] = Q[n]**(1/2)
D[i,n] = -H[i,n] / R[n]
L = V + D[i,n]
return L
"""

# A window of three that moves by two.
CONVOLUTION = """\
X: n 2*p+1
W: 3
c: p
Y[n,p] = X[n,2*p+u] * W[u] + c[p]
Z[n,p] = tanh(Y[n,p])
L = Z[n,p]**2 / n
return L
"""
