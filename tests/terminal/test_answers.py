from typing import get_args

import pytest
from click.testing import CliRunner

from backpass.cli import main
from backpass.derive import derive
from backpass.language.errors import BackpassError
from backpass.reading.layout import Layout, chain
from backpass.running.numpy.styles import Style
from backpass.terminal.answers import answers_json, readings, write_page

READINGS = "index latex markdown code style html why chain layout check unfold"
NOTHING = dict.fromkeys(READINGS.split())
D = derive("z = W x; L = ½ sum((σ(z) - y)²)", "W: m k, x: k, y: m", wrt="W")


def test_what_is_asked_for_comes_in_the_order_of_the_help():
    asked = {**NOTHING, "why": "W", "index": True, "chain": "W"}
    assert [name for name, _ in readings(D, asked)] == ["index", "why", "chain"]


def test_readings_are_what_the_derivation_says():
    asked = {**NOTHING, "index": True, "latex": True, "markdown": True, "code": True, "why": "W"}
    found = answers_json(D, asked)
    assert found["index"] == D.index()
    assert found["latex"] == D.latex()
    assert found["markdown"].rstrip() == D.markdown().rstrip()
    assert found["code"].rstrip() == D.code("numpy").rstrip()
    assert found["why"] == D.why("W")


def test_a_style_is_that_of_the_code():
    d = derive(
        "a1 = tanh(W1 x); a2 = tanh(W2 a1); L = ½ sum((a2 - y)²)",
        "x: k, y: k, W1: k k, W2: k k",
        wrt="W1 W2",
    )
    for style in get_args(Style):
        found = answers_json(d, {**NOTHING, "code": True, "style": style})
        assert found["code"].rstrip() == d.code("numpy", style).rstrip()


def test_a_layout_is_that_of_the_chain():
    layouts: tuple[Layout, ...] = ("mixed", "numerator", "denominator")
    for layout in layouts:
        found = answers_json(D, {**NOTHING, "chain": "W", "layout": layout})
        assert found["chain"] == chain(D.passes, "W", layout)


def test_every_step_says_what_it_is():
    found = answers_json(D, NOTHING)
    assert [step["name"] for step in found["forward"]] == ["z", "A", "L"]
    assert [step["name"] for step in found["backward"]] == ["dA", "dz", "dW"]
    assert {len(step["reason"]) > 0 for step in found["backward"]} == {True}
    assert found["backward"][-1]["shape"] == ["m", "k"]


def test_a_step_without_matrix_notation_has_a_line_for_each_loop_nest():
    d = derive("L = sum(concatenate((a, b))²)", "a: 3, b: 5", wrt="a b")
    lines = {step["name"]: step["lines"] for step in answers_json(d, NOTHING)["forward"]}
    assert sum(map(len, lines.values())) >= len(lines)


def test_a_page_is_written_whole_and_to_a_page_alone(tmp_path):
    path = tmp_path / "gradient.html"
    write_page(D, path)
    assert path.read_text(encoding="utf-8") == D.html()
    asked = ["derive", "L = x²", "--shapes", "x: ()", "--html", str(path)]
    result = CliRunner().invoke(main, asked)
    assert result.output == f"{path}: the derivation as a page\n"
    assert path.read_text(encoding="utf-8") == derive("L = x²", "x: ()").html()
    source = tmp_path / "model.py"
    source.write_text("def loss(): ...")
    with pytest.raises(BackpassError, match=r"let its name end in \.html"):
        write_page(D, source)
    assert source.read_text() == "def loss(): ..."
