"""Random terms, steps and numbers for them: the material of the laws of `language`."""

from fractions import Fraction

from hypothesis import strategies as st

from backpass.language.expr import (
    Apply,
    Bracket,
    Function,
    Label,
    Read,
    SizeTerm,
    Term,
    add,
    divide,
    multiply,
    number,
    power,
)
from backpass.language.program import Array, ArrayFunction, Call, Step, Write
from backpass.language.shapes import Size, size

NAMES = ["n", "k", "m", "L", "dL"]  # L and dL are also arrays below: the writer must not mix them
ARRAYS = {
    array.name: array
    for array in [
        Array("A", (size("n"), size("k"))),
        Array("X", (size("k+1"), size(3))),
        Array("b", (size("k"),)),
        Array("y", (size("n"),), "int", size("k")),
        Array("ids", (size("m"),), "int", size("n")),
        Array("L", ()),
        Array("dL", ()),
        Array("n", ()),
        Array("W′", (size("n"), size("n"))),
    ]
}
RELATIONS = ["==", "!=", "<", "<=", ">", ">="]

fractions = st.builds(Fraction, st.integers(-4, 4), st.integers(1, 4)) | st.sampled_from(
    [Fraction(1, 10), Fraction(1, 1000), Fraction(22, 37), Fraction(10**30), Fraction(1, 10**30)]
)
monomials = st.lists(st.sampled_from(NAMES), max_size=3).map(
    lambda names: tuple((name, names.count(name)) for name in sorted(set(names)))
)
lengths = st.sampled_from([size(s) for s in ["n", "k", "m", "k+1", "2*n-1", "1", "3"]])


def merged(parts):
    """A polynomial from monomials of which some may be alike."""
    total = Size()
    for part in parts:
        total = total + Size([part])
    return total


sizes = st.lists(st.tuples(monomials, st.integers(-3, 3)), max_size=3).map(merged)
named_sizes = sizes.filter(lambda s: s.number is None)


@st.composite
def loops(draw) -> tuple[Label, ...]:
    found = draw(st.lists(st.sampled_from("nkmijL"), unique=True, max_size=4))
    return tuple(
        Label(name, draw(lengths) if draw(st.booleans()) else size(name)) for name in found
    )


def terms(labels: tuple[Label, ...]) -> st.SearchStrategy[Term]:
    """Terms in normal form, as the builders of `expr` make them."""
    scope = [st.sampled_from(labels)] if labels else []
    atoms = st.one_of(
        *scope,
        *scope,
        fractions.map(number),
        named_sizes.map(SizeTerm),
        st.sampled_from([Read("L", ()), Read("dL", ()), Read("n", ())]),
    )

    def grow(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        several = st.lists(inner, min_size=2, max_size=3)
        index = st.one_of(*scope, inner)

        def read(array: Array) -> st.SearchStrategy[Term]:
            parts = st.tuples(*[index for _ in array.shape])
            return parts.map(lambda found: Read(array.name, found))

        return st.one_of(
            st.sampled_from(list(ARRAYS.values())).flatmap(read),
            several.map(lambda parts: add(*parts)),
            several.map(lambda parts: multiply(*parts)),
            st.builds(divide, inner, inner),
            st.builds(power, inner, fractions.map(number) | inner),
            st.builds(Bracket, st.sampled_from(RELATIONS), inner, inner),
            st.builds(Apply, st.sampled_from([Function("tanh"), Function("g′")]), st.tuples(inner)),
            st.builds(Apply, st.just(Function("maximum")), st.tuples(inner, inner)),
        )

    return st.recursive(atoms, grow, max_leaves=12)


@st.composite
def writes(draw, rank: int) -> Write:
    labels = draw(loops())
    inner = terms(labels)
    part = (st.sampled_from(labels) | inner) if labels else inner
    left = tuple(draw(part) for _ in range(rank))
    return Write(left, draw(inner), labels)


@st.composite
def steps(draw) -> Step:
    shape = tuple(draw(st.lists(lengths, max_size=3)))
    body = draw(st.lists(writes(len(shape)), max_size=3))
    return Step(Array("C", shape), tuple(body))


@st.composite
def calls(draw) -> Step:
    labels = draw(loops())
    some = st.lists(st.sampled_from(labels), max_size=2) if labels else st.just([])
    left = tuple(dict.fromkeys(draw(some)))
    arrays = [a for a in ARRAYS.values() if len(a.shape) <= len(labels)]
    args = tuple(
        Read(array.name, tuple(draw(st.permutations(labels))[: len(array.shape)]))
        for array in draw(st.lists(st.sampled_from(arrays), min_size=1, max_size=2))
    )
    body = Call(ArrayFunction("∇C"), args, left, tuple(dict.fromkeys(draw(some))))
    return Step(Array("P", tuple(label.size for label in left)), body)


# What follows can be run: every index stays within its axis.

HERE = {"n": 3, "k": 2, "m": 4}
FULL = {
    "A": Array("A", (size("n"), size("k"))),
    "b": Array("b", (size("k"),)),
    "w": Array("w", ()),
    "y": Array("y", (size("n"),), "int", size("k")),
    "ids": Array("ids", (size("m"),), "int", size("n")),
}
VALUES = {
    "A": [[0.5, -1.25], [2.0, 0.75], [-0.5, 1.5]],
    "b": [1.5, -2.0],
    "w": 0.25,
    "y": [1, 0, 1],
    "ids": [2, 0, 2, 1],
}


def positions(axis: Size, labels: tuple[Label, ...]) -> st.SearchStrategy[Term]:
    """Indices within an axis of n or k entries: labels, numbers, entries of y and ids."""
    found: list[Term] = [label for label in labels if label.size == axis] + [number(0), number(1)]
    via, length = ("y", size("n")) if axis == size("k") else ("ids", size("m"))
    found += [Read(via, (label,)) for label in labels if label.size == length]
    return st.sampled_from(found)


@st.composite
def runnable(draw) -> Step:
    """A step over the arrays in FULL."""
    shape = tuple(draw(st.lists(st.sampled_from([size("n"), size("k")]), max_size=2)))

    def write() -> Write:
        lengths = draw(st.lists(st.sampled_from([size("n"), size("k"), size("m")]), max_size=4))
        labels = tuple(Label("pqrs"[place], length) for place, length in enumerate(lengths))
        atoms = st.one_of(
            st.just(Read("w", ())),
            positions(size("k"), labels).map(lambda part: Read("b", (part,))),
            st.tuples(positions(size("n"), labels), positions(size("k"), labels)).map(
                lambda parts: Read("A", parts)
            ),
            *[st.sampled_from(labels)] * bool(labels),
            st.builds(Fraction, st.integers(-3, 3), st.sampled_from([1, 2, 4])).map(number),
            st.sampled_from(["n", "2*k+1"]).map(lambda text: SizeTerm(size(text))),
        )
        grown = st.recursive(
            atoms,
            lambda inner: st.one_of(
                st.builds(add, inner, inner),
                st.builds(multiply, inner, inner),
                st.builds(power, inner, st.just(number(2))),
                st.builds(Bracket, st.sampled_from(RELATIONS), inner, inner),
            ),
            max_leaves=6,
        )
        left = tuple(draw(positions(axis, labels)) for axis in shape)
        return Write(left, draw(grown), labels)

    return Step(Array("C", shape), tuple(write() for _ in range(draw(st.integers(1, 2)))))
