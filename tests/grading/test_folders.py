"""Folders that somebody has filled who means ill."""

import os
from pathlib import Path

from backpass.grading.folders import FILES, overfull, remove


def test_so_many_files_and_bytes_are_enough(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/small").write_bytes(bytes(1000))
    (tmp_path / "out").symlink_to("/usr")
    assert not overfull(str(tmp_path))
    for number in range(FILES):
        (tmp_path / "a" / f"f{number}").touch()
    assert overfull(str(tmp_path))
    assert not overfull(str(tmp_path / "nowhere"))


def test_sparse_files_count_what_they_take(tmp_path: Path):
    (tmp_path / "one").write_bytes(b"x")
    os.truncate(tmp_path / "one", 1 << 40)
    assert not overfull(str(tmp_path))


def test_what_is_deep_closed_or_a_link_is_removed_and_nothing_else(tmp_path: Path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    (folder / "closed").mkdir()
    (folder / "closed/inner").mkdir()
    (folder / "closed/inner/link").symlink_to(kept / "mine")
    (folder / "closed/inner").chmod(0)
    (folder / "closed").chmod(0)
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(1100):  # deeper than a path can be said, and than Python recurs
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.fchdir(here)
        os.close(here)
    remove(str(folder))
    assert not folder.exists()
    assert (kept / "mine").exists()
