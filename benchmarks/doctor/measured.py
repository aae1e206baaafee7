"""The tables of docs/doctor.md: what was asked, what was answered, and every miss."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import page
from benchmarks.doctor import judging
from benchmarks.doctor.asking import Answer
from benchmarks.doctor.cases import Case
from benchmarks.doctor.marked import number

Rows = list[Sequence[str]]
CATALOGUE = {
    1: "sign flipped everywhere", 2: "sign flipped in one layer", 3: "factor 2 missing or extra",
    4: "a local constant", 5: "sum where the loss is a mean", 6: "divided by N twice",
    7: "divided by N at every layer", 8: "averaged over outputs", 9: "b averaged, W summed",
    10: "output σ′ missing", 11: "output σ′ too much", 12: "another loss's gradient",
    13: "softmax Jacobian: diagonal only", 14: "softmax over the wrong axis", 15: "softmax twice",
    16: "hidden f′ missing", 17: "f′ missing on one tensor", 18: "f′(z) fed a",
    19: "a(1−a) fed z", 20: "ReLU′ with ≥ on the output", 21: "ReLU′ by successive where",
    22: "σ′ for every activation", 23: "tanh′ = 1 − a", 24: "f′ twice",
    25: "f′ after dropout",
    26: "z for a in the W-gradient", 27: "weight in place of the input",
    28: "outer product transposed", 29: "reshape instead of .T", 30: "W not transposed",
    31: "updated W used for δ", 32: "gradient of W used for W", 33: "raw error sent back",
    34: "abs(W) sent back", 35: "layer index off by one", 36: "a layer not trained",
    37: "bias not trained", 38: "bias gradient not summed", 39: "bias gradient a scalar",
    40: "bias from da", 41: "bias = row sum of dW", 42: "wrong bias column deleted",
    43: "bias unit not constant", 44: "only the last sample", 45: "(n,1) − (n,)",
    46: "elementwise for matmul", 47: "an update that is one number",
    48: "not zeroed between calls", 49: "overwritten for added up",
    50: "an activation overwrites z", 51: "stale cache",
    52: "L2 factor wrong",
    53: "sigmoid with e^{+z}", 54: "a sample dropped", 55: "ReLU applied to the gradient",
    56: "σ′ at the error", 57: "W left out going back", 58: "tanh′ that returns tanh",
    59: "a dropout mask in one place only", 60: "a time step off by one",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """A case and what was said of it; None if nothing was said in time."""

    case: Case
    answer: Answer | None

    @property
    def outcomes(self) -> list[str]:
        return [judging.outcome(one, self.case, self.answer) for one in self.case.mistakes]


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else "none"


def correct(found: Sequence[Measured]) -> str:
    """Verdicts on programs that are right."""
    verdicts = Counter(one.answer.verdict if one.answer else "too long" for one in found)
    rows: Rows = [(verdict, str(count)) for verdict, count in verdicts.most_common()]
    cleared = sum(judging.cleared(one.answer) for one in found)
    accused = sum(judging.accused(one.answer) for one in found)
    rows.append(("**cleared by a “correct…”**", f"{share(cleared, len(found))}, wanted 95%"))
    rows.append(("**falsely accused**", f"{accused}, wanted 0"))
    return page.table((f"{len(found)} correct programs", "programs"), rows)


def labels(found: Sequence[Measured]) -> str:
    """How much of them annotate names."""
    shares = [one.answer.share for one in found if one.answer and one.answer.share is not None]
    rows: Rows = [
        ("annotated", share(len(shares), len(found))),
        ("mean share of sub-expressions named", f"{statistics.fmean(shares or [0]):.1%}"),
        ("at least 95 % named", share(sum(s >= 0.95 for s in shares), len(found))),
        ("all named", share(sum(s == 1 for s in shares), len(found))),
    ]
    return page.table(("`bp.annotate`", "correct programs"), rows)


def singles(found: Sequence[Measured]) -> str:
    """What became of one mistake."""
    counts = Counter(one.outcomes[0] for one in found)
    rows: Rows = [(name, share(counts[name], len(found))) for name in judging.OUTCOMES]
    return page.table((f"{len(found)} programs with one mistake", "programs"), rows)


def verdicts(found: Sequence[Measured]) -> str:
    """Which verdict was wanted, and which was given."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.case.verdict][one.answer.verdict if one.answer else "too long"] += 1
    heads = sorted({verdict for row in counts.values() for verdict in row})
    rows: Rows = [(want, *(str(row[head]) for head in heads)) for want, row in counts.items()]
    return page.table(("wanted \\ given", *heads), rows)


