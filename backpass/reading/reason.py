"""The one sentence below each backward step: why it looks as it does.

Explanations are made here, and at length in `why`, from the origin of a step, the notes that
the calculus left, and the matrix pattern that was recognised. Nothing is said that was not
read off one of these.
"""

from __future__ import annotations

from backpass.language.program import Call, Step
from backpass.reading import tree
from backpass.reading.flow import Flow, flows
from backpass.reading.functions import HELPERS, call_clause
from backpass.reading.passes import Passes
from backpass.reading.reason_entry import appearances, cancelled, entrywise_reason
from backpass.reading.reason_product import core, is_product, matmul_reason, others
from backpass.reading.words import Words, counted, listed, often, words


def reason(passes: Passes, step: Step) -> Words:
    """Why a backward step looks as it does, in one sentence."""
    parts = flows(passes, step)
    if not parts:
        return _without_origin(passes, step)
    if len(parts) > 1:
        return shared(parts)
    return flow_reason(passes, parts[0])


def _without_origin(passes: Passes, step: Step) -> Words:
    if isinstance(step.body, Call):
        return _helper(step.body.function.name)
    if not step.body:
        return _nothing(passes, step)
    return words("the next line needs it")


def _nothing(passes: Passes, step: Step) -> Words:
    """Why a gradient is 0 whatever goes in."""
    note = next((note for note in step.notes if note.kind != "of"), None)
    call = passes.step(note.data[0]).body if note is not None else None
    if note is None:
        return words("nothing of the loss changes with it: what flows back adds up to 0")
    if not isinstance(call, Call):
        return words("{d} is 0, and nothing else flows back", d=note.data[0])
    of, z = note.data[0], call.args[0]
    if note.kind == "shares":
        text = "the entries of {p} always add up to 1, and only their sum is asked for"
        return words(text, p=of)
    rows = ("a column of ", "a row of ")[z.index[-1] == call.over[-1]] if len(z.index) > 1 else ""
    return words(
        "{a} moves all entries of {rows}{z} alike, which {p} does not feel: what flows back adds "
        "up to 0",
        a=passes.gradients[step.name], z=z.name, p=of, rows=(rows,),
    )  # fmt: skip


def _helper(function: str) -> Words:
    if function.startswith("∇"):
        text = "{c} was only declared, so its gradient {g} stays a symbol"
        return words(text, c=function[1:], g=function)
    return words(HELPERS.get(function, "the lines below need it"))


def shared(parts: list[Flow]) -> Words:
    """A quantity used in several places collects a gradient from each."""
    places = list(dict.fromkeys(part.source.name for part in parts))
    operand = parts[0].operand
    if len(places) == 1:
        return repeated(operand, places[0], len(parts))
    return words(
        "{a} is used in {places}, so the {count} gradients are added",
        a=operand, places=listed([words("{z}", z=place) for place in places]),
        count=(counted(len(parts)),),
    )  # fmt: skip


def repeated(operand: str, place: str, count: int, terms: int = 0) -> Words:
    """A quantity that stands several times in one line; equal gradients make one of its terms."""
    told = words(
        "{a} stands {times} in {z}, so {count} gradients are added",
        a=operand, times=(often(count),), count=(counted(count),), z=place,
    )  # fmt: skip
    return told + words("; equal ones make one term") if 1 < terms < count else told


def flow_reason(passes: Passes, flow: Flow) -> Words:
    """Why one read sends back what it does."""
    if isinstance(flow.source.body, Call):
        return _call_reason(flow)
    if (times := appearances(flow)) > 1:
        return repeated(flow.operand, flow.source.name, times, len(flow.writes))
    if (note := cancelled(flow)) is not None:
        return note
    product = core(flow.back)
    match product:
        case tree.Matmul():
            return matmul_reason(passes, flow, product)
        case tree.Add(terms=terms) if all(is_product(core(term)) for term in terms):
            return repeated(flow.operand, flow.source.name, len(terms))
        case tree.Outer() if not flow.source.target.shape:
            return words(
                "each entry of {w} stands in one product: nothing is summed", w=flow.operand
            )
        case tree.Outer():
            return words(
                "each entry of {w} joins one entry of {a} to one of {z}: nothing is summed",
                w=flow.operand, a=others(flow), z=flow.source.name,
            )  # fmt: skip
        case _:
            return entrywise_reason(passes, flow)


def _call_reason(flow: Flow) -> Words:
    call = flow.source.body
    assert isinstance(call, Call)
    told = call_clause(call.function.name, call.args[-1].name)
    return told or words("{f} has a rule of its own for what flows back", f=call.function.name)
