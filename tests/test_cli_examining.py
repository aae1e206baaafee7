"""`backpass doctor FILE` finds what trains, says what it assumed, and ends with 1 on a bug."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backpass.cli import main
from tests.doctor.mutants import PROGRAMS

EXAMPLE = Path(__file__).parents[1] / "examples" / "from_scratch" / "class_network.py"


def run(*arguments):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


def test_a_file_is_examined_and_what_was_assumed_is_said():
    result = run(PROGRAMS / "three.py")
    assert result.exit_code == 0
    assert result.output.startswith("Three.fit_partial: correct\n")
    assert "Assumed: made Three(); called fit_partial; on random samples 6×4" in result.output


def test_a_constructor_that_needs_arguments_is_asked_for(tmp_path):
    alone = tmp_path / "alone.py"
    alone.write_text(EXAMPLE.read_text().partition("if __name__")[0])
    result = run(alone)
    assert result.exit_code == 2
    assert '--make "Network([3, 4, 2], 0.1, np.random.default_rng(0))"' in result.output


def test_a_method_without_its_class_asks_for_what_makes_one(tmp_path):
    alone = tmp_path / "alone.py"
    alone.write_text("def fit_partial(self, x, y):\n    self.W -= x.T @ (x @ self.W - y)\n")
    result = run(alone)
    assert result.exit_code == 2
    assert result.output.startswith("Error: fit_partial takes self, which alone.py has no class")
    assert "--make" in result.output


def test_what_is_said_is_taken():
    make = "Network([2, 2, 1], 0.5, np.random.default_rng(0))"
    result = run(EXAMPLE, "--make", make, "--call", "fit_partial", "--data", "4x3 4x1")
    assert result.exit_code == 0
    assert "½Σ(a − y)², at the rate 0.5" in result.output


def test_functions_take_what_is_made_first():
    result = run(PROGRAMS / "chooser.py", "--make", "start(4, 5, 3)")
    assert result.exit_code == 0
    assert result.output.startswith("train: correct\n")


def test_a_bug_ends_with_1_and_is_plain_data(tmp_path):
    file = tmp_path / "mine.py"
    source = (PROGRAMS / "three.py").read_text("utf-8")
    file.write_text(source.replace("* dtanh(self.A1)", ""), "utf-8")
    result = run(file, "--json")
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert data["findings"][0]["bug"] == 16
    assert data["assumed"][0] == "made Three()"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [([], "give a FILE that trains"),
     ([PROGRAMS / "loops.py", "--make", "Loops(3, 4, 2)", "--data", "5x3 5x2"],
      "Error: loops.py:20: the code raises IndexError: list index out of range; there, self.first "
      "is 4×3, self.first[unit] is 3, sample is 5×3"),
     ([PROGRAMS / "loops.py", "--make", "Loops([3, 4, 2])"],
      "Loops([3, 4, 2]) raises TypeError: Loops.__init__() missing 2 required"),
     ([PROGRAMS / "loops.py"], '--make "Loops(3, 4, 2)"'),
     ([PROGRAMS / "loops.py", "--make", "Loops"], "is a class and makes nothing yet"),
     ([PROGRAMS / "blocks.py", "--make", "Stack(None)"],
      "Error: blocks.py:37: Stack(None) raises TypeError: 'NoneType' object is not iterable\n"
      "    for inputs, outputs in pairwise(widths):"),
     ([PROGRAMS / "blocks.py", "--make", "Stack.widths"], "Stack has no widths"),
     ([PROGRAMS / "chooser.py"], "train takes params before samples and targets; say what it is"),
     ([PROGRAMS / "chooser.py", "--call", "relu"], "relu takes z; what trains is called with"),
     ([PROGRAMS / "chooser.py", "--call", "nothing"], "there are start, relu, relu_slope"),
     ([PROGRAMS / "numbers.py"], "say on what step is called"),
     ([PROGRAMS / "three.py", "--data", "no.npz"], "--data no.npz cannot be read"),
     ([PROGRAMS / "three.py", "--data", "np.zeros np.ones"], "np.zeros is no array of numbers"),
     (["nowhere.py"], "there is no file nowhere.py"),
     ([PROGRAMS / "three.py", "--call", "fit_partia"], "fit_partial"),
     ([PROGRAMS / "three.py", "--make", "Three(1 + 1)"], "is neither a name"),
     ([PROGRAMS / "three.py", "--data", "X"], "is not two things")],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["annotate", "doctor"])
def test_what_cannot_be_done_is_one_sentence(arguments, sentence, verb):
    if verb == "annotate" and not arguments:
        return  # click itself asks for the file
    result = CliRunner().invoke(main, [verb, *map(str, arguments)])
    if verb == "doctor" and result.exit_code == 1:  # what raises is a verdict there
        sentence = sentence.partition("the code raises")[2].partition(";")[0]
    assert result.exit_code in (1, 2)
    assert " ".join(sentence.split()) in " ".join(result.output.split())


@pytest.mark.parametrize(("file", "make"), [("blocks", "Stack([3, 4, 2])"),
                                            ("loops", "Loops(3, 4, 2)")])  # fmt: skip
def test_data_are_made_up_for_labels_and_for_one_sample(file, make):
    result = run(PROGRAMS / f"{file}.py", "--make", make)
    assert result.exit_code == 0
    assert ": correct\n" in result.output


COLUMNS = """\
import numpy as np

