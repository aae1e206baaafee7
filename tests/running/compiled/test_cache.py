"""The folder of compiled steps: ours alone, true to its text, and shared by processes."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from backpass.running.compiled.cache import folder, load
from backpass.running.compiled.object_code import DIGEST, linked

TEXT = """
from numba import njit

@njit("UniTuple(int64, 2)(int64)", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
def epoch(more):
    return {number}, {number} + more
"""
PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import backpass as bp

X = np.random.default_rng(0).normal(size=(40, 30))

def losses(activation):
    net = bp.Network([bp.Dense(20, activation), bp.Dense(3)], 30)
    return net.fit(X, np.arange(40) % 3, 2, backend="compiled", progress=False).loss

with ThreadPoolExecutor() as pool:  # several programs, with products that are compiled once
    print([*pool.map(losses, ("tanh", "relu", "tanh", "relu"))])
print("numba" in sys.modules)
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
    assert load(TEXT.format(number=1))(4) == (1, 5)  # it runs all the same
    assert not list(place.iterdir())


def test_a_file_in_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "backpass").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="cannot be made"):
        assert folder() is None


@pytest.mark.parametrize("harm", [b"", b"no machine code", None])
def test_a_harmed_file_is_made_again(cache_of_tests: Path, harm: bytes | None) -> None:
    assert load(TEXT.format(number=2))(1) == (2, 3)
    (path,) = (one for one in cache_of_tests.glob("*.py") if "return 2," in one.read_text())
    code = path.with_suffix(".o")
    whole = code.read_bytes()
    code.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if harm is None else harm)
    assert load(TEXT.format(number=2))(1) == (2, 3)
    assert code.stat().st_size == len(whole)


def test_code_that_calls_what_is_not_here_is_not_linked(cache_of_tests: Path) -> None:
    load(TEXT.format(number=5))
    (path,) = (one for one in cache_of_tests.glob("*.py") if "return 5," in one.read_text())
    rest = path.with_suffix(".o").read_bytes()[DIGEST:].partition(b"\n")[2]
    other = b'["nobody_has_this"]\n' + rest
    assert linked(sha256(other).digest() + other) is None


def test_processes_share_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )

    told = [one.communicate(timeout=120)[0] for one in [start(), start()]]  # two at once
    (values, _), *others = (text.split("\n")[:2] for text in [*told, start().communicate()[0]])
    assert values.startswith("[")
    assert all(other[0] == values for other in others)
    assert others[-1][1] == "False"  # the last one compiled nothing
    assert not list(tmp_path.rglob("*.part"))
