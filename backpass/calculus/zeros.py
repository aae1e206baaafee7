"""Gradients that are 0 whatever the inputs: a softmax shares out, and does not feel a shift.

What flows back through a softmax adds up to 0 along its axis: what one entry gains, the others
lose. So all that moves its entries alike has the gradient 0, be it a shift inside the softmax or
the bias of the keys in attention. And what asks only for the sum of its shares gets nothing back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backpass.language.expr import Label, Product, Read, labels
from backpass.language.program import Array, Call, Note, Step, Write, step_reads
from backpass.language.shapes import Size

SHIFTLESS = frozenset(("softmax", "log_softmax", "cross_entropy", "cross_entropy_of_weights"))


@dataclass
class Zeros:
    """What is known of the gradients so far, and why some of what flows back is nothing."""

    calls: dict[str, Call] = field(default_factory=dict[str, Call])  # those that feel no shift
    # the axes along which a gradient adds up to 0, and the call that makes it so
    balanced: dict[tuple[str, int], tuple[Size, str]] = field(
        default_factory=dict[tuple[str, int], tuple[Size, str]]
    )
    even: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])  # all entries alike
    reasons: dict[str, Note] = field(default_factory=dict[str, Note])

    def learn(self, target: Array, flows: Sequence[Write]) -> None:
        """Look at everything that flows into a quantity, before it is added up."""
        if not self.calls:
            return  # nothing will ask, and most networks have many layers
        for place, axis in enumerate(target.shape):
            ends = [_whole_axis(flow, place, axis) for flow in flows]
            found = [
                self._cause(flow, label, place)
                for flow, label in zip(flows, ends, strict=True)
                if label is not None
            ]
            if len(found) == len(flows) and found[0] is not None and None not in found:
                self.balanced[target.name, place] = axis, found[0]
            if all(end is not None and end not in labels(flow.term)
                   for flow, end in zip(flows, ends, strict=True)):  # fmt: skip
                self.even.add((target.name, place))

    def vanishes(self, flow: Write, into: str) -> bool:
        """Whether a flow sums a gradient, alone, along an axis on which it adds up to 0."""
        for label in flow.summed if self.balanced else ():
            cause = self._alone(flow, label)
            if cause is not None:
                self.reasons[into] = Note("shift", (cause,))
                return True
        return False

    def end(self, step: Step, adjoint: str) -> None:
        """Nothing flows into a step, so nothing flows on to what it reads."""
        for read in step_reads(step):
            self.reasons.setdefault(read.name, Note("nothing", (adjoint,)))

    def why(self, name: str) -> tuple[Note, ...]:
        """Why nothing at all flows into a quantity, as far as that is known."""
        return (self.reasons[name],) if name in self.reasons else ()

    def only_shares(self, step: Step, call: Call, adjoint: str | None) -> bool:
        """Whether what flows into a softmax is the same for all that share; None is a number."""
        if call.function.name != "softmax":
            return False
        place = call.left.index(call.over[-1])
        if adjoint is not None and (adjoint, place) not in self.even:
            return False
        self.reasons[call.args[0].name] = Note("shares", (step.name,))
        return True

    def _cause(self, flow: Write, label: Label, place: int) -> str | None:
        """The call because of which a flow adds up to 0 along a label of its left."""
        call = self.calls.get(flow.origin.step) if flow.origin is not None else None
        if call is not None and flow.origin is not None and flow.origin.read == call.args[0]:
            return flow.origin.step if call.args[0].index[place] == call.over[-1] else None
        return self._alone(flow, label)

    def _alone(self, flow: Write, label: Label) -> str | None:
        """The cause, if one gradient that adds up to 0 is all in a term that has this label."""
        factors = flow.term.factors if isinstance(flow.term, Product) else (flow.term,)
        having = [factor for factor in factors if label in labels(factor)]
        read = having[0] if len(having) == 1 else None
        if not isinstance(read, Read):
            return None
        places = [place for place, part in enumerate(read.index) if label in labels(part)]
        if len(places) != 1 or read.index[places[0]] != label:
            return None
        axis, cause = self.balanced.get((read.name, places[0]), (None, None))
        return cause if axis == label.size else None


def _whole_axis(flow: Write, place: int, axis: Size) -> Label | None:
    """The label that walks along a whole axis of the left, and along no other."""
    part = flow.left[place]
    if not isinstance(part, Label) or part.size != axis:
        return None
    others = (one for position, one in enumerate(flow.left) if position != place)
    return None if part in labels(*others) else part
