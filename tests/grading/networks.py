"""A small assignment and what people hand in, as text."""

from pathlib import Path

REFERENCE = """
import numpy as np
import backpass as bp

params = {"W1": np.ones((4, 5)), "b1": np.ones(5), "W2": np.ones((5, 3)), "b2": np.ones(3)}
X, y = np.full((6, 4), 0.5), np.full((6, 3), 0.5)


def loss(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = bp.sigmoid(A1 @ params["W2"] + params["b2"])
    return 0.5 * np.sum((A2 - y) ** 2) / len(X)
"""

RIGHT = """
import numpy as np


def grads(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = 1 / (1 + np.exp(-(A1 @ params["W2"] + params["b2"])))
    dZ2 = (A2 - y) * A2 * (1 - A2) / len(X)
    dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 * (1 - A1**2)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}
"""


def edited(old: str, new: str, source: str = RIGHT) -> str:
    assert old in source
    return source.replace(old, new)


def handed_in(folder: Path, **sources: str) -> Path:
    """A folder with a file for each."""
    folder.mkdir(exist_ok=True)
    for name, text in sources.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    return folder
