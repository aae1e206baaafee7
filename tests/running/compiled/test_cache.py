"""The folder of compiled steps: ours alone, true to its text, and shared by processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from backpass.running.compiled.cache import folder, load

TEXT = "def epoch():\n    return {number}, {{cache}}\n"
PROCESS = """
import numpy as np
from backpass.language.notation import parse_program
from backpass.running.compiled.program import CompiledProgram

text = '''
A: n k
B: k m
C[n,m] = A[n,k] * B[k,m]
S[n] = tanh(C[n,m])
return S
'''
run = CompiledProgram(parse_program(text))
print(run({"A": np.ones((5, 90)), "B": np.full((90, 70), 0.001)})["S"].tolist())
(found,) = run.backend._ready.values()
print(sum(found[1].stats.cache_hits.values()))
"""


def test_the_folder_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = folder()
    assert found == tmp_path / "backpass" / "compiled"
    assert found.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_open_to_others_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = tmp_path / "backpass" / "compiled"
    place.mkdir(parents=True)
    place.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="not cached, because .* is open to others"):
        assert folder() is None
    assert load(TEXT.format(number=1))() == (1, False)  # it runs all the same
    assert not list(place.iterdir())


def test_a_file_in_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "backpass").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="cannot be made"):
        assert folder() is None


def test_a_changed_file_is_written_again(cache_of_tests: Path) -> None:
    assert load(TEXT.format(number=2))() == (2, True)
    (path,) = (one for one in cache_of_tests.glob("*.py") if "return 2," in one.read_text())
    path.write_text(TEXT.format(number=3))
    sys.modules.pop(path.stem)
    assert load(TEXT.format(number=2))() == (2, True)
    assert "return 2," in path.read_text()


def test_processes_share_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )

    told = [one.communicate(timeout=120)[0] for one in [start(), start()]]  # two at once
    (values, hits), *others = (text.split("\n")[:2] for text in [*told, start().communicate()[0]])
    assert values.startswith("[")
    assert hits in "01"
    assert all(other[0] == values for other in others)
    assert others[-1][1] == "1"  # the last one compiled nothing
    assert not list(tmp_path.rglob("*.part"))
