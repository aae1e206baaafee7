"""How NumPy spells each function that a program may apply.

An expression has `{0}`, `{1}` … in the place of its arguments; a definition is emitted above the
function that uses it. A function that is not listed, such as one that was only declared, becomes
an argument of the emitted function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelling:
    """The expression for a call; `define` is source that must stand above it.

    `axis` says that the function takes the axes that it runs over, as NumPy does.
    """

    expression: str
    define: str = ""
    needs: tuple[str, ...] = ()  # other entries, whose definitions must stand above this one
    axis: bool = False
    places: bool = False  # whether it answers with integers


def defined(source: str, *needs: str, axis: bool = False) -> Spelling:
    """A function spelled by a definition of its own."""
    source = source.strip()
    found = re.match(r"def (\w+)\(([^)]*)\)", source)
    assert found is not None
    count = len([name for name in found[2].split(",") if name.strip() != "axis"])
    arguments = ", ".join(f"{{{place}}}" for place in range(count))
    return Spelling(f"{found[1]}({arguments})", source, needs, axis)


FUNCTIONS = {
    name: Spelling(f"np.{name}({{0}})")
    for name in (
        *("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tanh", "sqrt"),
        *("abs", "sign"),
    )
} | {
    "logaddexp": Spelling("np.logaddexp({0}, {1})"),
    "maximum": Spelling("np.maximum({0}, {1})"),
    "minimum": Spelling("np.minimum({0}, {1})"),
    "clip": Spelling("np.clip({0}, {1}, {2})"),
    "where": Spelling("np.where({0}, {1}, {2})"),
    "relu": Spelling("np.maximum({0}, 0)"),
    "softplus": Spelling("np.logaddexp({0}, 0)"),
    "sigmoid": defined("""
def sigmoid(z):
    with np.errstate(over="ignore"):  # exp(800) is inf, and 1 / inf is 0 as it should
        return 1 / (1 + np.exp(-z))
"""),
    "leaky_relu": defined("""
def leaky_relu(z, slope):
    return np.where(z > 0, z, slope * z)
"""),
    "huber_entry": defined("""
def huber_entry(e, delta):
    size = np.abs(e)
    return np.where(size <= delta, 0.5 * e * e, delta * (size - 0.5 * delta))
"""),
    "logistic_loss": defined("""
def logistic_loss(z, t):
    return np.logaddexp(z, 0) - t * z
"""),
    "bernoulli_loss": defined("""
def bernoulli_loss(p, t):
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(t == 0, 0, t * np.log(p))  # 0 · log 0 is 0 here
        no = np.where(t == 1, 0, (1 - t) * np.log1p(-p))
    return -(yes + no)
"""),
}

ARRAY_FUNCTIONS = {
    "softmax": defined('''
def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))  # exp(800) overflows, exp(0) is 1
    return e / e.sum(axis=axis, keepdims=True)
''', axis=True),
    "logsumexp": defined('''
def logsumexp(z, axis):
    top = z.max(axis=axis, keepdims=True)  # exp(800) overflows, exp(0) does not
    return np.log(np.exp(z - top).sum(axis=axis)) + top.squeeze(axis)
''', axis=True),
    "log_softmax": defined('''
def log_softmax(z, axis):
    z = z - z.max(axis=axis, keepdims=True)  # exp(800) overflows, exp(0) does not
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))
''', axis=True),
    "cross_entropy": defined('''
def cross_entropy(z, y):
    z = z - z.max(axis=-1, keepdims=True)  # exp(800) overflows, exp(0) does not
    total = np.exp(z).sum(axis=-1)
    picked = z.reshape(-1, z.shape[-1])[np.arange(y.size), y.ravel()]
    return (np.log(total).ravel() - picked).sum() / y.size
'''),
    "cross_entropy_of_shares": defined('''
def cross_entropy_of_shares(z, t):
    return (logsumexp(z, -1) - (t * z).sum(axis=-1)).mean()
''', "logsumexp"),
    "cross_entropy_of_weights": defined('''
def cross_entropy_of_weights(z, t):
    return -(t * log_softmax(z, -1)).sum(axis=-1).mean()
''', "log_softmax"),
    "argmax": Spelling("np.argmax({0})", axis=True, places=True),
    "argmin": Spelling("np.argmin({0})", axis=True, places=True),
}  # fmt: skip

# A loss beside the softmax of its logits: the exponentials are computed once.
JOINT_FUNCTIONS = {
    "cross_entropy_and_softmax": defined("""
def cross_entropy_and_softmax(z, y):
    z = z - z.max(axis=-1, keepdims=True)  # exp(800) overflows, exp(0) is 1
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    picked = z.reshape(-1, z.shape[-1])[np.arange(y.size), y.ravel()]
    return (np.log(total).ravel() - picked).sum() / y.size, e / total
"""),
    "cross_entropy_of_shares_and_softmax": defined("""
def cross_entropy_of_shares_and_softmax(z, t):
    top = z.max(axis=-1, keepdims=True)
    e = np.exp(z - top)  # exp(800) overflows, exp(0) is 1
    total = e.sum(axis=-1, keepdims=True)
    each = (np.log(total) + top).squeeze(-1) - (t * z).sum(axis=-1)
    return each.mean(), e / total
"""),
    "cross_entropy_of_weights_and_softmax": defined("""
def cross_entropy_of_weights_and_softmax(z, t):
    z = z - z.max(axis=-1, keepdims=True)  # exp(800) overflows, exp(0) is 1
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    return -(t * (z - np.log(total))).sum(axis=-1).mean(), e / total
"""),
}
WITH_SOFTMAX = {name.removesuffix("_and_softmax"): name for name in JOINT_FUNCTIONS}

VIEWS = {
    "sliding_window_view": Spelling(
        "sliding_window_view({0}, {1}, {2})",
        "from numpy.lib.stride_tricks import sliding_window_view",
    ),
}

SPELLINGS = FUNCTIONS | ARRAY_FUNCTIONS | JOINT_FUNCTIONS | VIEWS