def classes(found: Sequence[Measured]) -> str:
    """Each number of the catalogue: how many, how many named with tensor and line."""
    by: dict[int, list[Measured]] = defaultdict(list)
    for one in found:
        by[number(one.case.mistakes[0].key)].append(one)
    rows: Rows = []
    for n, group in sorted(by.items()):
        counts = Counter(one.outcomes[0] for one in group)
        rest = [f"{counts[name]} {name}" for name in judging.OUTCOMES[1:] if counts[name]]
        full = f"{counts[judging.FULLY]} of {len(group)}"
        rows.append((f"{n}", CATALOGUE[n], full, "; ".join(rest) or "–"))
    return page.table(("", "mistake", "named in full", "otherwise"), rows)


def pairs(found: Sequence[Measured]) -> str:
    """What became of two mistakes at once."""
    good = (judging.FULLY, judging.OTHER_LINE, judging.OTHER_TENSOR)
    fully = sum(all(o == judging.FULLY for o in one.outcomes) for one in found)
    both = sum(all(o in good for o in one.outcomes) for one in found)
    one_of = sum(any(o in good for o in one.outcomes) for one in found) - both
    unknown = sum(bool(one.answer) and one.answer.verdict == "unknown" for one in found)
    wrongly = sum(bool(one.answer and judging.wrong(one.case, one.answer)) for one in found)
    rows: Rows = [
        ("both named, with tensor and line", share(fully, len(found))),
        ("both named", share(both, len(found))),
        ("one of them named", share(one_of, len(found))),
        ("verdict “unknown”", share(unknown, len(found))),
        ("something named that is not there", share(wrongly, len(found))),
    ]
    return page.table((f"{len(found)} programs with two mistakes", "programs"), rows)


def uncleared(found: Sequence[Measured]) -> str:
    """Correct programs that were not cleared, or not annotated, each with what was said."""
    said: list[str] = []
    for one in found:
        answer, name = one.answer, one.case.variation.name
        if answer is None:
            said.append(f"- `{name}`: no answer in time.")
            continue
        if not judging.cleared(answer):
            said.append(f"- `{name}`: doctor says {answer.failure or answer.verdict}.")
        if answer.unread:
            said.append(f"- `{name}`: annotate says “{answer.unread}”.")
        elif answer.share is not None and answer.share < 0.95:
            said.append(f"- `{name}`: annotate names {answer.share:.0%}.")
    return "\n".join(said) or "None."


def missed(found: Sequence[Measured]) -> str:
    """Every single that was not named in full, by outcome and number."""
    lines: list[str] = []
    for name in judging.OUTCOMES[1:]:
        group = [one for one in found if one.outcomes[0] == name]
        if not group:
            continue
        lines += ["", f"**{name}** ({len(group)})", ""]
        group.sort(key=lambda one: number(one.case.mistakes[0].key))
        for n, same in itertools.groupby(group, lambda one: number(one.case.mistakes[0].key)):
            cases = [told(one) for one in same]
            lines.append(f"- {n}, {CATALOGUE[n]}: {'; '.join(cases)}")
    return "\n".join(lines).strip() or "None."


def told(one: Measured) -> str:
    """One miss in a few words: the program, and what was said instead."""
    answer, mistake = one.answer, one.case.mistakes[0]
    variation = one.case.variation
    name = f"`{variation.file}` {variation.hidden}, {variation.loss}"
    if answer is None:
        return f"{name} (no answer in time)"
    if answer.failure:
        return f"{name} ({answer.failure[:60]})"
    numbers = sorted({str(f.number) for f in answer.findings if f.number is not None})
    at = sorted({str(f.line) for f in answer.findings if f.line is not None})
    instead = answer.verdict
    if answer.verdict == "bug":
        instead = f"says {', '.join(numbers) or 'no number'}"
        if not {int(line) for line in at} & mistake.lines:
            instead += f", line {', '.join(at) or '–'} for {min(mistake.lines, default='–')}"
    return f"{name} ({instead})"


def unpaired(found: Sequence[Measured]) -> str:
    """Every pair of which something was not named: what was there, what was said."""
    good = (judging.FULLY, judging.OTHER_LINE, judging.OTHER_TENSOR)
    lines: list[str] = []
    by: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if all(o in good for o in one.outcomes):
            continue
        there = " + ".join(str(number(mistake.key)) for mistake in one.case.mistakes)
        said = "no answer"
        if one.answer:
            numbers = {f.number for f in one.answer.findings if f.number is not None}
            said = ", ".join(map(str, sorted(numbers))) or one.answer.verdict
        by[one.case.variation.file].append(f"{there} ({said})")
    lines += [f"- `{file}`: {'; '.join(group)}" for file, group in by.items()]
    return "\n".join(lines) or "None."


def blocks(every: Sequence[Measured]) -> dict[str, str]:
    """The blocks of the page by name."""
    right, one, two = ([m for m in every if len(m.case.mistakes) == count] for count in range(3))
    tables = {"correct": correct, "labels": labels, "uncleared": uncleared}
    found = {name: table(right) for name, table in tables.items()}
    for table in (singles, verdicts, classes, missed):
        found[table.__name__] = table(one)
    found |= {"pairs": pairs(two), "unpaired": unpaired(two)}
    return found
