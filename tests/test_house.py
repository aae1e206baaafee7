"""The house keeps its own rules: small files, plain names, few public ones, NumPy alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import backpass

ROOT = Path(__file__).parents[1]
WRITTEN = {".cfg", ".css", ".html", ".js", ".md", ".py", ".sh", ".svg", ".toml", ".txt", ".yml", ""}


def written_files() -> list[Path]:
    """Every file of the repository that somebody wrote, hidden folders such as .venv left out."""
    entries = [p for p in ROOT.iterdir() if not p.name.startswith(".") or p.name == ".ci"]
    entries = [p for p in entries if p.name != "report.html"]  # the demo leaves it behind
    inside = [file for entry in entries for file in [entry, *entry.rglob("*")]]
    return [p for p in inside if p.is_file() and p.suffix in WRITTEN]


def test_every_file_is_under_400_lines():
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in written_files()}
    assert ROOT / "tests/test_house.py" in lengths
    assert {str(p): n for p, n in lengths.items() if n >= 400 and p.suffix != ".svg"} == {}


def test_every_module_has_a_name_of_its_own():
    nameless = {"utils", "util", "helpers", "helper", "common", "misc"}
    modules = list((ROOT / "backpass").rglob("*.py"))
    assert modules
    assert [str(p) for p in modules if nameless & {p.stem, *p.parts}] == []


def test_the_public_names_are_few_sorted_and_there():
    assert backpass.__all__ == sorted(backpass.__all__)
    assert len(backpass.__all__) <= 20
    assert [name for name in backpass.__all__ if not hasattr(backpass, name)] == []


def test_a_module_does_not_hide_the_verb_of_its_name():
    script = "import backpass.derive, backpass; print(backpass.derive.__class__.__name__)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "function"


def test_no_sentence_depends_on_a_machine():
    # a path of somebody's machine, a folder beside the checkout, the address of a registry
    banned = re.compile(
        r"(?<![\w.])/(work|root|home|Users)/|\.\./shared"
        r"|pythonhosted\.org|registry\.npmjs|deb\.debian|(?<!\w)pypi\.org/simple"
    )
    here = Path(__file__)
    found = [
        f"{p.relative_to(ROOT)}:{number}: {line.strip()}"
        for p in written_files()
        if p != here
        for number, line in enumerate(p.read_text("utf-8").splitlines(), 1)
        if banned.search(line)
    ]
    assert found == []


NUMPY_ALONE = '''
import sys

class Nothing:
    """Refuse every import but NumPy, the standard library and backpass itself."""

    allowed = {*sys.stdlib_module_names, "numpy", "backpass", "__main__"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ImportError(f"{name} is not NumPy")

sys.meta_path.insert(0, Nothing())

import numpy as np
import backpass as bp

def loss(X, Y, W1, b1, W2):
    A1 = bp.sigmoid(X @ W1 + b1)
    return 0.5 * np.sum((A1 @ W2 - Y) ** 2)

shapes = "X: n k, Y: n m, W1: k j, b1: j, W2: j m"
d = bp.derive(loss, shapes, wrt="W1 b1 W2")
assert "X.T @ dZ1" in str(d)
for text in d.why("W1"), d.index(), d.latex(), d.markdown(), d.html(), d.chain("W1"), d.code():
    assert str(text)
assert str(d.check())

random = np.random.default_rng(0)
sizes = dict(n=5, k=3, j=4, m=2)
args = [
    random.normal(size=[sizes[s] for s in entry.split(":")[1].split()])
    for entry in shapes.split(",")
]
value, gradients = d(*args)
assert value == loss(*args)
assert {name: g.shape for name, g in gradients.items()} == {"W1": (3, 4), "b1": (4,), "W2": (4, 2)}
try:
    import scipy
except ImportError:
    print("NumPy was enough")
'''


def test_deriving_explaining_checking_and_writing_need_numpy_alone(tmp_path: Path):
    script = tmp_path / "numpy_alone.py"  # a file, so that the forward pass has source lines
    script.write_text(NUMPY_ALONE, "utf-8")
    run = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.strip() == "NumPy was enough", run.stderr
