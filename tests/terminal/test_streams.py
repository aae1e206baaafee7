import io
import json

import pytest

from backpass.language.errors import TraceError
from backpass.reading.lines import Line, Span
from backpass.terminal.streams import (
    ascii_only,
    clean,
    letters,
    show,
    show_error,
    show_json,
    styled,
)

LINES: list[Line] = [
    (Span("forward", "heading"),),
    (Span("  Z1", "name"), Span(" = σ(X)[n,j]", "formula"), Span("  n×j", "shape")),
    (Span("        [bold]why[/bold]", "reason"),),
]


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")


def written(to: io.TextIOWrapper) -> str:
    to.flush()
    assert isinstance(to.buffer, io.BytesIO)
    return to.buffer.getvalue().decode(to.encoding)


@pytest.mark.parametrize(
    ("encoding", "lacking"),
    [
        ("utf-8", False),
        ("utf-16", False),
        ("ascii", True),
        ("cp1252", True),
        ("?", True),
        (None, True),
    ],
)
def test_an_encoding_has_the_letters_or_not(encoding: str | None, lacking: bool):
    assert ascii_only(encoding) is lacking


def test_a_stream_that_nobody_looks_at_gets_the_plain_text():
    to = stream("utf-8")
    show(LINES, to)
    assert written(to) == "forward\n  Z1 = σ(X)[n,j]  n×j\n        [bold]why[/bold]\n"


def test_ascii_spells_what_it_lacks():
    to = stream("ascii")
    show([(Span("½ Σₙ (δ2 − ŷ)² ⊙ 日 → ∂L/∂W′", "formula"),)], to)
    assert written(to).isascii()
    assert "0.5" in written(to)
    assert "delta2" in written(to)


def test_brackets_are_never_markup():
    text = styled(LINES, ascii=False)
    assert text.plain.splitlines()[1:] == ["  Z1 = σ(X)[n,j]  n×j", "        [bold]why[/bold]"]
    styles = {text.plain[span.start : span.end].strip(): span.style for span in text.spans}
    assert styles["Z1"] == "cyan"
    assert styles["n×j"] == "dim"


def test_control_characters_reach_no_stream():
    assert clean("a\x1b[31mb\x07\r\u202ec\nd") == "a[31mbc\nd"
    assert letters("\x1b\u200bé\tx", ascii=True) == "e x"


def test_an_error_is_one_sentence_and_the_line_below(capsys: pytest.CaptureFixture[str]):
    show_error(TraceError("no [n,j] here", line="x = y", where="model.py:3"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: model.py:3: no [n,j] here\n    x = y\n"


def test_json_is_json(capsys: pytest.CaptureFixture[str]):
    show_json({"shape": ["n×j"], "ok": True})
    assert json.loads(capsys.readouterr().out) == {"shape": ["n×j"], "ok": True}
