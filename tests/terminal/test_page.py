import io
from typing import Any

import numpy as np
from rich.console import Console

import backpass as bp
from backpass.terminal.page import Page

RING = np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]]).ravel()


def page(encoding: str = "utf-8", **options: Any) -> tuple[Page, io.TextIOWrapper]:
    to = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n", write_through=True)
    return Page(Console(file=to, width=80, highlight=False, **options)), to


def written(to: io.TextIOWrapper) -> list[str]:
    assert isinstance(to.buffer, io.BytesIO)
    return to.buffer.getvalue().decode(to.encoding).split("\n")


def test_a_picture_is_drawn_in_half_blocks_over_its_caption():
    sheet, to = page()
    sheet.pictures([RING, 1 - RING], ["0", "x"])
    assert written(to) == ["", "    ▄▀▀▄  ▀▄▄▀", "    ▀▄▄▀  ▄▀▀▄", "     0     x", ""]


def test_a_picture_is_drawn_in_ascii_where_nothing_else_goes():
    sheet, to = page("ascii")
    sheet.pictures([RING])
    assert written(to) == ["", "    .''.", "    '..'", ""]


def test_a_picture_has_greys_where_there_are_colours():
    sheet, to = page(force_terminal=True, color_system="truecolor")
    sheet.pictures([RING / 2])
    assert "\x1b[38;2;0;0;0;48;2;128;128;128m▀" in written(to)[1]


def test_no_colours_means_no_greys():
    sheet, to = page(force_terminal=True, color_system="truecolor", no_color=True)
    sheet.pictures([RING])
    assert "    ▄▀▀▄" in written(to)


def test_a_heading_fills_its_line():
    sheet, to = page()
    sheet.heading("Is it right?")
    assert written(to)[1].startswith("Is it right? ───")
    assert len(written(to)[1]) == 80


def test_code_is_indented_and_keeps_its_brackets():
    sheet, to = page()
    sheet.code("x = [bold]\n", "y = a[n,j]\n")
    assert written(to) == ["", "    x = [bold]", "", "    y = a[n,j]", ""]


def test_a_derivation_stands_as_it_prints_itself():
    d = bp.derive("L = sum((X W - Y)²)", "X: n k, W: k m, Y: n m", wrt="W")
    sheet, to = page()
    sheet.derivation(d)
    assert "\n".join(written(to)).strip("\n") == str(d)


def test_a_narrow_console_breaks_no_line():
    sheet, to = page()
    sheet.console.width = 20
    sheet.code("x" * 70)
    assert written(to)[1] == "    " + "x" * 70


def test_progress_ends_with_what_was_last_said():
    sheet, to = page()
    with sheet.progress(2) as step:
        step("loss [0.5]")
        step("loss [0.1]")
    assert written(to)[-2].endswith(" loss [0.1]")
