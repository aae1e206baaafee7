import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from rich.console import Console

import backpass as bp
from backpass.cli import main
from backpass.nn.data import load_digits, split
from backpass.terminal.confusion import confusion_lines
from backpass.terminal.demo import Result, network, run

ROOT = Path(__file__).parents[2]


class Shown(NamedTuple):
    text: str
    result: Result
    page: str  # the report


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    to = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("examples", "backpass"):  # as where the repository was cloned
            Path(name).symlink_to(ROOT / name)
        result = run(Console(file=to, width=80, highlight=False), progress=False)
    assert isinstance(to.buffer, io.BytesIO)
    page = (folder / "report.html").read_text("utf-8")
    return Shown(to.buffer.getvalue().decode(), result, page)


def test_it_reads_held_out_digits(shown: Shown):
    text, result, _ = shown
    assert len(result.exam) == 450
    assert result.exam.score >= 0.97
    assert f"{result.exam.score:.1%} of the 450 that were held out" in text


def test_it_tells_what_was_taken_for_what(shown: Shown):
    text, result, _ = shown
    exam = result.exam
    assert exam.confusion is not None
    assert exam.confusion.sum() - exam.confusion.trace() == len(exam.misread) > 0
    for line in confusion_lines(exam.confusion):
        assert "".join(span.text for span in line) in text
    assert f"It misread {len(exam.misread)} of them" in text


def test_the_gradient_is_checked(shown: Shown):
    text, result, _ = shown
    assert result.check
    assert str(result.check) in text


def test_both_passes_are_shown_as_they_print_themselves(shown: Shown):
    assert str(network().derivation()) in shown.text


def test_the_code_that_is_shown_is_what_runs(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    text, result, _ = shown
    code = re.findall(r"^    ((?:net|d|history) = .*(?:\n {5,}.*)*|print\(.*)$", text, re.MULTILINE)
    monkeypatch.setattr(bp.Network, "fit", lambda *a, **b: fit(*a, **b, progress=False))
    (X, y), (X_held, y_held) = split(*load_digits())
    world: dict[str, Any] = {"bp": bp, "X": X, "y": y}
    exec("\n".join(code), world)
    assert world["net"].score(X_held, y_held) == result.exam.score
    assert len(code) == 6
    seconds = re.compile(r"(in|and) \S+ s")
    printed = seconds.sub("", capsys.readouterr().out)
    assert set(printed.splitlines()) <= set(seconds.sub("", text).splitlines())


fit = bp.Network.fit


def test_it_takes_seconds(shown: Shown):
    assert set(shown.result.seconds) == {"derived", "checked", "trained", "reported"}
    assert sum(shown.result.seconds.values()) < 15


def test_no_line_is_wider_than_the_page(shown: Shown):
    assert max(map(len, shown.text.splitlines())) <= 80


def test_what_it_names_is_there(shown: Shown):
    rest = shown.text.split("What to try next")[1]
    paths = re.findall(r"\b(?:examples|backpass)/[\w/.]*", rest)
    assert len(paths) == 2
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = re.findall(r"^backpass (\w+)(?: |$)", rest, re.MULTILINE)
    assert named
    assert set(named) <= set(main.commands)


def test_it_names_nothing_that_an_installed_backpass_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    rest = CliRunner().invoke(main, ["demo"]).stdout.split("What to try next")[1]
    assert "help(bp.derive)" in rest
    assert "examples/" not in rest
    assert "backpass/" not in rest


def test_the_report_is_written_and_named(shown: Shown):
    text, result, page = shown
    assert f"{result.exam.score:.1%}" in page
    assert result.report == "report.html"
    assert "\nreport.html " in text.split("What to try next")[1]


def test_the_command_that_it_names_is_the_one_that_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("sys.argv", [".venv/bin/backpass", "demo"])
    monkeypatch.setenv("PATH", "")
    shown = CliRunner().invoke(main, ["demo", "--output", str(tmp_path / "a.html")]).stdout
    assert ".venv/bin/backpass derive --help" in shown
    lines = shown.split("What to try next")[1].splitlines()
    assert max(len(line) for line in lines if "a.html" not in line) <= 80


def test_as_json_it_prints_nothing_but_results(tmp_path: Path):
    path = str(tmp_path / "a.html")
    result = CliRunner(charset="ascii").invoke(main, ["demo", "--json", "--output", path])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["accuracy"] >= 0.97
    assert sum(map(sum, found["confusion"])) == found["held_out"] == 450
    assert found["check"]["ok"] is True
    assert found["report"] == path
    assert (tmp_path / "a.html").exists()


def test_a_console_without_the_letters_gets_ascii(tmp_path: Path):
    path = str(tmp_path / "a.html")
    result = CliRunner(charset="ascii").invoke(main, ["demo", "--output", path])
    assert result.exit_code == 0, result.stderr
    assert result.stdout_bytes.isascii()
    assert "dZ1 = dA1 * (1 - A1**2)" in result.stdout


def test_a_report_that_cannot_be_written_is_refused_before_anything_happens(tmp_path: Path):
    result = CliRunner().invoke(main, ["demo", "--output", str(tmp_path / "missing/report.html")])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.endswith("report.html cannot be written: no such file or directory\n")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_somebody_else_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("report.html").write_text("<p>mine</p>")
    result = CliRunner().invoke(main, ["demo"])
    assert Path("report.html").read_text() == "<p>mine</p>"
    assert result.exit_code == 2
    assert "report.html is there already, and no report of backpass" in result.stderr


def test_the_picture_of_the_readme_shows_this_demo(shown: Shown):
    svg = (ROOT / "docs/demo.svg").read_text("utf-8")
    drawn = {re.sub(r"\s", "", one) for one in lines_of(svg)}
    lines = {re.sub(r"\s", "", line) for line in shown.text.splitlines()}
    varying = re.compile(r"[▀▄█━·]|\de-|\d\.\d|exactly|differences|Derivedin|,not\d")
    steady = {line for line in lines if not varying.search(line)}
    assert len(steady) > 45
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
