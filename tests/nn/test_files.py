"""Files appear whole or not at all, and what cannot be written is said before it matters."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backpass.language.errors import BackpassError
from backpass.nn.files import check_writable, clear_away, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_replace_what_was_there(tmp_path: Path):
    for content in ("dW₁ = Xᵀ dZ₁\n", b"\x00\xff"):
        check_writable(tmp_path / "a")
        write_whole(tmp_path / "a", content)
        read = (tmp_path / "a").read_bytes()
        assert read == (content if isinstance(content, bytes) else content.encode())
        assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("act", [check_writable, lambda path: write_whole(path, "new")])
def test_what_cannot_be_written_is_refused_in_one_sentence(act, tmp_path: Path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    for name, said in (
        ("missing/a", "no such file or directory"),
        ("file/a", "not a directory"),
        ("folder", "it is a folder; name a file in it"),
    ):
        with pytest.raises(BackpassError, match=f"{name} cannot be written: {said}"):
            act(tmp_path / name)
    with pytest.raises(BackpassError, match="it is a device and no file"):
        act(os.devnull)
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


def test_looking_leaves_the_old_file_alone(tmp_path: Path):
    (tmp_path / "a").write_text("old")
    check_writable(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"
    check_writable(tmp_path / "b")
    assert names(tmp_path) == ["a"]


def test_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", "new")
    assert names(tmp_path) == []


def test_file_and_folder_are_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    sync = os.fsync

    def noted(number: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file"
        synced.append(kind + str(len(names(tmp_path))) + str((tmp_path / "a").exists()))
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    write_whole(tmp_path / "a", "new")
    assert synced == ["file1False", "folder1True"]


FULL = """
import resource, sys
from backpass.language.errors import BackpassError
from backpass.nn.files import write_whole

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_whole(sys.argv[1], b"x" * 10000)
except BackpassError as error:
    print(error)
"""


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path: Path):
    (tmp_path / "a").write_text("old")
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "a cannot be written: file too large" in run.stdout
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in ("a", "b"):
        for process in (ended.pid, os.getppid()):
            (tmp_path / f".{name}.{process}.part").write_text("half")
    clear_away(tmp_path / "a")
    left = [f".a.{os.getppid()}.part", f".b.{ended.pid}.part", f".b.{os.getppid()}.part"]
    assert names(tmp_path) == sorted(left)
