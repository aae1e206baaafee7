"""Files that train as they are run: there is nothing to call, and they are read all the same."""

import ast
import json
import linecache
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backpass.cli import main
from backpass.doctor.scripts import TooLong, interrupted_after, scripts
from tests.doctor.mutants import PROGRAMS


def run(verb: str, path: Path, *more: str) -> Result:
    return CliRunner().invoke(main, [verb, str(path), *more], prog_name="backpass")


@pytest.mark.parametrize("name", ["script_dicts", "script_layers", "script_online"])
def test_a_script_is_read_and_cleared(name: str):
    path = PROGRAMS / f"{name}.py"
    found = run("doctor", path)
    assert found.output.startswith("the loop of line "), found.output
    assert ": correct\n" in found.output
    assert "Assumed: took one round of the loop of line " in found.output
    listing = run("annotate", path).output
    assert "→ dZ1" in listing or "dZ1" in listing
    assert ", exactly." in listing
    assert "′ @" not in listing  # the second turn of the loop says nothing new


def test_the_mistake_in_a_script_is_named_on_its_line_and_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys.modules["backpass.doctor.repair.repair"], "SECONDS", 60.0)
    source = (PROGRAMS / "script_dicts.py").read_text("utf-8")
    path = tmp_path / "mine.py"
    path.write_text(source.replace("keepdims=True) / m", "keepdims=True)"), "utf-8")
    found = json.loads(run("doctor", path, "--json").stdout)
    (finding,) = found["findings"]
    assert finding["bug"] == 9
    assert "g[f" in source.splitlines()[finding["line"] - 1]
    assert finding["repaired"] == 'g[f"b{l}"] = dz.mean(axis=1, keepdims=True)'
    assert path.read_text("utf-8").splitlines()[finding["line"] - 1].strip() == finding["source"]


def test_the_commented_copy_is_the_whole_script(tmp_path: Path):
    path, copy = PROGRAMS / "script_online.py", tmp_path / "copy.py"
    result = run("annotate", path, "--output", str(copy))
    assert result.exit_code == 0, result.output
    written = copy.read_text("utf-8")
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(path.read_text("utf-8")))
    assert "# → dZ1" in written


def test_one_turn_of_the_loop_is_the_call(tmp_path: Path):
    path = tmp_path / "counted.py"
    path.write_text("count = 0\nfor i in range(5):\n    count += 1\n    extra = 2\n", "utf-8")
    (script,) = scripts(path)
    with script.call() as loop:
        space = loop.args[0].__globals__
        loop()
        assert space["count"] == 1
        assert "extra" not in space
        assert linecache.getlines(str(path))[0] == "\n"
    assert linecache.getlines(str(path))[0] == "count = 0\n"


def test_a_file_that_runs_on_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("backpass.terminal.examining.LONG", 0.3)
    monkeypatch.setattr("backpass.terminal.rehearsal.SECONDS", 0.3)
    path = tmp_path / "forever.py"
    path.write_text("import time\nwhile True:\n    time.sleep(0.01)\n", "utf-8")
    result = run("doctor", path)
    assert result.exit_code == 2
    assert 'put what it does when it is run below if __name__ == "__main__":' in result.stderr


def test_what_takes_too_long_is_ended():
    with pytest.raises(TooLong), interrupted_after(0.05):
        time.sleep(10)
    with interrupted_after(0.05):
        pass
    time.sleep(0.1)  # and nothing rings afterwards
