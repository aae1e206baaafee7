"""One forward line and what comes back from it, entry by entry and under the same labels."""

from __future__ import annotations

from dataclasses import dataclass

from backpass.language.expr import Label, Product, Read, Term, labels, multiply, reads
from backpass.language.program import Write, relabel
from backpass.reading import presentation as show
from backpass.reading.equations import Equation, entries, fills, widened
from backpass.reading.flow import Flow
from backpass.reading.presentation import Shown
from backpass.reading.spelling import spell_entry, spell_write


@dataclass(frozen=True, slots=True)
class Local:
    """A flow in components: `line` is the forward line, `slope` is ∂of/∂by, `back` what returns.

    All of them speak the labels of the backward step.
    """

    of: Shown  # Z2[n,m]
    by: Shown  # W2[j,m]
    line: Equation  # Z2[n,m] = Σⱼ A1[n,j] · W2[j,m] + b2[m]
    slope: Shown  # A1[n,j]
    back: Equation  # dW2[j,m] = Σₙ A1[n,j] · dZ2[n,m]
    to: tuple[Label, ...]  # n, m: the labels of the forward line's left
    at: tuple[Label, ...]  # j, m: the labels of the operand


def local(flow: Flow) -> Local | None:
    """The flow in components; None where the two lines do not share plain labels."""
    if flow.write is None or any(write.left != flow.writes[0].left for write in flow.writes):
        return None
    new = _shared_labels(flow, flow.write)
    if new is None:
        return None
    write = relabel(flow.write, new)
    at = tuple(part for part in flow.writes[0].left if isinstance(part, Label))
    to = tuple(part for part in write.left if isinstance(part, Label))
    slopes = [_slope(one, (*to, *at), flow.inflow) for one in flow.writes]
    line = tuple(entries(flow.source, new))
    if None in slopes or len(line) != 1:
        return None
    return Local(
        of=spell_entry(flow.source.name, write.left),
        by=spell_entry(flow.operand, flow.writes[0].left),
        line=line[0],
        slope=show.total(*filter(None, slopes)),
        back=Equation(
            spell_entry(flow.step.name, flow.writes[0].left),
            show.total(*map(spell_write, flow.writes)),
            adds=len(flow.step.writes) > len(flow.writes)
            or not fills(flow.writes[0].left, flow.step.target),
        ),
        to=to,
        at=at,
    )


def _shared_labels(flow: Flow, write: Write) -> dict[Label, Label] | None:
    """Which label of the backward step each label of the forward write is."""
    new: dict[Label, Label] = {}
    pairs = list(zip(flow.origin.read.index, flow.writes[0].left, strict=True))
    inflow = _adjoint(flow.writes[0].term, flow.inflow)
    if inflow is not None:
        pairs += zip(write.left, inflow.index, strict=True)
    for front, back in pairs:
        if isinstance(front, Label) != isinstance(back, Label):
            return None
        if not isinstance(front, Label) or not isinstance(back, Label):
            continue
        if new.setdefault(front, back) != back or front.size != back.size:
            return None
    if len(set(new.values())) != len(new):
        return None
    return widened(write, new)


def _adjoint(term: Term, name: str) -> Read | None:
    return next((read for read in reads(term) if name and read.name == name), None)


def _slope(write: Write, kept: tuple[Label, ...], adjoint: str) -> Shown | None:
    """How much one entry moves with another: what runs under a Σ of the forward line is summed."""
    slope = _without(write.term, adjoint)
    if slope is None:
        return None
    inner = tuple(label for label in dict.fromkeys(labels(slope)) if label not in kept)
    return spell_write(Write(kept, slope, (*kept, *inner)))


def _without(term: Term, adjoint: str) -> Term | None:
    """The slope: the term without the factor that flows in; None if it is not a plain factor."""
    if not adjoint:
        return term
    factors = term.factors if isinstance(term, Product) else (term,)
    inflow = [one for one in factors if isinstance(one, Read) and one.name == adjoint]
    rest = [one for one in factors if one not in inflow]
    if len(rest) != len(factors) - 1 or any(_adjoint(factor, adjoint) for factor in rest):
        return None
    return multiply(*rest)
