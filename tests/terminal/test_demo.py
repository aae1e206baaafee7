import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import backpass as bp
from backpass.cli import main
from backpass.terminal.demo import SHAPES, WRT, Result, loss, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown() -> tuple[str, Result]:
    to = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)
    result = run(Console(file=to, width=80, highlight=False))
    assert isinstance(to.buffer, io.BytesIO)
    return to.buffer.getvalue().decode(), result


def test_it_reads_held_out_digits(shown: tuple[str, Result]):
    text, result = shown
    assert result.held_out == 450
    assert result.accuracy >= 0.96
    assert f"{result.accuracy:.1%} of the 450 that were held out" in text


def test_the_gradient_is_checked(shown: tuple[str, Result]):
    text, result = shown
    assert result.check
    assert str(result.check) in text


def test_both_passes_are_shown_as_they_print_themselves(shown: tuple[str, Result]):
    assert str(bp.derive(loss, SHAPES, WRT)) in shown[0]


def test_it_takes_seconds(shown: tuple[str, Result]):
    assert set(shown[1].seconds) == {"derived", "checked", "trained"}
    assert sum(shown[1].seconds.values()) < 15


def test_no_line_is_wider_than_the_page(shown: tuple[str, Result]):
    assert max(map(len, shown[0].splitlines())) <= 80


def test_what_it_names_is_there(shown: tuple[str, Result]):
    rest = shown[0].split("What to try next")[1]
    paths = re.findall(r"\b(?:examples|backpass)/[\w/.]*", rest)
    assert len(paths) == 2
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert CliRunner().invoke(main, ["derive", "--help"]).exit_code == 0


def test_the_command_that_it_names_is_the_one_that_was_typed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", [".venv/bin/backpass", "demo"])
    monkeypatch.setenv("PATH", "")
    shown = CliRunner().invoke(main, ["demo"]).stdout
    assert ".venv/bin/backpass derive --help  derive a formula" in shown


def test_as_json_it_prints_nothing_but_results():
    result = CliRunner(charset="ascii").invoke(main, ["demo", "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["accuracy"] >= 0.96
    assert found["check"]["ok"] is True
    assert set(found["seconds"]) == {"derived", "checked", "trained"}


def test_a_console_without_the_letters_gets_ascii():
    result = CliRunner(charset="ascii").invoke(main, ["demo"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes.isascii()
    assert "dZ1 = dA1 * (1 - A1**2)" in result.stdout


def test_the_picture_of_the_readme_shows_this_demo(shown: tuple[str, Result]):
    svg = (ROOT / "docs/demo.svg").read_text("utf-8")
    drawn = {re.sub(r"\s", "", one) for one in lines_of(svg)}
    lines = {re.sub(r"\s", "", line) for line in shown[0].splitlines()}
    varying = re.compile(r"[▀▄█━]|\de-|\d\.\d|exactly|differences|Ittook|,not\d")
    steady = {line for line in lines if not varying.search(line)}
    assert len(steady) > 50
    assert steady - drawn == set()


def lines_of(svg: str) -> list[str]:
    """The lines of text in a picture: its pieces, put together by their height."""
    rows: dict[str, str] = {}
    for y, piece in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        rows[y] = rows.get(y, "") + piece
    signs = {"&#160;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&amp;": "&"}
    for entity, letter in signs.items():
        rows = {y: row.replace(entity, letter) for y, row in rows.items()}
    return list(rows.values())
