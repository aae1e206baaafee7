"""A loss and the softmax of its gradient in one line: they share the exponentials.

    L, P = cross_entropy_and_softmax(Z2, y)

The line stands where the first of the two does. What comes out is what both calls by themselves
give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from backpass.language.program import Call, Program, Step
from backpass.running.numpy.functions import WITH_SOFTMAX


@dataclass(frozen=True, slots=True)
class Joint:
    """Two steps as one: the loss calls the function that gives `softmax` too."""

    loss: Step
    softmax: Step

    @property
    def step(self) -> Step:
        """The loss, by that other function."""
        call = self.loss.body
        assert isinstance(call, Call)
        name = WITH_SOFTMAX[call.function.name]
        return replace(self.loss, body=replace(call, function=replace(call.function, name=name)))


def joints(program: Program) -> dict[str, Joint | None]:
    """By the name of a step: what stands in its place, None where nothing is left to do."""
    found: dict[str, Joint | None] = {}
    places = {step.name: place for place, step in enumerate(program.steps)}
    for loss in program.steps:
        softmax = next(_softmaxes(loss, program), None)
        if softmax is None or softmax.name in found:
            continue
        first, second = sorted((loss, softmax), key=lambda step: places[step.name])
        assert isinstance(loss.body, Call)
        if all(places.get(read.name, -1) < places[first.name] for read in loss.body.args):
            found |= {first.name: Joint(loss, softmax), second.name: None}
    return found


def _softmaxes(loss: Step, program: Program) -> Iterator[Step]:
    """The steps that share out what a loss takes exponentials of, a row for each sample."""
    call = loss.body
    if not isinstance(call, Call) or call.function.name not in WITH_SOFTMAX:
        return
    logits = call.args[0]
    if logits.index != call.over:
        return  # samples as columns: the loss turns them, the softmax does not
    for step in program.steps:
        match step.body:
            case Call(function=function, args=(read,), left=left, over=over) if (
                function.name == "softmax"
                and read.name == logits.name
                and read.index == left
                and over == left[-1:]
            ):
                yield step
            case _:
                pass
