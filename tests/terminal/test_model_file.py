import sys
from pathlib import Path

import pytest

from backpass.language.errors import BackpassError
from backpass.terminal.model_file import load_function

FILES = {
    "model.py": """
from dataclasses import dataclass
from neighbour import squash

@dataclass
class Layer:
    size: "int"

def loss(x):
    return squash(x)

def other(x):
    return x

number = 3
""",
    "neighbour.py": "def squash(x):\n    return -x\n",
    "notes.txt": "def loss(x): return x",
    "zero.py": "def half():\n    return 1 / 0\n\nloss = half()",
    "torn.py": "x = 1\ndef loss(:",
    "quits.py": "import sys\nsys.exit(3)",
    "lost.py": "import numpyy",
    "refuses.py": "import backpass\nraise backpass.BackpassError('so it is')",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "neighbour", raising=False)
    return tmp_path


@pytest.mark.parametrize("place", ["model.py", "./model.py", "{folder}/model.py"])
def test_a_file_finds_its_neighbours_from_anywhere(place: str, folder: Path):
    assert load_function(f"{place.format(folder=folder)}::loss")(2) == -2


def test_a_folder_may_have_any_name(folder: Path):
    odd = folder / "a::b (1) = ½"
    odd.mkdir()
    (odd / "model.py").write_text("def loss(x): return x", "utf-8")
    assert load_function(f"{odd}/model.py::loss")(2) == 2


def test_a_file_called_like_a_library_takes_nobody_s_place(folder: Path):
    import random

    (folder / "random.py").write_text("def loss(x): return x", "utf-8")
    load_function("random.py::loss")
    assert sys.modules["random"] is random


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("modle.py::loss", "there is no file modle.py; did you mean model.py?"),
        ("nowhere/at_all.py::loss", "there is no file nowhere/at_all.py"),
        (".::loss", ". is a folder; name a file in it, as in ./model.py::loss"),
        ("model.py::los", "model.py has no function los; did you mean loss?"),
        ("model.py", "say which function of model.py is meant, as in model.py::other"),
        ("model.py::", "say which function of model.py is meant, as in model.py::other"),
        ("model.py::number", "number in model.py is no function but 3"),
        ("notes.txt::loss", "notes.txt is no Python file; its name must end in .py"),
        (
            "zero.py::loss",
            "zero.py:2: importing it raises ZeroDivisionError: division by zero\n    return 1 / 0",
        ),
        ("torn.py::loss", "torn.py:2: Python cannot read it: invalid syntax\n    def loss(:"),
        ("quits.py::loss", "quits.py:2: importing it raises SystemExit: 3\n    sys.exit(3)"),
        (
            "lost.py::loss",
            "lost.py:1: importing it raises ModuleNotFoundError: No module named 'numpyy'\n"
            "    import numpyy",
        ),
        ("refuses.py::loss", "so it is"),
    ],
)
def test_what_does_not_serve_gets_one_sentence(target: str, sentence: str):
    with pytest.raises(BackpassError) as error:
        load_function(target)
    assert str(error.value) == sentence
