"""What counts as a submission, and what is refused unread."""

import os
from pathlib import Path

import pytest

from backpass.grading.submissions import BYTES, submission, submissions
from backpass.language.errors import BackpassError
from tests.grading.networks import handed_in


def test_files_and_folders_in_order_without_the_reference(tmp_path: Path):
    folder = handed_in(tmp_path / "in", zoe="z = 1\n", ada="a = 1\n", reference="r = 1\n")
    (folder / "notes.txt").write_text("no submission")
    (folder / ".hidden.py").write_text("h = 1\n")
    (folder / "__pycache__").mkdir()
    (folder / "empty").mkdir()
    handed_in(folder / "bea", main="b = 1\n", more="m = 1\n")
    found = submissions(folder, folder / "reference.py")
    assert [(one.name, one.main) for one in found] == [
        ("ada.py", "ada.py"), ("bea", "main.py"), ("zoe.py", "zoe.py")
    ]  # fmt: skip
    assert dict(found[1].sources) == {"main.py": "b = 1\n", "more.py": "m = 1\n"}


def test_the_file_that_is_called(tmp_path: Path):
    def main(**files: str) -> str:
        folder = handed_in(tmp_path / f"f{len(list(tmp_path.iterdir()))}", **files)
        found = submission(folder, Path("net.py"))
        return found.main or found.refused

    assert main(only="x = 1") == "only.py"
    assert main(net="x = 1", main="x = 1") == "net.py"
    assert main(main="x = 1", other="x = 1") == "main.py"
    assert main(one="", two="") == "it has 2 files at its top, and none is net.py or main.py"


def test_links_are_not_followed(tmp_path: Path):
    secret = tmp_path / "secret.py"
    secret.write_text("key = 1\n")
    folder = handed_in(tmp_path / "in", ada="a = 1\n")
    (folder / "bob.py").symlink_to(secret)
    (folder / "cem").symlink_to(handed_in(tmp_path / "other", main="x = 1\n"))
    inside = handed_in(folder / "dora", main="x = 1\n")
    (inside / "more.py").symlink_to(secret)
    found = {one.name: one for one in submissions(folder)}
    assert not found["ada.py"].refused
    for name in ("bob.py", "cem", "dora"):
        assert found[name].refused.endswith("is a link, and links are not followed")
        assert not found[name].sources


def test_what_is_no_text_and_what_is_too_large(tmp_path: Path):
    folder = handed_in(tmp_path / "in", large="#" * (BYTES + 1))
    (folder / "bytes.py").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(folder / "pipe.py")
    found = {one.name: one.refused for one in submissions(folder)}
    assert found == {
        "large.py": "large.py has more than 1 MB",
        "bytes.py": "bytes.py is no UTF-8 text",
        "pipe.py": "pipe.py is no regular file",
    }


def test_a_place_without_any_is_said(tmp_path: Path):
    with pytest.raises(BackpassError, match="there is no submission in"):
        submissions(tmp_path)
    with pytest.raises(BackpassError, match="there is no folder"):
        submissions(tmp_path / "nowhere")


def test_names_that_repaint_or_are_no_text_are_escaped(tmp_path: Path):
    folder = handed_in(tmp_path / "in", ö="x = 1\n")
    for name in (b"\x1b[31mred.py", b"new\nline.py", b"bad\xff.py", "\u202egnp.py".encode()):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_text("x = 1\n")
    found = submissions(folder)
    assert sorted(one.name for one in found) == sorted(
        ["\\x1b[31mred.py", "new\\nline.py", "bad\\xff.py", "\\u202egnp.py", "ö.py"]
    )
    assert all(one.name.isprintable() and one.name.encode() for one in found)


def test_texts_are_read_as_python_reads_them(tmp_path: Path):
    folder = handed_in(tmp_path / "in")
    (folder / "bom.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r")
    (folder / "latin.py").write_bytes(b"#!python\n# -*- coding: Latin_1 -*-\nx = '\xe9'\n")
    (folder / "windows.py").write_bytes(b"# coding=cp1252\nx = '\x80'\n")
    (folder / "rot.py").write_bytes(b"# coding: punycode\nx = 1\n")  # takes minutes to decode
    found = {one.name: dict(one.sources)[one.name] for one in submissions(folder)}
    assert found == {
        "bom.py": "x = 1\ny = 2\n",
        "latin.py": "#!python\n# -*- coding: Latin_1 -*-\nx = 'é'\n",
        "windows.py": "# coding=cp1252\nx = '€'\n",
        "rot.py": "# coding: punycode\nx = 1\n",
    }
