"""Wrong gradients, named: which mistake makes them, on which line, and the line as it should be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.custom.changes import Change, Explained, Seen, explained
from backpass.doctor.custom.derivative import Derived
from backpass.doctor.custom.followed import Moment, blamed, followed, known_at
from backpass.doctor.custom.formulas import LONG, lines_of, program_of, whole
from backpass.doctor.custom.mended import Wanted, mended
from backpass.doctor.custom.pair import Backward, Pair
from backpass.doctor.custom.suspects import INCOMING, Suspect, Trial, close, suspect
from backpass.language.errors import BackpassError
from backpass.language.evaluate import evaluate, evaluate_step
from backpass.language.expr import Apply, Read
from backpass.language.program import Step

Array = NDArray[np.float64]
WHOLE = (1, 2, 3, 28, 35, 36, 38, 39)  # told of a gradient as it stands, better than of a line
LARGE = 200_000  # numbers of an input that are no longer followed through every line


@dataclass(frozen=True)
class Run:
    """Both passes on one set of numbers, beside what the gradients should be."""

    inputs: tuple[Array, ...]
    incoming: tuple[Array, ...]
    right: tuple[Array, ...]
    ones: tuple[Array, ...]
    back: Backward
    is_derived: bool
    forward: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A mistake, the inputs whose gradients it makes wrong, and where."""

    suspect: Suspect
    names: tuple[str, ...]
    line: tuple[int | None, str]
    repaired: str = ""
    recheck: str = ""


def named(
    pair: Pair, known: Derived | None, runs: Sequence[Run], wrong: Mapping[str, Sequence[Array]]
) -> Iterator[Named]:
    """Say of wrong gradients what they are; `wrong` holds what was returned, run by run."""
    if known is None or not all(one.is_derived for one in runs):
        for name, given in wrong.items():
            yield Named(_alone(pair, runs, name, given), (name,), _line(pair, name))
        return
    case = Case(pair, known, runs)
    yield from case.repaired(list(_named(case, runs, wrong)))


def _named(case: Case, runs: Sequence[Run], wrong: Mapping[str, Sequence[Array]]
           ) -> Iterator[Named]:  # fmt: skip
    pair, found = case.pair, case.explained(wrong)
    rest = dict(wrong)
    for one in found:
        names = tuple(name for name in one.names if name in rest)
        if len(names) > 1:
            yield case.changed(one.change, names)
            rest = {name: given for name, given in rest.items() if name not in names}
    for name, given in rest.items():
        change = next((one.change for one in found if name in one.names), None)
        plain = suspect(_trials(pair, runs, name, given))
        if change is not None and (plain is None or plain.bug not in WHOLE):
            yield case.changed(change, (name,))
        else:
            yield case.told(plain or _unnamed(_trials(pair, runs, name, given)[0]), name)


def untaught(pair: Pair, known: Derived | None, runs: Sequence[Run], name: str) -> Named:
    """An input that gets None, and has a derivative."""
    found = Suspect(
        36, "None for an input that needs a gradient",
        f"backward returns None for {name}, whose derivative is not 0", "its gradient",
    )  # fmt: skip
    if known is None or not all(one.is_derived for one in runs):
        return Named(found, (name,), _line(pair, name))
    asked = f"needs_input_grad[{pair.position(name)}]"
    if "needs_input_grad[" in pair.source.text and asked not in pair.source.text:
        found = replace(found, says=f"{found.says}; ctx.{asked} is never asked")
    return Case(pair, known, runs).told(found, name)


def stopped(
    pair: Pair, known: Derived, runs: Sequence[Run], line: tuple[int | None, str], says: str
) -> Named:
    """A backward pass that raises, with what it should come to."""
    case = Case(pair, known, runs)
    called = case.called(line[0])
    fixes = [f"d{name} = {case.formula(known.d.gradients[name], called)}" for name in pair.names
             if name in known.d.gradients]  # fmt: skip
    fix = "" if any(one.endswith("= ") for one in fixes) else "; ".join(fixes)
    found = Named(Suspect(None, "backward raises", says, fix), pair.names, line)
    return case.repaired([found])[0]


