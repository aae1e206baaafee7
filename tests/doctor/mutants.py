"""Programs of ours with one place rewritten: (old, new, the mistake, tensor, line)."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
_COUNT = itertools.count()


def load(name, folder, *edits):
    """The program as a module of its own, each text replaced by the other."""
    source = (PROGRAMS / f"{name}.py").read_text("utf-8")
    for old, new in edits:
        assert source.count(old) == 1, (old, source.count(old))
        source = source.replace(old, new)
    file = Path(folder) / f"{name}_{next(_COUNT)}.py"
    file.write_text(source, "utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, source.splitlines()


THREE = [
    # what is replaced, by what, the mistakes that it may be called, the tensor, part of the line
    ("error = out - Y", "error = Y - out", {1}, None, "error = Y"),
    ("self.W2 -= self", "self.W2 += self", {2}, "self.W2", "self.W2 +="),
    ("self.b3 -= self", "self.b3 += self", {2}, "self.b3", "self.b3 +="),
    ("d2 = (d3 @", "d2 = 2 * (d3 @", {4}, "self.W2", "d2 = 2"),
    ("self.lr * self.A1.T @ d2", "self.lr * self.A1.T @ (3 * d2)", {4}, "self.W2", "self.W2 -="),
    ("d2 = (d3 @ self.W3.T) * dtanh(self.A2)", "d2 = d3 @ self.W3.T", {16}, "self.W2", "d2 ="),
    ("* dtanh(self.A1)", "", {16}, "self.W1", "d1 ="),
    ("self.lr * X.T @ d1", "self.lr * X.T @ (d1 / dtanh(self.A1))", {17}, "self.W1", "self.W1 -="),
    ("* dtanh(self.A2)", "* dtanh(np.tanh(self.A2))", {18}, "self.W2", "d2 ="),
    ("* dtanh(self.A2)", "* dtanh(self.Z2)", {19}, "self.W2", "d2 ="),
    ("* dtanh(self.A2)", "* self.A2 * (1 - self.A2)", {22}, "self.W2", "d2 ="),
    ("return 1 - a**2", "return 1 - a", {23}, "self.W2", "return 1 - a"),
    ("return 1 - a**2", "return a", {58}, "self.W2", "return a"),
    ("* dtanh(self.A1)", "* dtanh(self.A1) * dtanh(self.A1)", {24}, "self.W1", "d1 ="),
    ("self.lr * self.A1.T @ d2", "self.lr * self.Z1.T @ d2", {26}, "self.W2", "self.W2 -="),
    ("self.lr * self.A1.T @ d2", "self.lr * X.T @ d2", {35}, "self.W2", "self.W2 -="),
    ("self.lr * self.A1.T @ d2", "self.lr * d2.T @ self.A1", {28}, "self.W2", "self.W2 -="),
    ("self.lr * X.T @ d1", "self.lr * X.reshape(4, -1) @ d1", {29}, "self.W1", "self.W1 -="),
    ("d1 = (d2 @ self.W2.T)", "d1 = (d2 @ self.W2)", {30}, "self.W1", "d1 ="),
    ("d2 @ self.W2.T", "d2 @ np.abs(self.W2.T)", {34}, "self.W1", "d1 ="),
    ("d2 @ self.W2.T", "d2 @ self.W1.T", {35}, "self.W1", "d1 ="),
    ("d2 @ self.W2.T", "d2 @ (self.A1.T @ d2).T", {32}, "self.W1", "d1 ="),
    ("d2 @ self.W2.T", "d2", {57}, "self.W1", "d1 ="),
    ("(d3 @ self.W3.T)", "(error @ self.W3.T)", {33}, "self.W2", "d2 ="),
    ("        d1 = (d2 @ self.W2.T)", "        self.W2 -= self.lr * self.A1.T @ d2\n"
     "        d1 = (d2 @ self.W2.T)", {31}, "self.W1", "d1 ="),
    ("        self.b2 -= self.lr * d2.sum(axis=0)\n", "", {37}, "self.b2", "self.W2 -="),
    ("        self.W1 -= self.lr * X.T @ d1\n", "", {36}, "self.W1", "self.b2 -="),
    ("self.lr * d2.sum(axis=0)", "self.lr * d2.sum()", {39}, "self.b2", "self.b2 -="),
    ("self.lr * d2.sum(axis=0)", "self.lr * (d2 / dtanh(self.A2)).sum(axis=0)", {40}, "self.b2",
     "self.b2 -="),
    ("self.lr * d2.sum(axis=0)", "self.lr * (self.A1.T @ d2).sum(axis=0)", {41}, "self.b2",
     "self.b2 -="),
    ("self.lr * d2.sum(axis=0)", "self.lr * d2[-1]", {44}, "self.b2", "self.b2 -="),
    ("self.lr * X.T @ d1", "self.lr * X[:-1].T @ d1[:-1]", {54}, "self.W1", "self.W1 -="),
    ("d3 = error * out * (1 - out)", "d3 = error * error * (1 - error)", {56}, "self.W3", "d3 ="),
    ("d3 = error * out * (1 - out)", "d3 = error * (1 - out)", {None}, "self.W3", "d3 ="),
    ("(d3 @ self.W3.T)", "(out @ self.W3.T)", {None}, "self.W2", "d2 ="),
]  # fmt: skip

CHOOSER = [
    ("ds = (p - T) / n", "ds = (p - T) * p * (1 - p) / n", {11, 13}, "params['V']", "ds ="),
    ("dz = dh * relu_slope(z)", "dz = dh", {16, 20}, "params['U']", "dz = dh"),
    ("dz = dh * relu_slope(z)", "dz = relu(dh)", {55}, "params['U']", "dz ="),
    ("return (z > 0).astype(float)", "return z >= -100", {16, 20}, "params['U']", "return z"),
    ("* relu_slope(z)", "* relu_slope(z) * h * (1 - h)", {22}, "params['U']", "dz ="),
    ("* relu_slope(z)", "* h * (1 - h)", {22}, "params['U']", "dz ="),
    ("\"V\": h.T @ ds", "\"V\": z.T @ ds", {26}, "params['V']", "grads ="),
    ("grads[\"u\"] = dz.sum(axis=0, keepdims=True)",
     "grads[\"u\"] = dz.mean(axis=0, keepdims=True)",
     {4, 9}, "params['u']", "grads[\"u\"]"),
    ("dh = ds @", "dh = (ds / n) @", {4, 7}, "params['U']", "dh ="),
    ("params[key] -= rate", "params[key] += rate", {1}, None, "params[key] +="),
    ("    grads[\"u\"] = dz.sum(axis=0, keepdims=True)", "    grads[\"u\"] = 0", {37},
     "params['u']", "grads[\"u\"] = 0"),
]  # fmt: skip

SCALED = [  # these are no accusations
    ("three", "error = out - Y", "error = 2 * (out - Y)", "correct up to a scale", 3),
    ("three", "error = out - Y", "error = (out - Y) / len(X)", "correct up to a scale", 6),
    ("three", "error = out - Y", "error = (out - Y) / 2", "correct up to a scale", 3),
    ("three", "d3 = error * out * (1 - out)", "d3 = error", "correct for another loss", 10),
    ("chooser", "ds = (p - T) / n", "ds = p - T", "correct up to a scale", 5),
    ("chooser", "ds = (p - T) / n", "ds = (p - T) / n / n", "correct up to a scale", 6),
]
