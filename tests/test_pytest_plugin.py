"""The fixture in a pytest of its own: what passes, what fails, and with which words."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


NETWORK = """
import numpy as np
import pytest


class Network:
    def __init__(self):
        random = np.random.default_rng(0)
        self.W1, self.W2 = random.normal(size=(3, 4)), random.normal(size=(4, 2))

    def step(self, X, Y):
        A = np.tanh(X @ self.W1)
        dZ2 = A @ self.W2 - Y
        dZ1 = dZ2 @ self.W2.T * SLOPE
        self.W2 -= 0.1 * A.T @ dZ2
        self.W1 -= 0.1 * X.T @ dZ1


X, Y = np.ones((6, 3)), np.ones((6, 2))
"""


def ran(pytester: pytest.Pytester, test: str, slope: str = "(1 - A**2)") -> pytest.RunResult:
    pytester.makepyfile(NETWORK.replace("SLOPE", slope) + test)
    return pytester.runpytest_subprocess("-p", "backpass.pytest_plugin", "-p", "no:cacheprovider")


def test_right_code_passes_and_its_report_comes_back(pytester: pytest.Pytester):
    run = ran(
        pytester,
        "def test_it(backprop_check):\n"
        "    report = backprop_check(Network().step, X, Y)\n"
        "    assert report.verdict == 'correct'\n"
        "    backprop_check(Network().step, X, Y, allow=('correct',))\n",
    )
    run.assert_outcomes(passed=1)


def test_wrong_code_fails_with_the_report_and_no_traceback(pytester: pytest.Pytester):
    test = "def test_it(backprop_check):\n    backprop_check(Network().step, X, Y)\n"
    run = ran(pytester, test, slope="(1 - A)")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*Network.step: bug", "*1 − a [[]23]", "*dZ1 = dZ2 @*(1 - A)"])
    run.stdout.no_fnmatch_line("*Traceback*")
    run.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_what_has_no_answer_fails_in_one_sentence(pytester: pytest.Pytester):
    run = ran(
        pytester, "def test_it(backprop_check):\n    backprop_check(lambda X, Y: None, X, Y)\n"
    )
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["the doctor has no answer: *changed no array*"])
    run.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_verdict_that_is_none_is_refused(pytester: pytest.Pytester):
    run = ran(
        pytester,
        "def test_it(backprop_check):\n"
        "    with pytest.raises(ValueError, match='no verdict is called .fine.'):\n"
        "        backprop_check(Network().step, X, Y, allow=('fine',))\n",
    )
    run.assert_outcomes(passed=1)


def test_loading_it_loads_neither_numpy_nor_the_doctor():
    script = (
        "import pytest, sys; before = set(sys.modules); import backpass.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = run.stdout
    assert "numpy" not in found
    assert "backpass.doctor" not in found


def test_the_entry_point_leads_to_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["entry-points"]["pytest11"].values()) == {"backpass.pytest_plugin"}
