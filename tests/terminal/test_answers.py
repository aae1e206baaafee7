from typing import get_args

from backpass.derive import derive
from backpass.reading.layout import Layout, chain
from backpass.running.numpy.styles import Style
from backpass.terminal.answers import answers_json, readings

NOTHING = dict.fromkeys(
    ("index", "latex", "markdown", "code", "style", "why", "chain", "layout", "check", "unfold")
)
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
