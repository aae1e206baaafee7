"""The same passes over other names and sizes, down to the origins of every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from backpass.language.expr import Label, Read, SizeTerm, Term, reads, transform
from backpass.language.program import Array, Call, Note, Origin, Program, Step, Write
from backpass.language.shapes import Size
from backpass.reading.passes import Passes


@dataclass(frozen=True)
class Renaming:
    """What becomes of every name, of every axis of an array, of every label of a loop nest.

    A loop nest is known by its step and its place in it, a call by the place 0. `value` is for
    sizes that a term computes with.
    """

    name: Callable[[str], str]
    axis: Callable[[str, int, Size], Size]
    label: Callable[[str, int, Label], Size]
    value: Callable[[Size], Size]


def renamed(passes: Passes, new: Renaming) -> Passes:
    """Both passes, renamed throughout."""
    forward = passes.forward
    program = Program(
        tuple(_array(one, new) for one in forward.inputs),
        tuple(_step(one, passes, new) for one in forward.steps),
        tuple(map(new.name, forward.outputs)),
        tuple((_array(one, new), value) for one, value in forward.constants),
    )
    backward = tuple(_step(one, passes, new) for one in passes.backward)
    return Passes(program, backward, tuple(map(new.name, passes.wrt)), passes.dialect)


def _array(one: Array, new: Renaming) -> Array:
    shape = tuple(new.axis(one.name, place, axis) for place, axis in enumerate(one.shape))
    return replace(one, name=new.name(one.name), shape=shape)


def _step(one: Step, passes: Passes, new: Renaming) -> Step:
    target = _array(one.target, new)
    if isinstance(one.body, Call):
        call = one.body
        args = tuple(_read(arg, one.name, 0, new) for arg in call.args)
        left, over = (
            tuple(_label(label, one.name, 0, new) for label in labels)
            for labels in (call.left, call.over)
        )
        origin = _origin(call.origin, passes, new)
        return replace(one, target=target, body=Call(call.function, args, left, over, origin))
    body = tuple(
        _write(write, one.name, place, passes, new) for place, write in enumerate(one.body)
    )
    notes = tuple(Note(note.kind, tuple(map(new.name, note.data))) for note in one.notes)
    return replace(one, target=target, body=body, notes=notes)


def _write(write: Write, step: str, place: int, passes: Passes, new: Renaming) -> Write:
    return Write(
        tuple(_term(part, step, place, new) for part in write.left),
        _term(write.term, step, place, new),
        tuple(_label(label, step, place, new) for label in write.labels),
        _origin(write.origin, passes, new),
        write.notes,
    )


def _label(label: Label, step: str, place: int, new: Renaming) -> Label:
    return Label(label.name, new.label(step, place, label))


def _read(read: Read, step: str, place: int, new: Renaming) -> Read:
    return Read(new.name(read.name), tuple(_term(part, step, place, new) for part in read.index))


def _term(term: Term, step: str, place: int, new: Renaming) -> Term:
    def change(node: Term) -> Term | None:
        match node:
            case Label():
                return _label(node, step, place, new)
            case Read():
                return _read(node, step, place, new)
            case SizeTerm(size=value):
                return SizeTerm(new.value(value))
            case _:
                return None

    return transform(term, change)


def _origin(origin: Origin | None, passes: Passes, new: Renaming) -> Origin | None:
    """The read that moved, under the labels of the forward nest that it stood in."""
    if origin is None:
        return None
    writes = enumerate(passes.step(origin.step).writes)
    place = next((place for place, one in writes if origin.read in reads(one.term)), 0)
    read = _read(origin.read, origin.step, place, new)
    return Origin(new.name(origin.step), read, new.name(origin.adjoint))
