"""The object a user holds: a forward pass, its backward pass, and every reading of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from backpass._collector import held_off
from backpass.calculus.backward import leads_to, reverse
from backpass.checking.own import Own, arrays_in, own_function
from backpass.forward.arguments import Arguments, flat, replace_leaves
from backpass.forward.record import Recording, record
from backpass.forward.witness import World
from backpass.language.errors import DerivationError, UnknownName, choices
from backpass.language.program import Array, Program, Step
from backpass.language.shapes import Size, show_shape
from backpass.running.runner import Runner, compile_numpy

if TYPE_CHECKING:  # who derives to train does not wait for what reads, checks and prints
    from backpass.checking.report import Check
    from backpass.reading.layout import Layout
    from backpass.reading.passes import Passes
    from backpass.reading.presentation import Dialect
    from backpass.reading.saved import Saved
    from backpass.running.numpy.styles import Style

Forward = Callable[..., Any] | str
WHOLE = {"int": "integers", "bool": "truth values"}


@dataclass(frozen=True)
class Derivation:
    """A forward pass with its backward pass: print it, ask it why, run it.

    Calling it on arrays gives the value and the gradients: a dict that is nested like the
    arguments and holds only what was asked for.
    """

    forward: Program
    backward: tuple[Step, ...]
    gradients: Mapping[str, str]  # leaf -> what its gradient is called: W1 -> dW1
    arguments: Arguments
    worlds: tuple[World, ...]  # the sizes at which the forward pass was recorded
    own: Own = field(compare=False, repr=False)  # the forward pass as its user wrote it
    dialect: Dialect = "code"  # how products print: `A.T @ B`, or `Aᵀ B` for a formula

    @property
    def wrt(self) -> tuple[str, ...]:
        """The arrays whose gradients were asked for."""
        return tuple(self.gradients)

    @property
    def loss(self) -> str:
        """What the forward pass returns is called."""
        return self.forward.outputs[0]

    @cached_property
    def program(self) -> Program:
        """Forward and backward as one program: the value and every gradient come out."""
        outputs = (self.loss, *self.gradients.values())
        steps = (*self.forward.steps, *self.backward)
        return Program(self.forward.inputs, steps, outputs, self.forward.constants)

    @cached_property
    def passes(self) -> Passes:
        """What the readings are made from."""
        from backpass.reading.passes import Passes

        return Passes(self.forward, self.backward, self.wrt, self.dialect)

    @cached_property
    def runner(self) -> Runner:
        """The emitted program, compiled; `d.runner.source.text` is what runs."""
        return compile_numpy(self.program, gradients=self.arguments.gather(self.gradients))

    def __call__(self, *args: Any, **arrays: Any) -> tuple[Any, dict[str, Any]]:
        """The value and the gradients at these arguments, in their own precision.

        A function that was declared without a body is given by name, its slope as `g_prime`.
        Raises ShapeError when arrays contradict the declared shapes or each other, and
        DerivationError for a missing argument or an integer out of its range.
        """
        functions = self._functions(arrays) if self.runner.source.functions else {}
        return self.runner(self.arguments.arrange(args, arrays), functions)

    def _functions(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """Take functions that were declared without a body out of a call's arguments."""
        emitted = self.runner.source
        words = dict(zip(emitted.function_words, emitted.functions, strict=True))
        given = [word for word in {**dict.fromkeys(emitted.functions), **words} if word in arrays]
        return {words.get(word, word): arrays.pop(word) for word in given}

    def check(
        self,
        *args: Any,
        sizes: Mapping[str, int] | None = None,
        seed: int = 0,
        entries: bool = False,
        times: int = 3,
        **arrays: Any,
    ) -> Check:
        """Check value and gradients against your own function, by central differences.

        Tried are `times` points of random sizes and inputs, and your arrays where you give them;
        `sizes` fixes sizes by name, and `entries` tries every entry. The transpose law is checked
        for each step. A function that was declared without a body is replaced by a smooth one,
        unless it is given by name.

        The `Check` is true when all agrees; it can be printed and has `.failures` and `.advice`.
        """
        from backpass.checking.programs import Subject, check_program
        from backpass.checking.stand_ins import declared, specified

        given = self._functions(arrays)
        functions = given or declared(self.program)
        at = self.arguments.arrange(args, arrays) if args or arrays else None
        leaves = [leaf.name for leaf in self.arguments.leaves if leaf.name in self.gradients]

        def run(values: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
            value, gradients = self.runner(values, functions)
            return value, dict(zip(leaves, arrays_in(gradients), strict=True))

        subject = Subject(
            specified(self.program, functions),
            {leaf: self.gradients[leaf] for leaf in leaves},
            functions,
            not given,
            lambda values: self.own(values, functions),
            run,
        )
        return check_program(subject, at, sizes=sizes, seed=seed, entries=entries, times=times)

    def code(self, language: str = "numpy", style: Style = "unrolled") -> str:
        """Importable source of the forward and the backward pass; NumPy is all it needs.

        The function takes the arguments of the forward pass and returns gradients nested alike;
        an array of more than 1000 entries that the forward pass makes itself comes behind them.
        `style` is "unrolled", every line by itself, or writes equal layers once: as a "loop", or
        "recursive". These take W1, W2 … as a list W, and compute the same numbers bit for bit.
        Raises DerivationError for a style that does not apply, and says which does.
        """
        from backpass.running.numpy.source import source
        from backpass.running.numpy.styles import Style, styled

        if language != "numpy":
            raise DerivationError(f"there is no writer for {language} yet; there is one for numpy")
        if style not in get_args(Style):
            known = ", ".join(get_args(Style))
            raise DerivationError(f"the style {style} is not known; there are {known}")
        arguments = self.arguments.named
        if style == "unrolled":
            gradients = self.arguments.gather(self.gradients)
            return source(self.program, gradients=gradients, arguments=arguments).text
        return styled(style, self.passes, self.program, arguments, self.gradients)

    def __str__(self) -> str:
        from backpass.reading.text import derivation_text

        return derivation_text(self.passes)

    def __repr__(self) -> str:
        return str(self)

    def why(self, name: str) -> str:
        """One line at length: where it comes from, what is summed and why, the shapes.

        `name` is a forward or backward line, or an input for the line of its gradient. Raises
        UnknownName, with the nearest known one.
        """
        from backpass.reading.why import why

        name = str(name)
        known = [*self.gradients, *(step.name for step in self.program.steps)]
        if name not in known:
            raise UnknownName(f"no line assigns {name}{choices(name, known, 'ask for one of')}")
        return why(self.passes, self.gradients.get(name, name))

    def chain(self, name: str, layout: Layout = "mixed") -> str:
        """The chain of Jacobians that leads from the loss to a quantity, and its gradient.

        `layout` is "numerator", "denominator", or "mixed": Jacobians as in the first, gradients
        in the shape of their variables, as in code. Raises UnknownName, with the nearest one.
        """
        from backpass.reading.layout import Layout, chain

        if layout not in get_args(Layout):
            known = ", ".join(get_args(Layout))
            raise DerivationError(f"the layout {layout} is not known; there are {known}")
        return chain(self.passes, str(name), layout)

    def latex(self) -> str:
        """Both passes as one aligned display; KaTeX and LaTeX read it."""
        from backpass.reading.document import derivation_latex

        return derivation_latex(self.passes)

    def markdown(self) -> str:
        """Both passes as a document: headings, formulas and reasons."""
        from backpass.reading.document import derivation_markdown

        return derivation_markdown(self.passes)

    def html(self) -> str:
        """Both passes as a page of its own, typeset; each reason opens to `why` at length."""
        from backpass.reading.html import derivation_page

        return derivation_page(self.passes, self.code())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows of a cell whose value this is."""
        from backpass.reading.html import styled_html

        return {"text/plain": str(self), "text/html": styled_html(self.passes)}

    def columns(self, samples: str | None = None) -> Derivation:
        """The same derivation with samples as columns, `z = W x + b` and W out×in.

        `samples` is the size that counts them; by default the one that all inputs outside `wrt`
        share. Every array comes transposed, and so does every gradient. Raises DerivationError
        when nothing tells rows from columns.
        """
        return self._stated("columns", samples)

    def rows(self, samples: str | None = None) -> Derivation:
        """The same derivation with samples as rows, `Z = X W + b` and W in×out."""
        return self._stated("rows", samples)

    def _stated(self, wanted: str, samples: str | None) -> Derivation:
        from backpass.calculus.convention import convention, transposed

        counts = self._size(samples) if samples else self.passes.samples
        now = convention(self.forward, counts, self.wrt)
        if now is None:
            raise DerivationError(
                "nothing tells whether samples are rows or columns here; "
                'name the size that counts them, as in d.columns(samples="n")'
            )
        if now == wanted:
            return self
        nests = {
            name: replace_leaves(nest, lambda leaf: replace(leaf, shape=leaf.shape[::-1]))
            for name, nest in self.arguments.nests.items()
        }

        def own(values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
            return self.own({name: value.T for name, value in values.items()}, functions)

        return replace(self._derived(transposed(self.forward), Arguments(nests)), own=own)

    def _size(self, name: str) -> Size:
        """A size by its name, or a fixed one by its number; refused when no input has it."""
        axes = [axis for array in self.forward.inputs for axis in array.shape]
        known = [str(axis) for axis in axes]
        if str(name) not in known:
            raise UnknownName(f"there is no size {name}{choices(name, known, 'the sizes are')}")
        return axes[known.index(str(name))]

    def unfused(self) -> Derivation:
        """The long way: softmax, cross-entropy and their like in elementary steps.

        Its gradients are the same numbers (less stably computed); it shows why the short form
        `P − onehot(y)` is right.
        """
        from backpass.calculus.convention import unfused

        return self._derived(unfused(self.forward), self.arguments)

    def _derived(self, program: Program, arguments: Arguments) -> Derivation:
        """The derivation of another statement of the same forward pass."""
        steps, gradients = reverse(program.steps, program.arrays, self.loss, self.wrt)
        return replace(self, forward=program, backward=tuple(steps), gradients=gradients,
                       arguments=arguments)  # fmt: skip

    @cached_property
    def saved(self) -> Saved:
        """What must be kept from the forward pass; `d.saved.bytes(n=64, …)` is what it costs."""
        from backpass.reading.saved import saved

        return saved(self.passes)

    def index(self) -> str:
        """The program in index notation: what is printed is what runs."""
        from backpass.language.notation import format_program

        return format_program(self.program)


@held_off()
def derive(
    forward: Forward,
    shapes: Any,
    wrt: str | Sequence[str] | None = None,
    functions: str | None = None,
) -> Derivation:
    """Derive the backward pass of a forward pass.

    `forward` is a NumPy-like function, or formula text of one or more statements. `shapes`
    declares its arguments: a text (`"X: n k, w: (), V: 3 2, y: n int<m"`), a dict shaped like
    the arguments (`{"params": {"W": ["k j", "j m"]}}`), or example arrays. `wrt` names the
    arrays to differentiate by, every real one if None. `functions` declares functions that stay
    symbols, `"g: elementwise, C: scalar"`.

    Raises an error of the family `BackpassError`: TraceError for code that cannot be recorded,
    ShapeError, UnknownName, NotationError for text, and DerivationError when the result is no
    single number or does not depend on `wrt`.
    """
    recording = record(forward, shapes, functions)
    program = recording.program
    loss = program.outputs[0]
    shape = program.arrays[loss].shape
    if shape:
        raise recording.refused(
            f"the forward pass returns {show_shape(shape)} numbers, and a gradient is of one; "
            "sum or average them, or use bp.jacobian"
        )
    wanted = wanted_leaves(recording, wrt)
    backward, gradients = reverse(program.steps, program.arrays, loss, wanted)
    ordered = {name: gradients[name] for name in wanted if name in gradients}
    arguments = recording.arguments
    own = own_function(forward, arguments)
    dialect: Dialect = "math" if isinstance(forward, str) else "code"
    return Derivation(program, tuple(backward), ordered, arguments, recording.worlds, own, dialect)


def wanted_leaves(recording: Recording, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    """The leaves to differentiate by; an argument that is a nest stands for all its real leaves."""
    program, arguments = recording.program, recording.arguments
    leaves = {leaf.name: leaf for leaf in arguments.leaves}
    influence = leads_to(program.steps, program.outputs[0], "real")
    if wrt is None:
        real = [leaf.name for leaf in leaves.values() if leaf.kind == "real"]
        chosen = [name for name in real if name in influence]
        if not real:
            kinds = ", ".join(f"{leaf.name} holds {WHOLE[leaf.kind]}" for leaf in leaves.values())
            raise DerivationError(
                f"no input is real, so nothing has a gradient: {kinds}; write 2.0 and not 2 in an "
                "example, and no int<… in a shape"
            )
        if not chosen:
            raise _without_slope(recording, f"the result depends on none of {', '.join(real)}")
        return tuple(chosen)
    try:
        words = wrt.replace(",", " ").split() if isinstance(wrt, str) else list(map(str, wrt))
    except TypeError:
        raise DerivationError('wrt is a text such as "W1 b1", or a list of names') from None
    if not words:
        raise DerivationError("wrt names nothing; leave it out for every real input")
    found: list[str] = []
    for word in words:
        if word in leaves:
            found.append(_differentiable(leaves[word]))
        elif word in arguments.nests:
            found += [leaf.name for leaf in flat(arguments.nests[word]) if leaf.kind == "real"]
        else:
            hint = choices(word, [*leaves, *arguments.nests], "the inputs are")
            raise UnknownName(f"wrt names {word}, which is no input{hint}")
    for name in found:
        if name not in influence:
            raise _without_slope(
                recording,
                f"{program.outputs[0]} does not depend on {name}, so its gradient is zero; "
                f"leave {name} out of wrt",
            )
    return tuple(dict.fromkeys(found))


def _without_slope(recording: Recording, message: str) -> DerivationError:
    """The refusal of a result that no real input moves, or that moves in jumps alone."""
    result = recording.program.arrays[recording.program.outputs[0]]
    if result.kind != "real":
        message = f"the forward pass returns {WHOLE[result.kind]}, which jump and have no slope"
    return recording.refused(message)


def _differentiable(leaf: Array) -> str:
    if leaf.kind != "real":
        raise DerivationError(
            f"{leaf.name} holds {WHOLE[leaf.kind]}, which have no gradient; "
            f"declare it as real numbers, or leave {leaf.name} out of wrt"
        )
    return leaf.name
