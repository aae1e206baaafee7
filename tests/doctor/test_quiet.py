"""Watched code writes no file, asks nobody, opens no window, and ends when it has shown itself."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import numpy as np

from backpass.doctor.observe import observe
from backpass.doctor.quiet import quiet


def test_files_that_are_written_are_read_again_and_then_gone(tmp_path):
    kept, new = tmp_path / "kept.txt", tmp_path / "new.npy"
    kept.write_text("as it was")

    def logs():
        with kept.open("a") as file:
            file.write(", and more")
        np.save(new, np.arange(3))
        return kept.read_text(), np.load(new).sum()

    assert observe(logs, ()).result == ("as it was, and more", 3)
    assert kept.read_text() == "as it was"
    assert not new.exists()


def test_questions_and_both_streams_stay_inside(capsys):
    with quiet() as printed:
        assert input("how many epochs? ") == ""
        sys.stderr.write("warned")
    assert printed.getvalue() == "how many epochs? \nwarned"
    assert capsys.readouterr() == ("", "")


def test_what_is_written_past_python_stays_inside_and_nobody_sleeps(capfd):
    begun = time.monotonic()
    with quiet():
        os.write(1, b"raw")
        os.system("echo from a shell >&2")
        time.sleep(60)
    assert time.monotonic() - begun < 30
    os.write(1, b"again")
    assert capfd.readouterr() == ("again", "")


def test_everything_is_back_afterwards(tmp_path):
    before = open, io.open, input
    with quiet():
        assert open is not before[0]
    assert (open, io.open, input) == before
    (tmp_path / "here").write_text("x")
    assert Path(tmp_path / "here").read_text() == "x"


def test_code_that_exits_or_never_ends_has_shown_its_updates():
    held = {"w": np.zeros(2)}

    def exits():
        held["w"] += 1
        sys.exit(3)

    def goes_on():
        while True:
            held["w"] += 1

    assert observe(exits, ()).after["held['w']"].tolist() == [1, 1]
    begun = time.monotonic()
    run = observe(goes_on, ())
    assert run.stopped
    assert time.monotonic() - begun < 9
    assert held["w"].tolist() == [0, 0]