class Net:
    def __init__(self, sizes):
        self.biases = [np.ones((m, 1)) for m in sizes[1:]]
        self.weights = [np.ones((m, k)) for k, m in zip(sizes, sizes[1:])]

    def step(self, X, Y):
        H = np.tanh(self.weights[0] @ X.T + self.biases[0])
        back = self.weights[1] @ H + self.biases[1] - Y.T
        below = self.weights[1].T @ back * (1 - H**2)
        self.weights[1] -= 0.1 * back @ H.T
        self.biases[1] -= 0.1 * back.sum(1, keepdims=True)
        self.weights[0] -= 0.1 * below @ X
        self.biases[0] -= 0.1 * below.sum(1, keepdims=True)
"""


def test_biases_that_stand_as_columns_before_the_weights_are_not_the_first_layer(tmp_path):
    file = tmp_path / "columns.py"
    file.write_text(COLUMNS, "utf-8")
    result = run(file, "--make", "Net([3, 4, 1])")
    assert result.output.startswith("Net.step: correct\n")


HOLDS = """\
from pathlib import Path
import numpy as np

class Net:
    def __init__(self):
        self.W, self.X = np.full((3, 2), 0.1), np.random.rand(5, 3)
        self.y, self.rate = np.random.rand(5, 2), float(Path("rate.json").read_text())

    def train(self):
        self.W -= self.rate * self.X.T @ (self.X @ self.W - self.y)
"""


def test_what_holds_its_data_and_reads_a_file_beside_it_is_examined_from_anywhere(tmp_path):
    (tmp_path / "holds.py").write_text(HOLDS, "utf-8")
    (tmp_path / "rate.json").write_text("0.25")
    result = run(tmp_path / "holds.py")
    assert result.output.startswith("Net.train: correct\n")
    assert "at the rate 0.25" in result.output
    assert "on what it holds; run in its own folder." in result.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def step(:", "python.py:1: Python cannot read it: invalid syntax"),
        ("class Tensor:\n    __module__ = 'torch'\n\nW = Tensor()\n\ndef step(X, Y):\n    pass\n",
         "python.W is a Tensor of PyTorch, and what is watched here is NumPy"),
        ("def step(X, Y, rate, extra):\n    pass\n",
         "put a function of those beside it that calls step with the rest"),
        ("import numpy as np\nW = np.ones((3, 2))\n\n"
         "def step(X, Y):\n    error = X @ W - Y\n    W[:] = W - X @ error\n",
         "what fits is X.T @ error, (3×6)(6×2) → 3×2"),
    ],
)  # fmt: skip
def test_what_cannot_be_examined_is_said_in_a_sentence(tmp_path, text, sentence):
    file = tmp_path / "python.py"
    file.write_text(text, "utf-8")
    result = run(file)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())


ODD = """\
import sys
import numpy as np

class Net:
    def __init__(self):
        self.W = np.random.randn(3, 2)

    def fit(self, X, y):
        assert X.min() >= 0 and X.max() <= 1, "scale your data"
        self.W -= 0.1 * X.T @ (X @ self.W - y)

    def step(self, X, y):
        self.W -= 0.1 * X.T @ (X @ self.W - y)
        sys.exit(3)

X, y = np.random.rand(6, 3), np.random.rand(6, 2)
"""


@pytest.mark.parametrize("call", ["fit", "step"])
def test_code_that_wants_its_own_numbers_or_ends_the_process_is_read(call, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(ODD, "utf-8")
    result = run(file, "--call", call)
    assert result.exit_code == 0
    assert result.output.startswith(f"Net.{call}: correct\n")
