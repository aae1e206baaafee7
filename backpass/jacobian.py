"""Derivatives with more axes than a gradient: Jacobians, Hessians and Hessian-vector products.

All three are the one rule again. A Jacobian sends every direction back at once: each adjoint
carries the result's labels in front. A Hessian is the Jacobian of the gradient, because a
backward pass is a program like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backpass.calculus.backward import leads_to, reverse
from backpass.derive import Derivation, Forward, derive, wanted_leaves
from backpass.forward.arguments import Arguments
from backpass.forward.record import record
from backpass.language.errors import DerivationError
from backpass.language.expr import Bracket, Label, Read, Term, multiply
from backpass.language.notation import format_program
from backpass.language.program import Array, Program, Step, Write, axis_labels, fresh
from backpass.running.numpy.source import source
from backpass.running.runner import Runner, compile_numpy

if TYPE_CHECKING:  # readings are imported when they are asked for, as in derive.py
    from backpass.reading.passes import Passes


@dataclass(frozen=True)
class Arrays:
    """A program that computes derivative arrays: print it, or call it for the arrays.

    The result is one array for one `wrt`, a dict by leaf name for several, and for a Hessian a
    dict of dicts.
    """

    forward: Program  # what is differentiated: a forward pass, or one with its backward pass
    backward: tuple[Step, ...]
    results: Mapping[tuple[str, ...], str]  # the leaves differentiated by -> the array's name
    arguments: Arguments

    @cached_property
    def program(self) -> Program:
        """All steps that the results need."""
        steps = (*self.forward.steps, *self.backward)
        names = tuple(self.results.values())
        needed = {one for name in names for one in leads_to(steps, name)}
        kept = tuple(step for step in steps if step.name in needed)
        return Program(self.forward.inputs, kept, names, self.forward.constants)

    @cached_property
    def runner(self) -> Runner:
        """The emitted program, compiled."""
        return compile_numpy(self.program, name="derivatives")

    def code(self) -> str:
        """Importable source that needs NumPy alone: it takes and returns what a call does."""
        names = {name: name for name in self.program.outputs}
        outputs = None if len(names) == 1 else self._nested(names)
        arguments = self.arguments.named
        return source(self.program, name="derivatives", arguments=arguments, outputs=outputs).text

    def __call__(self, *args: Any, **arrays: Any) -> Any:
        """The derivative arrays at these arguments, in their precision."""
        found = self.runner(self.arguments.arrange(args, arrays))
        if len(self.results) == 1:
            return found
        return self._nested(dict(zip(self.program.outputs, found, strict=True)))

    def _nested(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The results by the leaves differentiated by, a dict of dicts for a Hessian."""
        result: dict[str, Any] = {}
        for path, name in self.results.items():
            place = result
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = found[name]
        return result

    @cached_property
    def passes(self) -> Passes:
        """What the readings are made from."""
        from backpass.reading.passes import Passes

        wrt = tuple(dict.fromkeys(path[-1] for path in self.results))
        return Passes(self.forward, self.backward, wrt)

    def __str__(self) -> str:
        from backpass.reading.text import derivation_text

        return derivation_text(self.passes)

    __repr__ = __str__

    def html(self) -> str:
        """The program as a page of its own, typeset; nothing is loaded from anywhere."""
        from backpass.reading.html import derivatives_page

        return derivatives_page(self.passes, self.results.values(), self.code())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows of a cell whose value this is."""
        from backpass.reading.html import styled_html

        return {"text/plain": str(self), "text/html": styled_html(self.passes, why=False)}

    def index(self) -> str:
        """The program in index notation."""
        return format_program(self.program)


def _identity(labels: Sequence[Label]) -> Callable[[tuple[Term, ...]], Term]:
    """1 where an index is the direction itself: `[e == s]` for every axis."""

    def seed(index: tuple[Term, ...]) -> Term:
        return multiply(*(Bracket("==", e, s) for e, s in zip(labels, index, strict=True)))

    return seed


def _spread(
    program: Program, of: str, wrt: Sequence[str], others: Sequence[Step] = ()
) -> tuple[list[Step], dict[str, str]]:
    """∂of/∂wrt for every entry of `of`: an array with the axes of `of` in front.

    The names of `others` are taken.
    """
    arrays = {**program.arrays, **{step.name: step.target for step in others}}
    shape = program.arrays[of].shape
    extra = tuple(Label(f"e{place}", axis) for place, axis in enumerate(shape))
    seed = _identity(extra)
    return reverse(
        program.steps, arrays, of, wrt,
        seed=seed, extra=extra, name=lambda one: f"d{of}_d{one}",
    )  # fmt: skip


def jacobian(
    forward: Forward,
    shapes: Any,
    wrt: str | Sequence[str] | None = None,
    functions: str | None = None,
) -> Arrays:
    """∂y/∂x for a forward pass that returns an array y of any shape.

    The arguments are those of `derive`. The array has y's axes first, then x's (numerator
    layout): `J[i,j] = ∂y[i]/∂x[j]`.
    """
    recording = record(forward, shapes, functions)
    program = recording.program
    of = program.outputs[0]
    wanted = wanted_leaves(recording, wrt)
    steps, found = _spread(program, of, wanted)
    results = {(leaf,): found[leaf] for leaf in wanted if leaf in found}
    return Arrays(program, tuple(steps), results, recording.arguments)


def hessian(
    forward: Forward,
    shapes: Any,
    wrt: str | Sequence[str] | None = None,
    functions: str | None = None,
) -> Arrays:
    """The second derivatives of a loss: for each two of `wrt` an array with the axes of both.

    The arguments are those of `derive`. With one `wrt` the call returns `H[i,j]` alone, with
    several a dict of dicts, `result["W1"]["b1"]`. Meant for small sizes: the array has as many
    entries as the square of the parameters.
    """
    d = derive(forward, shapes, wrt, functions)
    steps: list[Step] = []
    results: dict[tuple[str, ...], str] = {}
    for leaf, gradient in d.gradients.items():
        grown, found = _spread(d.program, gradient, d.wrt, steps)
        steps += grown
        for other in d.wrt:
            if other in found:
                results[leaf, other] = found[other]
            else:
                steps.append(_zero(f"d{gradient}_d{other}", d.program, gradient, other))
                results[leaf, other] = steps[-1].name
    if len(d.wrt) == 1:
        results = {(other,): name for (_, other), name in results.items()}
    return Arrays(d.program, tuple(steps), results, d.arguments)


def _zero(name: str, program: Program, first: str, second: str) -> Step:
    """A block of a Hessian whose two parameters never meet in a product."""
    shape = (*program.arrays[first].shape, *program.arrays[second].shape)
    return Step(Array(fresh(name, program.arrays), shape), ())


def hvp(
    forward: Forward,
    shapes: Any,
    wrt: str | Sequence[str] | None = None,
    functions: str | None = None,
) -> Arrays:
    """The Hessian times a vector, without the Hessian: the gradient of v·∇L.

    The arguments are those of `derive`. The call takes the forward pass's arguments and then
    `v`: an array shaped like the one `wrt`, or for several a dict of arrays by leaf name.
    """
    d = derive(forward, shapes, wrt, functions)
    if "v" in d.arguments.nests or any(leaf.name == "v" for leaf in d.arguments.leaves):
        raise DerivationError("an argument is called v, like the vector; rename it")
    program, steps, vectors, results = _along(d)
    single = len(d.wrt) == 1
    nest: Any = vectors[d.wrt[0]] if single else vectors
    arguments = Arguments({**d.arguments.nests, "v": nest})
    return Arrays(program, tuple(steps), results, arguments)


def along(d: Derivation) -> tuple[Program, tuple[str, ...]]:
    """A program that gives the Hessian of a derivation times a vector, and the vector's names.

    There is one array of the vector, and one of the product, for each of `d.wrt`, in that order.
    """
    program, steps, vectors, results = _along(d)
    outputs = tuple(results[leaf,] for leaf in d.wrt)
    whole = Program(program.inputs, (*program.steps, *steps), outputs, program.constants)
    return whole, tuple(vectors[leaf].name for leaf in d.wrt)


def _along(
    d: Derivation,
) -> tuple[Program, list[Step], dict[str, Array], dict[tuple[str, ...], str]]:
    """The gradient along a vector, its own backward pass, the vector's arrays and the results."""
    single, taken = len(d.wrt) == 1, d.program.arrays
    vectors = {
        leaf: Array(fresh("v" if single else f"v_{leaf}", taken), d.forward.arrays[leaf].shape)
        for leaf in d.wrt
    }
    writes: list[Write] = []
    for leaf, vector in vectors.items():
        labels = axis_labels(vector.shape)
        term = multiply(Read(vector.name, labels), Read(d.gradients[leaf], labels))
        writes.append(Write((), term, labels))
    along = Step(Array(fresh("vg", taken), ()), tuple(writes))
    inputs = (*d.forward.inputs, *vectors.values())
    program = Program(inputs, (*d.program.steps, along), (along.name,), d.forward.constants)
    steps, found = reverse(
        program.steps, program.arrays, along.name, d.wrt, name=lambda one: f"h{one}"
    )
    taken = {*program.arrays, *(step.name for step in steps)}
    results: dict[tuple[str, ...], str] = {}
    for leaf in d.wrt:
        if leaf not in found:  # the gradient is the same everywhere in this direction
            found[leaf] = fresh(f"h{leaf}", taken)
            steps.append(Step(Array(found[leaf], d.forward.arrays[leaf].shape), ()))
        results[leaf,] = found[leaf]
    return program, steps, vectors, results
