"""What one read of the forward pass sends back: a part of a backward step, and its origin."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backpass.language.expr import Label, Read, reads
from backpass.language.program import Call, Note, Origin, Step, Write
from backpass.reading import tree
from backpass.reading.matrix import matrix, matrix_write
from backpass.reading.passes import Passes
from backpass.reading.primes import unprimed


@dataclass(frozen=True)
class Flow:
    """The writes of `step` that come back from one read of the forward step `source`.

    `back` and `front` are the matrix trees of these writes and of the forward write that holds
    the read; None where matrix notation has no word for them.
    """

    step: Step
    writes: tuple[Write, ...]
    origin: Origin
    source: Step
    write: Write | None  # the forward write; None when the source is a call
    back: tree.Node | None
    front: tree.Node | None

    @property
    def operand(self) -> str:
        """The forward quantity whose gradient this is."""
        return self.origin.read.name

    @property
    def inflow(self) -> str:
        """What flows in from behind, such as `dZ2`; "" behind the loss itself, where that is 1."""
        read = {read.name for write in self.writes for read in reads(write.term)}
        return self.origin.adjoint if self.origin.adjoint in read else ""

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(note for write in self.writes for note in write.notes)

    @property
    def summed(self) -> tuple[Label, ...]:
        """The labels that every write sums over and mentions."""
        return tuple(dict.fromkeys(label for write in self.writes for label in write.summed))


def flows(passes: Passes, step: Step) -> list[Flow]:
    """A backward step cut by origin, in the order in which its writes stand."""
    if isinstance(step.body, Call):
        return []
    groups: dict[tuple[str, Read, str], list[Write]] = {}
    for write in step.body:
        if write.origin is not None:
            key = (write.origin.step, write.origin.read, write.origin.adjoint)
            groups.setdefault(key, []).append(write)
    return [_flow(passes, step, tuple(writes)) for writes in groups.values()]


def _flow(passes: Passes, step: Step, writes: tuple[Write, ...]) -> Flow:
    origin = writes[0].origin
    assert origin is not None
    source = passes.step(origin.step)
    writes = tuple(map(unprimed, writes))
    write = next((w for w in source.writes if origin.read in reads(w.term)), None)
    front = None if write is None else matrix_write(write, source.target, passes.arrays)
    back = matrix(replace(step, body=writes), passes.arrays)
    return Flow(step, writes, origin, source, write, back, front)
