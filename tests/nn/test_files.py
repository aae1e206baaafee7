"""Files appear whole or not at all, and what cannot be written is said before it matters."""

import os
from pathlib import Path

import pytest

from backpass.language.errors import BackpassError
from backpass.nn.files import check_writable, write_whole


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
