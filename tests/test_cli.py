"""The verbs as a shell calls them: what they print, on which stream, and their exit status."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backpass.checking.report import Check
from backpass.cli import main
from backpass.derive import Derivation

ROOT = Path(__file__).parents[1]
NEURON = "z = W x + b; L = ½ sum((σ(z) - y)²)"
SHAPES = "W: m k, x: k, b: m, y: m"
BATCH = "X: n k, Y: n m, W: k m"


def backpass(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="backpass")


def derive(forward: str, *more: str, shapes: str = SHAPES) -> Result:
    return backpass("derive", forward, "--shapes", shapes, *more)


def shell(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with streams of its own."""
    return subprocess.run(
        [sys.executable, "-m", "backpass", *args],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )


def on_a_terminal(*args: str, **environment: str) -> str:
    """What the command writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    variables = {"TERM": "xterm-256color", "COLUMNS": "80", "PYTHONPATH": str(ROOT), **environment}
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-m", "backpass", *args],
        env=plain | variables,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        written = b""
        while True:
            try:
                written += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


# ── derive ───────────────────────────────────────────────────────────────────────────────────


def test_a_formula_is_derived():
    result = derive(NEURON, "--wrt", "W b")
    assert result.exit_code == 0
    assert result.stdout.startswith("forward\n")
    assert "the 2 of the square meets the ½: no factor is left" in result.stdout
    assert result.stderr == ""


def test_a_formula_may_have_lines():
    lines = NEURON.replace("; ", "\n")
    assert derive(lines, "--wrt", "W b").stdout == derive(NEURON, "--wrt", "W b").stdout


def test_readings_are_printed_one_after_the_other():
    result = derive(NEURON, "--wrt", "W", "--index", "--why", "W")
    index, why = result.stdout.split("\n\n", 1)
    assert "dW[m,k] = dz[m] * x[k]" in index.splitlines()
    assert why.startswith("dW = ")


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--latex", r"\begin{aligned}"),
        ("--markdown", "## Backward pass"),
        ("--code", "import numpy as np"),
        ("--chain=W", "∂"),
        ("--check", "agree"),
    ],
)
def test_every_reading_can_be_asked_for(flag: str, expected: str):
    result = derive(NEURON, "--wrt", "W b", flag)
    assert result.exit_code == 0, result.stderr
    assert expected in result.stdout


def test_a_chain_has_a_layout():
    chains = {
        layout: derive(NEURON, "--wrt", "W", "--chain", "W", "--layout", layout).stdout
        for layout in ("numerator", "denominator", "mixed")
    }
    assert len(set(chains.values())) == 3
    assert (
        derive(NEURON, "--chain", "W").stdout
        == derive(NEURON, "--chain", "W", "--layout", "mixed").stdout
    )


TWO_LAYERS = "a1 = tanh(W1 x); a2 = tanh(W2 a1); L = sum((a2 - y)**2)"


def test_code_has_a_style():
    shapes = "--shapes", "x: k, y: k, W1: k k, W2: k k"
    found = {
        style: backpass("derive", TWO_LAYERS, *shapes, "--code", "--style", style)
        for style in ("unrolled", "loop", "recursive")
    }
    assert {result.exit_code for result in found.values()} == {0}
    assert "def forward_backward(x, y, W1, W2):" in found["unrolled"].stdout
    assert "for l in range(len(W)):" in found["loop"].stdout
    assert "layer(l + 1, a)" in found["recursive"].stdout
    refused = derive(NEURON, "--code", "--style", "loop")
    assert refused.exit_code == 2
    assert 'only style="unrolled" applies' in refused.stderr


def test_json_holds_the_steps_and_what_was_asked_for():
    result = derive(NEURON, "--wrt", "W", "--json", "--index", "--check")
    found = json.loads(result.stdout)
    assert found["loss"] == "L"
    assert found["gradients"] == {"W": "dW"}
    last = found["backward"][-1]
    assert (last["name"], last["shape"], last["index"]) == (
        "dW",
        ["m", "k"],
        "dW[m,k] = dz[m] * x[k]",
    )
    assert last["lines"]
    assert last["reason"]
    assert found["index"].endswith("return L, dW")
    assert found["check"]["ok"] is True


DEEP = "; ".join(f"a{layer} = tanh(W{layer} a{layer - 1})" for layer in range(1, 7)) + "; sum(a6²)"
LAYERS = "a0: d0, " + ", ".join(f"W{layer}: d{layer} d{layer - 1}" for layer in range(1, 7))


@pytest.mark.parametrize("flag", ["--wrt=W1 W2 W3 W4 W5 W6", "--latex", "--markdown"])
def test_equal_layers_fold_and_unfold(flag: str):
    folded = derive(DEEP, flag, shapes=LAYERS).stdout
    unfolded = derive(DEEP, flag, "--unfold", shapes=LAYERS).stdout
    assert len(unfolded.splitlines()) > 1.5 * len(folded.splitlines())


def test_functions_may_stay_symbols():
    result = derive("C(g(w x))", "--functions", "g: elementwise, C: scalar", shapes="w: k j, x: j")
    assert "g′" in result.stdout
    assert "∇C" in result.stdout


# ── a function in a file ─────────────────────────────────────────────────────────────────────

MODEL = """
import numpy as np
print("imported")

