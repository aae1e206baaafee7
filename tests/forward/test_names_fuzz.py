"""Random code: what has a name is found under that name, and so is what a value flows into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial, reduce
from random import Random
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backpass.forward.names import Binding
from tests.forward.noting import Array, run

FUNCTIONS = """
def plain(z): return -z
def steps(z):
    e = -z
    s = e @ x
    return s
def early(z, flag):
    Z = z @ x
    if flag: return Z
    return -Z
def branches(z, flag):
    if flag: r = -z
    else: r = z @ x
    return r
def loop(z):
    for _ in range(2): z = -z
    return z
def deep(z, n): return deep(z @ x, n - 1) if n else -z
def pair(z):
    Z = z @ x
    return tanh(Z), Z
def nested(z):
    Z = z @ x
    return tanh(Z), (z, Z)
def listed(z): return [z @ W for W in Ws]
def keyed(z): return {"Q": -z, "R": z @ x}
def made(z):
    for W in Ws: yield z @ W
class Layer:
    def __call__(self, z):
        self.kept = z @ x
        return tanh(self.kept)
    def method(self, z):
        r = z @ x
        return r
    @property
    def norm(self): return -x
    def __matmul__(self, z): return -z
def f():
    v0 = v1 = v2 = t = x; A, B, C, l, key, yes, no = [x], [x, x], [x], 1, "Y", True, False
    cache, params, nets = {}, {"W": [x, x]}, [names(c={}), names(c={})]
    net, layer, functions = names(A=[], a=x), Layer(), [plain, steps]
"""
# □ stands for an expression, $ for the end of a line
EXPRESSIONS = """
□ @ □|□ + □|-□|tanh(□)|tanh(□, axis=0)|tanh(*[□])|□.T|□.dot(□)|A[-1]|(n := □)|□ if yes else □
□ if no else □|no and □ or □|plain(□)|steps(□)|early(□, yes)|early(□, no)|branches(□, yes)
branches(□, no)|loop(□)|deep(□, 2)|pair(□)[0]|layer(□)|layer.method(□)|layer.norm|layer @ □
(lambda q: -q)(□)|functions[1](□)|partial(steps)(□)|next(made(□))|sum([□, □], x)
reduce(lambda a, W: a @ W, Ws, □)
"""
STATEMENTS = """
v0 = □|v1 = □|v0, v1 = □, □|v0, v1, v2 = □, □, □|v0 = v1 = □|v2 += □|A.append(□)|net.A.append(□)
B[0] = □|B[l] = □|B[l - 1] += □|B[-1] = □|cache["Z1"] = □|cache[key] = □|cache[f"K{l}"] = □
cache["W" + str(l)] = □|cache[3] = □|cache[l] = □|cache[key.lower()] = □|net.a = □|net.a += □
params["W"][1] = □|nets[0].z = □|nets[l].c["z"] = □|C = [□, □]|t = □, □|C += [□]|C = [*made(□)]
C = [□ for W in Ws]|C = [W @ □ for W in Ws if W]|C = list(map(lambda q: q @ □, Ws))|C = listed(□)
D = {"g": □, 4: □}|D = {"d" + str(i): □ for i in range(2)}|D = {i: □ for i in range(2)}
D = keyed(□)|v0, v1 = pair(□)|t = pair(□)|v0, (v1, v2) = nested(□)|v0, t = nested(□)
cache["M"] = □ if yes else □|v0 = (v1 := □) @ □|v0, *t = □, □, □|□|assert □ is not None
"""
BLOCKS = """
for i, W in enumerate(Ws):|if yes:|with quiet() as q:|for z in made(x):|if no: pass$else:
try: raise KeyError$except KeyError:|while yes:$    yes = False
"""


def one_of(templates: str, draw: Random, depth: int) -> str:
    first, *more = draw.choice(templates.strip().replace("\n", "|").split("|")).split("□")
    return first + "".join(expression(draw, depth) + each for each in more)


def expression(draw: Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(["x", "v0", "v2"])
    return f"({one_of(EXPRESSIONS, draw, depth - 1)})"


def statement(draw: Random) -> list[str]:
    simple = [one_of(STATEMENTS, draw, draw.randrange(4)), "look(locals())"]
    if draw.random() < 0.7:
        return simple
    return [*one_of(BLOCKS, draw, 0).split("$"), *("    " + line for line in [simple[1], *simple])]


def places(held: dict[Any, object]) -> Iterator[tuple[object, int | None, object]]:
    """List what can be reached from some variables, with its name and its position."""
    for name, value in held.items():
        yield name, None, value
        if isinstance(value, list | tuple):
            for i, each in enumerate(value):
                yield name, i, each
                yield name, None, each
                if isinstance(each, SimpleNamespace):
                    yield from places(vars(each))
                    yield from ((inner, i, found) for inner, found in vars(each).items())
        elif isinstance(value, dict):
            yield from ((name, key, found) for key, found in value.items())
            yield from places(value)
        elif isinstance(value, SimpleNamespace):
            yield from places(vars(value))


def is_there(held: dict[Any, object], value: Array, bound: Binding) -> bool:
    for name, position, found in places(held):
        if bound.consumed and name == bound.into and bound.into_position in (position, None):
            # C code may hand back what it was given: the last step of a reduce is its result
            if found is value or (isinstance(found, Array) and value in found.sources):
                return True
        elif (name, position) == (bound.name, bound.position) and found is value:
            return True
    return False


@settings(max_examples=max(300, settings().max_examples))
@given(st.integers(0, 2**64))
def test_what_is_named_is_there(seed: int) -> None:
    draw = Random(seed)
    lines = ["    " + line for _ in range(6) for line in statement(draw)]

    def look(held: dict[Any, object]) -> None:
        noted, Array.noted = Array.noted, []
        # of the values that one statement gives the same name, the last is there; n, which stands
        # inside expressions, may have got another value since, which no operation made
        last = {
            (bound.name, bound.position, bound.into, bound.into_position): (value, bound)
            for value, bound in noted
            if bound.scope == 0 and "n" not in (bound.name, bound.into)
        }
        for value, bound in last.values():
            assert is_there(held, value, bound), bound

    more = {"quiet": nullcontext, "partial": partial, "reduce": reduce, "look": look}
    run(FUNCTIONS + "\n".join(lines), **more)
