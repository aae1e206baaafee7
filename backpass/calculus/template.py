"""From a line of index notation to a step over arrays of given shapes.

`C[...,i,k] = A[...,i,j] * B[...,j,k]` meets operands: each label takes the size of its axis,
and the leading axes behind `...` broadcast as NumPy's do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from backpass.language.errors import ShapeError
from backpass.language.expr import ZERO, Label, Read, SizeTerm, Term, size_term, transform
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
        raise ShapeError(f"{len(names)} operands are needed here, not {len(operands)}")
    return fill(template, dict(zip(names, operands, strict=True)), target)


def fill(template: Step, operands: Mapping[str, Operand], target: str) -> Step:
    """The template with each of its names replaced by the operand given for it."""
    sizes, leading = _sizes(template, operands)
    front = tuple(Label(f"{ELLIPSIS}{axis}", length) for axis, length in enumerate(leading))
    here = _Filling(operands, sizes, front)
    body = template.body
    if isinstance(body, Call):
        left = here.labels(body.left)
        args = tuple(read for arg in body.args if isinstance(read := here.term(arg), Read))
        body = replace(body, args=args, left=left, over=here.labels(body.over))
    else:
        left = here.labels(part for part in body[0].left if isinstance(part, Label))
        shape = tuple(label.size for label in left)
        filled = ((write, here.term(write.term)) for write in body)
        body = tuple(
            Write(here.index(write.left, shape), term, here.labels(write.labels))
            for write, term in filled
            if term != ZERO  # x + 0 is x
        )
    result = Array(target, tuple(label.size for label in left), template.target.kind)
    return canonical(replace(template, target=result, body=body))


@dataclass(frozen=True)
class _Filling:
    """What a template's names and labels are over some operands; `front` are those of `...`."""

    operands: Mapping[str, Operand]
    sizes: Mapping[str, Size]
    front: tuple[Label, ...]

    def labels(self, parts: Iterable[Label]) -> tuple[Label, ...]:
        """Labels with their sizes, and those of `...` in its place."""
        found: list[Label] = []
        for part in parts:
            found += self.front if _is_ellipsis(part) else [self.label(part)]
        return tuple(found)

    def label(self, part: Label) -> Label:
        return Label(part.name, self.sizes[part.name])

    def index(self, parts: Sequence[Term], shape: Shape) -> tuple[Term, ...]:
        """An index into an array of this shape, which stays at 0 along axes that are repeated."""
        kept = tuple(self.term(part) for part in parts if not _is_ellipsis(part))
        if len(kept) == len(parts):
            return kept
        lead = shape[: len(shape) - len(kept)]
        front = self.front[len(self.front) - len(lead) :]
        one = size(1)
        repeated = (axis == one != label.size for label, axis in zip(front, lead, strict=True))
        spread = (ZERO if still else label for label, still in zip(front, repeated, strict=True))
        return (*spread, *kept)

    def term(self, part: Term) -> Term:
        """A term over the operands."""
        return transform(part, self._change)

    def _change(self, node: Term) -> Term | None:
        match node:
            case Label():
                return self.label(node)
            case SizeTerm():
                return _resize(node.size, self.sizes)
            case Read():
                operand = self.operands[node.name]
                if not isinstance(operand, Array):
                    return operand
                return Read(operand.name, self.index(node.index, operand.shape))
            case _:
                return None


def _is_ellipsis(part: Term) -> bool:
    return isinstance(part, Label) and part.name == ELLIPSIS


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
                one, other = sizes[part.name], axis
                where = f"{one} in {show_shape(met)} and {other} in {show_shape(shape)}"
                raise ShapeError(f"{part.name} is {where}")
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
