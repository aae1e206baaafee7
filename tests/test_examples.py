"""The examples run as they stand."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(path: Path) -> str:
    process = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout


def functions(path: Path) -> dict[str, str]:
    """The functions of a file without their docstrings, as text."""
    found: dict[str, str] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[ast.get_docstring(node) is not None :]
            found[node.name] = ast.unparse(node)
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_imports_only_what_anybody_can(path: Path):
    modules = re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text("utf-8"), re.MULTILINE)
    assert set(modules) <= {"numpy", "backpass", "backpass.nn.data"}


def test_the_digits_are_read():
    out = run(ROOT / "examples/digits.py")
    assert "dW1 = X.T @ dZ1" in out
    losses = [float(text) for text in re.findall(r"loss ([\d.]+)", out)]
    assert losses[-1] < 0.1 * losses[0]
    accuracy = re.search(r"([\d.]+)% of 450 held-out digits read", out)
    assert accuracy is not None
    assert float(accuracy[1]) >= 96


def test_the_digits_example_is_short_and_writes_its_forward_pass_itself():
    path = ROOT / "examples/digits.py"
    assert set(functions(path)) == {"softmax", "loss"}
    assert len(path.read_text("utf-8").splitlines()) <= 60


def test_the_published_numbers_are_explained():
    out = run(ROOT / "examples/published.py")
    assert "loss     0.291027924  0.291027774   0.291027924" in out
    assert "W1: updated W is used for δ [31]" in out