def loss(X, Y, W):
    return np.mean((X @ W - Y) ** 2)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "model.py").write_text(MODEL, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return tmp_path


def test_a_function_in_a_file_is_derived_and_its_line_quoted(folder: Path):
    result = derive(f"{folder}/model.py::loss", "--wrt", "W", "--why", "W", shapes=BATCH)
    assert result.exit_code == 0, result.stderr
    assert "model.py:6: return np.mean((X @ W - Y) ** 2)" in result.stdout


def test_what_a_file_prints_is_no_answer(folder: Path):
    result = derive("model.py::loss", "--json", shapes=BATCH)
    assert json.loads(result.stdout)["loss"] == "L"
    assert result.stderr == "imported\n"


def test_shapes_of_nests_are_json(folder: Path):
    (folder / "deep.py").write_text(
        "def loss(X, p):\n    return ((X @ p['W'][0] @ p['W'][1] - p['y']) ** 2).sum()\n", "utf-8"
    )
    shapes = '{"X": "n k", "p": {"W": ["k j", "j m"], "y": "m"}}'
    result = derive("deep.py::loss", "--wrt", "p", "--json", shapes=shapes)
    assert json.loads(result.stdout)["gradients"].keys() == {"W1", "W2", "y"}
    result = derive("deep.py::loss", shapes=shapes.replace("]", ""))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: these shapes are no JSON: ")


# ── exit statuses and errors ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "arguments",
    [
        ["derive"],
        ["derive", "sum(x)"],
        ["derive", "sum(x)", "--shapes", "x: k", "--layout", "numerator"],
        ["derive", "sum(x)", "--shapes", "x: k", "--chain", "x", "--layout", "sideways"],
        ["derive", "sum(x)", "--shapes", "x: k", "--style", "loop"],
        ["derive", "sum(x)", "--shapes", "x: k", "--code", "--style", "spiral"],
        ["derive", "sum(x)", "--shapes", "x: k", "--frobnicate"],
        ["train"],
    ],
)
def test_misuse_ends_with_2_and_says_how_to_get_help(arguments: list[str]):
    result = backpass(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Try 'backpass" in result.stderr


@pytest.mark.parametrize(
    ("forward", "shapes", "quoted"),
    [
        ("L = sum(W x + b)", "W: m k, x: k, b: n", "L = sum(W x + b)"),
        ("W x", "W: m k, x: k", "m"),
        ("sum(x)", "x: k, x: k", "x has two shapes"),
        ("sum(x) +", "x: k", "sum(x) +"),
        ("sum(tahn(x))", "x: k", "did you mean tanh?"),
    ],
)
def test_a_question_without_an_answer_gets_one_sentence(forward: str, shapes: str, quoted: str):
    result = derive(forward, shapes=shapes)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert quoted in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("more", [[], ["--json"], ["--help"]])
def test_a_full_disk_is_told_and_not_traced(more: list[str]):
    command = [sys.executable, "-m", "backpass", "derive", "sum(x)", "--shapes", "x: k", *more]
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert found.returncode == 2
    assert found.stderr == b"Error: the answer cannot be written: no space left on device\n"


def test_a_check_that_fails_ends_with_1(monkeypatch: pytest.MonkeyPatch):
    failing = Check((), faults=("the gradient is wrong",))
    monkeypatch.setattr(Derivation, "check", lambda _: failing)
    result = derive(NEURON, "--check")
    assert result.exit_code == 1
    assert "the gradient is wrong" in result.stdout
    result = derive(NEURON, "--check", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["check"]["ok"] is False
    assert backpass("demo").exit_code == 1


# ── streams ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    "reading", ["--wrt=W", "--why=W", "--chain=W", "--markdown", "--check", "--json", "--index"]
)
def test_a_stream_without_the_letters_gets_ascii(encoding: str, reading: str):
    result = CliRunner(charset=encoding).invoke(
        main, ["derive", NEURON, "--shapes", SHAPES, reading]
    )
    assert result.exit_code == 0, result.stderr
    text = result.stdout_bytes.decode("ascii")
    assert text
    assert re.findall(r"u[0-9a-f]{4}", text.replace("\\u", "")) == [], (
        "a letter that has no spelling"
    )


def test_ascii_says_the_same():
    run = shell("derive", NEURON, "--shapes", SHAPES, "--wrt", "W", PYTHONIOENCODING="ascii")
    assert "L = 0.5 * Sum (A - y)**2" in run.stdout.decode()


def test_colours_are_for_those_who_look():
    args = "derive", NEURON, "--shapes", SHAPES
    plain = shell(*args).stdout.decode()
    assert "\x1b" not in plain
    coloured = on_a_terminal(*args)
    assert "\x1b[36m" in coloured
    assert on_a_terminal(*args, NO_COLOR="1") == plain
    assert on_a_terminal(*args, TERM="dumb") == plain


def test_no_control_character_gets_through():
    result = derive("sum(x) \x1b[31m", shapes="x: k")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr


# ── help ─────────────────────────────────────────────────────────────────────────────────────


def test_help_imports_click_alone():
    script = (
        "import sys; from backpass.cli import main; main(['--help'], standalone_mode=False);"
        "print(*{'numpy', 'rich', 'scipy', 'numba'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Usage:" in run.stdout
    assert run.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("verb", [[], ["demo"], ["derive"]])
def test_help_is_ascii_and_in_80_columns(verb: list[str]):
    text = backpass(*verb, "--help").stdout
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_the_examples_of_the_help_work(folder: Path):
    import shlex

    text = backpass("derive", "--help").stdout.replace("\\\n", " ")
    commands = [line for line in text.splitlines() if line.startswith("    backpass")]
    assert len(commands) == 3
    for command in commands:
        result = backpass(*shlex.split(command)[1:])
        assert result.exit_code == 0, result.stderr


def test_the_version_is_the_package_s():
    import backpass as package

    assert backpass("--version").stdout.strip() == f"backpass, version {package.__version__}"
