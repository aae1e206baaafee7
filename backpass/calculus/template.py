"""From a line of index notation to a step over arrays of given shapes.

`C[...,i,k] = A[...,i,j] * B[...,j,k]` meets operands: each label takes the size of its axis,
and the leading axes behind `...` broadcast as NumPy's do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from backpass.language.errors import ShapeError
from backpass.language.expr import (
    ZERO,
    Label,
    Read,
    SizeTerm,
    Term,
    size_term,
    transform,
)
from backpass.language.program import Array, Call, Step, Write, canonical, step_reads
from backpass.language.shapes import Shape, Size, broadcast, product, show_shape, size

ELLIPSIS = "..."
Operand = Array | Term


def instantiate(template: Step, operands: Sequence[Operand], target: str) -> Step:
    """The template over operands in the order in which their names first appear in it.

    A number may stand for an operand. Raises ShapeError when sizes do not agree.
    """
    names = tuple(dict.fromkeys(read.name for read in step_reads(template)))
    if len(names) != len(operands):
        raise ShapeError(f"{template.name} takes {len(names)} operands, not {len(operands)}")
    return fill(template, dict(zip(names, operands, strict=True)), target)


def fill(template: Step, operands: Mapping[str, Operand], target: str) -> Step:
    """The template with each of its names replaced by the operand given for it."""
    sizes, leading = _sizes(template, operands)
    front = tuple(Label(f"{ELLIPSIS}{axis}", length) for axis, length in enumerate(leading))
    left = template.body.left if isinstance(template.body, Call) else template.body[0].left
    shape = tuple(_axes(left, sizes, leading))
    result = Array(target, shape, template.target.kind)

    def label(part: Label) -> Label:
        return Label(part.name, sizes[part.name])

    def index(parts: Sequence[Term], of: Shape) -> tuple[Term, ...]:
        kept = tuple(part for part in parts if not _is_ellipsis(part))
        lead = of[: len(of) - len(kept)]
        spread = (
            ZERO if axis == size(1) and full != size(1) else one
            for one, axis, full in zip(
                front[len(front) - len(lead) :], lead, leading[len(leading) - len(lead) :], strict=True
            )
        )
        return (*(spread if len(kept) < len(parts) else ()), *map(term, kept))

    def term(part: Term) -> Term:
        def change(node: Term) -> Term | None:
            match node:
                case Label():
                    return label(node)
                case SizeTerm():
                    return _resize(node.size, sizes)
                case Read():
                    operand = operands[node.name]
                    if not isinstance(operand, Array):
                        return operand
                    return Read(operand.name, index(node.index, operand.shape))
                case _:
                    return None

        return transform(part, change)

    def loops(parts: Sequence[Label]) -> tuple[Label, ...]:
        kept = tuple(label(part) for part in parts if not _is_ellipsis(part))
        return (*(front if len(kept) < len(parts) else ()), *kept)

    if isinstance(template.body, Call):
        call = template.body
        args = tuple(read for arg in call.args if isinstance(read := term(arg), Read))
        body = replace(call, args=args, left=loops(call.left), over=loops(call.over))
        return canonical(replace(template, target=result, body=body))
    writes = tuple(
        Write(index(write.left, shape), term(write.term), loops(write.labels))
        for write in template.body
    )
    writes = tuple(write for write in writes if write.term != ZERO)  # x + 0 is x
    return canonical(replace(template, target=result, body=writes))


def _is_ellipsis(part: Term) -> bool:
    return isinstance(part, Label) and part.name == ELLIPSIS


def _axes(left: Sequence[Term], sizes: Mapping[str, Size], leading: Shape) -> Iterator[Size]:
    for part in left:
        if not isinstance(part, Label):
            raise ValueError("a template assigns to labels")
        if part.name == ELLIPSIS:
            yield from leading
        else:
            yield sizes[part.name]


def _sizes(template: Step, operands: Mapping[str, Operand]) -> tuple[dict[str, Size], Shape]:
    """What each label's size is, and the broadcast shape behind `...`."""
    sizes: dict[str, Size] = {}
    first: dict[str, Shape] = {}
    leads: list[Shape] = []
    for read in step_reads(template):
        operand = operands[read.name]
        if not isinstance(operand, Array):
            continue
        shape = operand.shape
        kept = [part for part in read.index if not _is_ellipsis(part)]
        extra = len(shape) - len(kept)
        if extra < 0 or (extra and len(kept) == len(read.index)):
            raise ShapeError(f"{show_shape(shape)} stands where {_axes_word(len(kept))} needed")
        leads.append(shape[:extra])
        for part, axis in zip(kept, shape[extra:], strict=True):
            if not isinstance(part, Label):
                continue
            met = first.setdefault(part.name, shape)
            if sizes.setdefault(part.name, axis) != axis:
                one, other = (f"{show_shape(s)}" for s in (met, shape))
                raise ShapeError(f"{part.name} is {sizes[part.name]} in {one} and {axis} in {other}")
    leading = broadcast(leads)
    if leading is None:
        shown = " and ".join(show_shape(shape) for shape in dict.fromkeys(leads))
        raise ShapeError(f"{shown} do not broadcast")
    return sizes, leading


def _axes_word(rank: int) -> str:
    return "1 axis is" if rank == 1 else f"{rank} axes are"


def _resize(value: Size, sizes: Mapping[str, Size]) -> Term:
    """A template's size with its names replaced by the actual sizes."""
    total = size(0)
    for monomial, count in value.terms:
        factors = (sizes[name] for name, times in monomial for _ in range(times))
        total = total + product(factors) * count
    return size_term(total)
