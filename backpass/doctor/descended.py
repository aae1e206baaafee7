"""The loss that updates descend: how it stands to the one that the code shows, in words."""

from __future__ import annotations

from backpass.doctor.accuse import Accuser
from backpass.doctor.activations import meant
from backpass.doctor.bank import crossed
from backpass.doctor.case import Case
from backpass.doctor.report import Finding, Verdict
from backpass.doctor.scales import known_factors, same


def of_loss(case: Case, accuser: Accuser) -> tuple[Verdict, list[Finding], str]:
    """The verdict as far as it hangs on the loss, remarks on that, and a sentence."""
    scales, family = case.scales, case.story.family
    everything = list(case.paths.values())
    if case.shown and not case.own:
        named = case.shown[0].title
        what = "it returns" if case.gradients else "its updates follow"
        remark = accuser.remark(
            crossed(family.name, case.shown[0].family.name),
            "the gradient belongs to another loss", everything, None,
            f"the code computes {named}, and {what} the gradient of {scales.title}",
            f"To train for the loss that is shown, take the gradient of {named}.",
        )  # fmt: skip
        loss = f"{_does(case)}{_rate(case)}; the code shows {named}."
        return "correct for another loss", [remark], loss
    if case.shown:
        return _scaled(case, accuser, f"{_does(case)}, the loss that the code shows{_rate(case)}.")
    loss = f"{_does(case)}{_rate(case)}. The code shows no loss that is known here."
    activation = meant(case.story.layer(case.story.at[0].run.depth)[0].f)
    its_own = activation in family.fits and "entropy" in family.name
    is_square = family.name == "squared error"
    if is_square or (its_own and activation != "sigmoid") or not same(scales.factor, 1):
        return _scaled(case, accuser, loss)
    missing = {"sigmoid": "σ′ of the outputs", "linear": ""}.get(activation, "f′ of the outputs")
    lacks = f"as that of ½Σ(a − y)² it would lack {missing}" if missing else "not of ½Σ(a − y)²"
    other = f"; if it is ½Σ(a − y)², multiply the error by {missing}" if missing else ""
    remark = accuser.remark(
        10 if "entropy" in family.name else 12, "which loss is meant?", everything, None,
        f"this is the gradient of {scales.title}; {lacks}",
        f"If {scales.title} is what you mean, change nothing{other}.",
    )  # fmt: skip
    return "correct for another loss", [remark], loss


def held(case: Case) -> str:
    """What updates that are wrong were held to."""
    title = case.shown[0].title if case.shown and not case.own else case.scales.title
    shown = ", the loss that the code shows" if case.shown else ""
    none = "" if case.shown else " The code shows no loss that is known here."
    what = "Gradients are" if case.gradients else "Updates are"
    return f"{what} held to the gradient of {title}{shown}{_rate(case)}.{none}"


def partly(case: Case) -> str:
    """What is known of updates that are not all explained."""
    known = [path for key, path in case.paths.items() if key not in case.unexplained]
    unknown = [case.paths[key] for key in case.unexplained]
    if not known:
        return "The updates are the gradient of no loss that is known here."
    return (
        f"The {'update' if len(known) == 1 else 'updates'} of {', '.join(known)} "
        f"{'is' if len(known) == 1 else 'are'} as the gradient of {case.scales.title} has it, "
        f"{'that' if len(unknown) == 1 else 'those'} of {', '.join(unknown)} "
        f"{'is' if len(unknown) == 1 else 'are'} nothing that is known here."
    )


def _does(case: Case) -> str:
    if case.gradients:
        return f"The gradients are those of {case.scales.title}"
    if case.scales.rate is None:
        return f"The updates are some multiple of the gradient of {case.scales.title}"
    return f"The updates descend {case.scales.title}"


def _rate(case: Case) -> str:
    """The learning rate, after a comma."""
    if case.gradients:
        return ""
    if case.scales.rate is None:
        return ", at a rate that no number of the code tells"
    name = f" ({case.scales.rate_name})" if case.scales.rate_name else ""
    return f", at the rate {case.scales.rate:.6g}{name}"


def _scaled(case: Case, accuser: Accuser, loss: str) -> tuple[Verdict, list[Finding], str]:
    """The gradient of the loss, or but for one factor."""
    factor = case.scales.factor
    if same(factor, 1):
        return "correct", [], loss
    n, m = case.story.at[0].run.y.shape
    bug, name = next(
        ((bug, name) for value, bug, name in known_factors((n, m)) if same(factor, value)),
        (None, f"{factor:.5g}"),
    )
    penalty = any(fit is not None and fit.decay for fit in case.story.fits.values())
    change = "smaller" if factor > 1 else "larger"
    harm = (
        "That is not harmless here: weight decay is not multiplied by it."
        if penalty
        else f"That is harmless: a learning rate that is as much {change} makes up for it."
    )
    what, aim = "updates", "descend it at the rate that the code names"
    if case.gradients:
        what, aim = "gradients", "return its gradient"
    remark = accuser.remark(
        bug, f"a factor {name}", list(case.paths.values()), None,
        f"all {what} are {name} times the gradient of {case.scales.title}. {harm}",
        f"To {aim}, {_undone(factor, name, (n, m))}.",
    )  # fmt: skip
    return "correct up to a scale", [remark], loss


def _undone(factor: float, name: str, size: tuple[int, int]) -> str:
    """What takes a factor away."""
    if factor > 1:
        return f"divide the error by {name}"
    inverse = next((text for value, _, text in known_factors(size) if same(value, 1 / factor)), "")
    return f"multiply the error by {inverse or f'{1 / factor:.5g}'}"
