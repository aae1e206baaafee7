"""Rewritten code reports every sub-expression and does exactly what it did before."""

from __future__ import annotations

import numpy as np
import pytest

from backpass.doctor.rewrite import SEE, rewrite

SOURCE = '''
import numpy as np

class Holder:
    __secret = 2.0
    def __init__(self, w: float = 3.0):
        self.w = [w, w]
    def method(self, x):
        self.w[0] -= 0.5 * (x := x + 1) * self.__secret
        self.w[1] = self.w[0] * 2
        return {k: v for k, v in zip("ab", self.w)}, f"{x:.1f}", super().__repr__()[:1]

def outer(x):
    """A docstring stays one."""
    step = lambda a, *rest, k=1: a * k + sum(rest)
    def inner(y):
        nonlocal x
        x += y
        return [i * y for i in range(3) if i > 0]
    first, *others = inner(2)
    match others:
        case [only]:
            found = only
    try:
        assert found == 4, "four"
        del others[0]
    finally:
        a, b = step(1, 2, k=3), not x
    return first, a, b, x, others, -x if x > 3 else +x, (yield_ := 5)

def generate(n):
    for i in range(n):
        got = yield i * 2
        if got: return got
'''


def run(code, see=None):
    space = {SEE: see} if see else {}
    exec(code, space)
    holder = space["Holder"]()
    generator = space["generate"](3)
    return (
        holder.method(1.0),
        holder.w,
        space["outer"](4),
        space["outer"].__doc__,
        [next(generator), generator.send(None), next(generator)],
    )


def test_rewritten_code_does_what_it_did():
    plain = compile(SOURCE, "holder.py", "exec", dont_inherit=True)
    rewritten = rewrite(SOURCE, "holder.py")
    seen = []

    def see(number, value):
        seen.append((number, value))
        return value

    assert run(rewritten.twins[plain], see) == run(plain)
    texts = {rewritten.places[number].text for number, _ in seen}
    assert {"0.5 * (x := x + 1) * self.__secret", "a * k + sum(rest)", "i * y"} <= texts


def test_every_code_object_has_its_twin():
    rewritten = rewrite(SOURCE, "holder.py")
    names = {code.co_qualname: twin.co_qualname for code, twin in rewritten.twins.items()}
    assert all(name == twin for name, twin in names.items())
    assert {"Holder.method", "outer", "outer.<locals>.inner", "outer.<locals>.<lambda>"} <= {*names}
    for code, twin in rewritten.twins.items():
        assert code.co_freevars == twin.co_freevars
        assert code.co_firstlineno == twin.co_firstlineno


def test_places_quote_the_source_and_know_their_statement():
    source = "def f(W, ü, g):\n    W[0] -= ü * (g +\n        1)\n    return W\n"
    places = rewrite(source, "f.py", first=7).places
    assert places[0].number == 7
    by_text = {(place.text, place.moment): place for place in places}
    before, after = by_text["W[0]", "before"], by_text["W[0]", "after"]
    product, factor = by_text["ü * (g + 1)", "value"], by_text["ü", "value"]
    assert (product.line, product.column, product.end_line, product.end_column) == (2, 12, 3, 10)
    assert (factor.column, factor.end_column) == (12, 13)
    assert factor.parent == product.number
    assert before.statement == after.statement == product.statement
    assert by_text["W", "value"].statement != 0
    assert {place.function for place in places} == {"f"}


def test_source_that_python_does_not_read_is_its_error():
    with pytest.raises(SyntaxError):
        rewrite("def f(:", "f.py")


def test_values_are_seen_as_they_are():
    source = "def f(x, w):\n    return (x @ w).sum()\n"
    space = {}
    exec(compile(source, "f.py", "exec", dont_inherit=True), space)
    rewritten = rewrite(source, "f.py")
    seen = {}
    space[SEE] = lambda number, value: seen.setdefault(rewritten.places[number].text, value)
    space["f"].__code__ = rewritten.twins[space["f"].__code__]
    x, w = np.ones((2, 3)), np.ones(3)
    assert space["f"](x, w) == 6
    assert seen["x"] is x
    assert np.array_equal(seen["x @ w"], [3, 3])
