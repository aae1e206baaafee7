"""What there is to say about the known functions: one clause on the slope of each.

In these clauses z is what goes into a function and a what comes out of it.
"""

from __future__ import annotations

from backpass.reading.presentation import (
    ONE,
    TWO,
    Name,
    Of,
    Over,
    Raised,
    Root,
    Shown,
    multiplied,
    negated,
    substitute,
    total,
    whole,
)
from backpass.reading.words import Words, words

A, Z, P, T = Name("a"), Name("z"), Name("p"), Name("t")


def _slope(value: Shown) -> Words:
    return words("its slope is {slope}", slope=value)


def _minus(one: Shown, other: Shown) -> Shown:
    return total(one, negated(other))


SLOPES: dict[str, Words] = {
    # `a(1 − a)` is written like a call, without a sign between
    "sigmoid": _slope(Of("a", (total(ONE, negated(A)),))),
    "tanh": _slope(total(ONE, negated(Raised(A, TWO)))),
    "relu": words("its slope is 1 where {z} > 0, else 0", z=Z),
    "leaky_relu": words("its slope is 1 above zero, and the leak below"),
    "softplus": _slope(Of("sigmoid", (Z,))),
    "exp": _slope(A),
    "expm1": _slope(total(A, ONE)),
    "log": _slope(Over(ONE, Z)),
    "log1p": _slope(Over(ONE, total(ONE, Z))),
    "log2": _slope(Over(ONE, multiplied("scaling", Z, Of("log", (TWO,))))),
    "logaddexp": words("a rounded maximum: its two slopes are shares that sum to 1"),
    "sin": _slope(Of("cos", (Z,))),
    "cos": _slope(negated(Of("sin", (Z,)))),
    "abs": words("its slope is the sign of {z}", z=Z),
    "sqrt": _slope(Over(ONE, multiplied("scaling", TWO, Root(Z)))),
    "maximum": words("the larger side takes the whole slope, and a tie goes to the first"),
    "minimum": words("the smaller side takes the whole slope, and a tie goes to the first"),
    "log10": words("its slope is that of log, divided by log(10)"),
    "sign": words("it is flat on both sides of its jump, so its slope is 0"),
    "huber_entry": words("its slope is the error itself, cut off where the straight lines begin"),
    "logistic_loss": words(
        "sigmoid and cross-entropy together leave {s}", s=_minus(Of("sigmoid", (Z,)), T)
    ),
    "bernoulli_loss": _slope(Over(_minus(P, T), multiplied("scaling", P, _minus(ONE, P)))),
    "where": words("each entry follows the side that was chosen for it"),
    "clip": words("its slope is 1 inside the bounds, and 0 outside"),
}


# The functions whose clause speaks of both arguments, and what it calls them.
BOTH: dict[str, tuple[Name, Name]] = {"logistic_loss": (Z, T), "bernoulli_loss": (P, T)}


def slope_clause(function: str, args: tuple[Shown, ...]) -> Words | None:
    """The clause on a slope; where it speaks of both arguments, in the names that these have."""
    clause = SLOPES.get(function)
    if clause is None or function not in BOTH:
        return clause
    given = dict(zip(BOTH[function], map(whole, args), strict=True))

    def put_in(node: Shown) -> Shown | None:
        return given.get(node) if isinstance(node, Name) else None

    return tuple(part if isinstance(part, str) else substitute(part, put_in) for part in clause)


def mentions(clause: Words, name: str) -> bool:
    """Whether a clause speaks of what comes out, a, or of what goes in, z."""
    found: list[Shown] = []

    def note(node: Shown) -> None:
        if node == Name(name):
            found.append(node)

    for part in clause:
        if not isinstance(part, str):
            substitute(part, note)
    return bool(found)


# What a function of whole arrays sends back, and what the lines that prepare it are for.

CALLS: dict[str, str] = {
    "softmax": "raising one entry of a softmax lowers the others: what all share is taken away",
    "log_softmax": "the entries of a softmax sum to 1: each pays its share of all that flows in",
    "logsumexp": "logsumexp is a smooth maximum: its slope is the softmax",
    "cross_entropy": "softmax with cross-entropy leaves {error}, averaged over the samples",
    "cross_entropy_of_weights": (
        "softmax with cross-entropy leaves {error}, where p counts as often as the row of {y} says"
    ),
    "cross_entropy_of_shares": (
        "softmax with cross-entropy leaves {error}, averaged over the samples"
    ),
}


def call_clause(function: str, target: str) -> Words | None:
    """Why a function of whole arrays sends back what it does; `target` is its last argument."""
    clause = CALLS.get(function)
    if clause is None:
        return None
    return words(clause, y=target, error=_minus(P, Name(target)))


# The same at length; z is the operand, y the target, both as the user calls them.

CALLS_AT_LENGTH: dict[str, tuple[str, ...]] = {
    "softmax": (
        "An entry of a softmax is p = exp(z) / Σ exp(z).",
        "Raising one z raises its own p by p(1 − p) and lowers every other one, q, by p·q, because "
        "all of them sum to 1.",
        "So what flows back is p times the difference between what flows into this entry and the "
        "average of what flows into all, weighted by p.",
    ),
    "log_softmax": (
        "An entry of a log-softmax is z − log Σ exp(z).",
        "The first z passes on what flows in; the slope of the logarithm is the softmax p, which "
        "takes away its share p of all that flows into the row.",
    ),
    "logsumexp": (
        "The slope of log Σ exp(z) with respect to one z is exp(z) / Σ exp(z): the softmax.",
    ),
    "cross_entropy": (
        "For each sample the loss is log Σ exp({z}) minus the entry of {z} that {y} names.",
        "The slope of the first part is the softmax p; the slope of the second is 1 at that entry "
        "and 0 elsewhere: the one-hot row of {y}.",
        "Softmax and logarithm undo each other, so neither leaves a slope of its own.",
    ),
    "cross_entropy_of_weights": (
        "For each sample the loss is Σ {y} times log Σ exp({z}), minus Σ {y} · {z}.",
        "The slope of log Σ exp({z}) is the softmax p; the slope of the rest is {y}.",
        "Where every row of {y} sums to 1 this is p − y.",
    ),
    "cross_entropy_of_shares": (
        "For each sample the loss is log Σ exp({z}) minus Σ {y} · {z}, because {y} sums to 1.",
        "The slope of the first part is the softmax p; the slope of the second is {y}.",
        "Softmax and logarithm undo each other, so neither leaves a slope of its own.",
    ),
}

HELPERS: dict[str, str] = {
    "softmax": "the probabilities, which the next line needs",
}