# ── one derivation and what the code does beside it ──────────────────────────────────────────


class Case:
    """One derivation, and what the code holds beside it."""

    def __init__(self, pair: Pair, known: Derived, runs: Sequence[Run]) -> None:
        self.pair, self.known, self.runs = pair, known, runs
        self.arrays = [_quantities(known, one) for one in runs]
        self.moments = self._followed()
        gradients = list(known.d.gradients.values())
        self.lines = lines_of(program_of(known.d.forward, known.d.backward, gradients))
        self.relus = dict(_relus(known.d.forward.steps))

    def _followed(self) -> list[Moment]:
        run, pair = self.runs[0], self.pair
        if sum(one.size for one in run.inputs) > LARGE:
            return []
        return followed(pair.rule, lambda: pair.backward(run.inputs, run.incoming), pair.numbers)

    def explained(self, wrong: Mapping[str, Sequence[Array]]) -> list[Explained]:
        same = {
            name: given
            for name, given in wrong.items()
            if given[0].shape == self.runs[0].right[self.pair.names.index(name)].shape
        }
        seen = [
            Seen(arrays, {name: given[place] for name, given in same.items()})
            for place, arrays in enumerate(self.arrays)
        ]
        return explained(self.known, seen) if same else []

    def changed(self, change: Change, names: tuple[str, ...]) -> Named:
        """A change of one line of the backward pass, in the user's names."""
        step = change.step.name
        value = evaluate_step(change.step, self.arrays[0], {})
        comes = any(close(one, value) for one in self.runs[0].incoming)  # it stands there anyway
        number = None if comes else blamed(self.moments, np.asarray(value, float))
        line = self.pair.source.at(number) if number is not None else _line(self.pair, names[0])
        called = self.called(line[0])
        made = self.formula(step, called, change.step)
        words = (
            word for one in self.moments for word, held in one.made.items() if close(held, value)
        )
        own = "" if comes else next(words, "")
        gradients = [f"d{name}" for name in names]
        what = own or (step if [step] == gradients else "")
        says = self._spoken(change.says, called)
        if what and made and made != what:
            says = f"{what} is {made}: {says}"
        elif made and made != what:
            verb = "are" if len(gradients) > 1 else "is"
            says = f"{listed(gradients)} {verb} made of {made}: {says}"
        else:
            says = f"in {listed(gradients)}, {says}"
        inner = number is not None and step not in self.known.d.gradients.values()
        wanted = step if inner or len(names) > 1 else self.known.d.gradients[next(iter(names))]
        bug = 1 if change.bug == 2 and len(names) == len(self.pair.names) else change.bug
        title = self._spoken(change.title, called)
        right = self.formula(wanted, called) or self._statements(wanted, called)
        found = Suspect(bug, title, says, right or f"the derivative by {listed(names)}")
        return Named(found, names, line)

    def told(self, found: Suspect, name: str) -> Named:
        """A mistake in one gradient, with the right one in the user's names."""
        line = _line(self.pair, name)
        called = self.called(line[0])
        gradient = self.known.d.gradients.get(name, "")
        right = self.formula(gradient, called) or self._statements(gradient, called)
        incoming = self._incoming(called)
        says = self._spoken(found.says, called).replace(INCOMING, incoming)
        return Named(replace(found, says=says, fix=right or found.fix.replace(INCOMING, incoming)),
                     (name,), line)  # fmt: skip

    def _incoming(self, called: Mapping[str, str]) -> str:
        first = self.known.above[0]
        return called.get(first, first.rstrip("_"))

    def called(self, line: int | None) -> dict[str, str]:
        """What the code calls what the derivation knows, where a line begins."""
        return known_at(self.moments, line, self.arrays[0])

    def formula(self, name: str, called: Mapping[str, str], instead: Step | None = None) -> str:
        """A quantity as the user may write it; else in the names of the forward pass."""
        lines = self.lines
        if instead is not None:
            backward = [
                instead if one.name == instead.name else one for one in self.known.d.backward
            ]
            wanted = list(self.known.d.gradients.values())
            try:
                lines = lines_of(program_of(self.known.d.forward, backward, wanted))
            except (BackpassError, ValueError):
                return ""
        for names in self._names(called, name):
            found = whole(name, lines, names, self.relus)
            if found is not None and not _free(found, names):
                text = self.pair.spell(found)
                if len(text) <= LONG:
                    return text
        return ""

    def _names(self, called: Mapping[str, str], name: str) -> list[dict[str, str]]:
        """What may stand in a formula: what the code has there, or else all of the forward pass."""
        forward = self.known.d.forward
        own = {key: word for key, word in called.items() if key != name}
        all_ = [one.name for one in (*forward.steps, *forward.inputs)
                if not re.fullmatch(r"T\d+", one.name)]  # fmt: skip
        return [own, {**dict(zip(all_, all_, strict=True)), **own}]

    def _statements(self, name: str, called: Mapping[str, str]) -> str:
        """A long formula, line by line."""
        names = self._names(called, name)[1]
        backward = [one.name for one in self.known.d.backward]
        lines: list[str] = []
        needed = {name}
        for step in reversed(backward):
            if step not in needed or step in names or step not in self.lines:
                continue
            needed |= {one.id for one in ast.walk(self.lines[step]) if isinstance(one, ast.Name)}
            known = {**names, **{one: one for one in backward if one != step}}
            found = whole(step, self.lines, known, self.relus)
            if found is None:
                return ""
            lines.append(f"{step} = {self.pair.spell(found)}")
        text = "; ".join(reversed(lines))
        return text if len(text) <= 4 * LONG else ""

    def _spoken(self, text: str, called: Mapping[str, str]) -> str:
        """What is said of the derivation, in names that the code has."""
        backward = {one.name for one in self.known.d.backward}

        def word(found: re.Match[str]) -> str:
            name = found[0]
            if name in called or name not in backward or name in self.known.d.gradients.values():
                return called.get(name, name)
            formula = self.formula(name, called)
            return formula if 0 < len(formula) <= LONG // 2 else name

        return re.sub(r"[^\W\d]\w*", word, text)

    # ── repairs ──────────────────────────────────────────────────────────────────────────────

    def repaired(self, found: Sequence[Named]) -> list[Named]:
        """Each with its line as it should be, all of them made one after the other."""
        pair, text = self.pair, self.pair.source.text
        lines: dict[int, tuple[Named, str]] = {}
        done: list[str] = []
        for one in found:
            number = one.line[0]
            asked = self._wanted(one) if number is not None and text else None
            if asked is None or number is None:
                continue
            names = (*done, *one.names)
            made = mended(text, pair.source.first, pair.rule, asked,
                          lambda rule, names=names: self._right(rule, names))  # fmt: skip
            if made is not None:
                text = made.text
                done += one.names
                before = lines[number][0].names if number in lines else ()
                lines[number] = (replace(one, names=(*before, *one.names)), made.line)
        told: list[Named] = []
        for one in found:
            number = one.line[0]
            if number in lines and set(one.names) <= set(lines[number][0].names):
                mine, line = lines[number]
                if one.names == mine.names[len(mine.names) - len(one.names) :]:
                    gradients = listed([f"d{name}" for name in mine.names])
                    verb = "are" if len(mine.names) > 1 else "is"
                    one = replace(
                        one, repaired=line,
                        recheck=f"Run again with this line, {gradients} {verb} right.",
                    )  # fmt: skip
            told.append(one)
        return told

    def _wanted(self, one: Named) -> Wanted | None:
        number = one.line[0]
        if number is None or not one.suspect.fix:
            return None
        moment = next((held for held in reversed(self.moments) if held.line == number), None)
        words = list(moment.before) if moment else []
        name = one.names[0]
        place = self.pair.names.index(name)
        right, given = self.runs[0].right[place], self.runs[0].back.gradients[place]
        factors: list[str] = []
        if given is not None and given.shape == right.shape and (length := np.sum(right * right)):
            scale = float(np.sum(given * right) / length)
            if scale and close(given, scale * right):
                factors = [
                    f" {sign} {word}.shape[0]"
                    for word, held in (moment.before if moment else {}).items()
                    for sign in "/*"
                    if held.ndim and np.isclose(scale, held.shape[0] ** (1 if sign == "/" else -1))
                ]
                factors.append(f" * {1 / scale:.6g}")
        return Wanted(number, place, [one.suspect.fix], words, factors)

    def _right(self, rule: Any, names: Sequence[str]) -> bool:
        """Whether this backward pass gives what is right for these inputs, and spoils no other."""
        pair, before = self.pair, self.pair.rule
        pair.rule = rule
        try:
            for run in self.runs:
                found = pair.backward(run.inputs, run.incoming).gradients
                for name, new, old, wanted in zip(
                    pair.names, found, run.back.gradients, run.right, strict=True
                ):
                    was_right = old is not None and close(old, wanted)
                    if (name in names or was_right) and (new is None or not close(new, wanted)):
                        return False
        except Exception:  # an edit that does not run is none
            return False
        finally:
            pair.rule = before
        return True


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _relus(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """The outputs of ReLUs by their inputs."""
    for step in steps:
        match [one.term for one in step.writes]:
            case [Apply(function=function, args=(Read(name=name),))] if function.name == "relu":
                yield name, step.name
            case _:
                pass


def _quantities(known: Derived, run: Run) -> dict[str, Array]:
    found = evaluate(known.d.program, known.given(run.inputs, run.incoming))
    return {name: np.asarray(value, float) for name, value in found.items()}


def _free(node: Any, names: Mapping[str, str]) -> bool:
    """Whether an expression speaks of a name that is none of these."""
    known = {one.id for text in names.values() for one in ast.walk(ast.parse(text))
             if isinstance(one, ast.Name)}  # fmt: skip
    known |= {"np", "sigmoid", "softmax", "log_softmax", "relu", "leaky_relu", "softplus"}
    return any(isinstance(one, ast.Name) and one.id not in known for one in ast.walk(node))


# ── without a derivation ─────────────────────────────────────────────────────────────────────


def _line(pair: Pair, name: str) -> tuple[int | None, str]:
    return pair.source.line(pair.names.index(name))


def _alone(pair: Pair, runs: Sequence[Run], name: str, given: Sequence[Array]) -> Suspect:
    trials = _trials(pair, runs, name, given)
    return suspect(trials) or _unnamed(trials[0])


def _trials(pair: Pair, runs: Sequence[Run], name: str, given: Sequence[Array]) -> list[Trial]:
    return [_trial(pair, run, name, one) for run, one in zip(runs, given, strict=True)]


def _trial(pair: Pair, run: Run, name: str, given: Array) -> Trial:
    inputs = dict(zip(pair.names, run.inputs, strict=True))
    right = dict(zip(pair.names, run.right, strict=True))
    ones = dict(zip(pair.names, run.ones, strict=True))
    return Trial(inputs, run.forward, run.incoming, right, ones, given, name)


def _unnamed(one: Trial) -> Suspect:
    length = float(np.sum(one.wanted**2))
    if one.given.shape != one.wanted.shape or not length or not np.any(one.given):
        return Suspect(None, "not the derivative of forward", f"d{one.name} is no known mistake",
                       f"the derivative by {one.name}")  # fmt: skip
    scale = float(np.sum(one.given * one.wanted)) / length
    rest = float(np.linalg.norm(one.given - scale * one.wanted) / np.linalg.norm(one.given))
    return Suspect(
        None, "not the derivative of forward",
        f"d{one.name} is no known mistake; the nearest is {scale:.3g} times the derivative, and "
        f"{rest:.0%} of it is something else", f"the derivative by {one.name}",
    )  # fmt: skip
