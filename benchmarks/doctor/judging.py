"""What an answer is worth, held to what is true of the case."""

from __future__ import annotations

from benchmarks.doctor.asking import Answer, Named
from benchmarks.doctor.cases import LOSSES, SCALES, Case, Mistake

FULLY = "named, with tensor and line"
OTHER_LINE = "named, another line"
OTHER_TENSOR = "named, another tensor"
NAMELESS = "a bug without a name, tensor and line right"
ELSEWHERE = "a bug without a name, elsewhere"
WRONG = "named wrongly"
UNKNOWN = "unknown"
MISSED = "called correct"
FAILED = "no answer"
OUTCOMES = (
    FULLY, OTHER_LINE, OTHER_TENSOR, NAMELESS, ELSEWHERE, UNKNOWN, WRONG, MISSED, FAILED,
)  # fmt: skip


def held(mistake: Mistake, finding: Named) -> str | None:
    """How well this finding names this mistake, if it is about it at all."""
    placed = bool(mistake.tensors & finding.tensors), finding.line in mistake.lines
    if mistake.numbers & (SCALES | LOSSES):
        placed = True, True  # it is of all tensors, and of any line between loss and update
    if finding.number in mistake.numbers:
        return FULLY if all(placed) else OTHER_LINE if placed[0] else OTHER_TENSOR
    if finding.number is None and finding.accuses:
        return NAMELESS if all(placed) else ELSEWHERE
    return None


def outcome(mistake: Mistake, case: Case, answer: Answer | None) -> str:
    """What became of one mistake of a case."""
    if answer is None or answer.verdict == "failed":
        return FAILED
    found = [held(mistake, finding) for finding in answer.findings]
    ranked = [one for one in OUTCOMES if one in found]
    if ranked and ranked[0] in (FULLY, OTHER_LINE, OTHER_TENSOR):
        return ranked[0]
    if wrong(case, answer):
        return WRONG
    if answer.verdict == "unknown":
        return UNKNOWN
    if answer.verdict != "bug":
        # no finding is needed where the verdict says it all
        right = answer.verdict == case.verdict and mistake.numbers & (SCALES | LOSSES)
        return FULLY if right else MISSED
    return ranked[0] if ranked else ELSEWHERE


def wrong(case: Case, answer: Answer) -> set[int]:
    """The numbers that the answer accuses of, and that nothing in the case deserves."""
    true = {number for one in case.mistakes for number in one.numbers}
    return {f.number for f in answer.findings if f.accuses and f.number is not None} - true


def accused(answer: Answer | None) -> bool:
    """Whether a program is called wrong."""
    return answer is not None and (
        answer.verdict == "bug" or any(finding.accuses for finding in answer.findings)
    )


def cleared(answer: Answer | None) -> bool:
    """Whether a program is called correct, in one of the ways to say so."""
    return answer is not None and answer.verdict.startswith("correct") and not accused(answer)
