"""The questions of four people, each answered by one command on the asker's own network."""

import re
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.seeds.networks import (
    augmented,
    batch,
    layered,
    listed,
    said,
    separate,
    two_matrices,
    two_three_two,
)


@dataclass(frozen=True)
class Answer:
    """What the account of one line must name before it explains anything."""

    forward: str  # the line of the forward pass that it comes from
    summed: str  # which label is summed, in words
    positions: str  # where that label stands in each factor
    components: str  # the sum over it
    fails: str  # another order, both its shapes, and what meets what


ANSWERS = {
    "Q5: why is the weight matrix there?": (
        listed(),
        "dout1",
        Answer(
            "net2 = out1 @ W2",
            "so what comes back is summed over m",
            "m stands last in dnet2 (n×m) and last in W2 (b×m), so W2 is transposed",
            "dout1[n,b] = Σₘ dnet2[n,m] · W2[b,m]",
            "dnet2 @ W2 (n×m)(b×m): m meets b",
        ),
    ),
    "Q6: why is it transposed, in a column?": (
        two_matrices(),
        "dh1",
        Answer(
            "z2 = W2 h1",
            "so what comes back is summed over u",
            "u stands first in W2 (u×m) and first in dz2 (u×1), so W2 is transposed",
            "dh1[m] = Σᵤ W2[u,m] · dz2[u]",
            "W2 dz2 (u×m)(u×1): m meets u",
        ),
    ),
    "Q7: why are the activations transposed?": (
        listed(),
        "dW2",
        Answer(
            "net2 = out1 @ W2",
            "n is summed",
            "n stands first in out1 (n×b) and first in dnet2 (n×m), so out1 is transposed",
            "dW2[b,m] = Σₙ out1[n,b] · dnet2[n,m]",
            "out1 @ dnet2 (n×b)(n×m): b meets n",
        ),
    ),
    "Q11: is it only so that the dimensions work out?": (
        two_three_two(" n"),
        "dW3",
        Answer(
            "z3 = W3 a2",
            "n is summed",
            "n stands last in dz3 (2×n) and last in a2 (3×n), so a2 is transposed",
            "dW3[i,j] = Σₙ dz3[i,n] · a2[j,n]",
            "dz3 a2 (2×n)(3×n): n meets 3",
        ),
    ),
    "Q15: where does n go?": (
        batch(),
        "dW2",
        Answer(
            "Z2 = O1 @ W2",
            "n is summed",
            "n stands first in O1 (n×j) and first in dZ2 (n×k), so O1 is transposed",
            "dW2[j,k] = Σₙ O1[n,j] · dZ2[n,k]",
            "O1 @ dZ2 (n×j)(n×k): j meets n",
        ),
    ),
}


@pytest.mark.parametrize("question", ANSWERS)
def test_why_names_the_line_the_label_its_places_the_sum_and_an_order_that_fails(question):
    derivation, name, answer = ANSWERS[question]
    text = said(derivation, name)
    assert answer.forward in text
    assert answer.summed in text
    assert answer.positions in text
    assert answer.components in text
    assert answer.fails in text


NETWORKS = {
    "000": listed(),
    "000, one sample": listed(""),
    "001": two_matrices(),
    "002": two_three_two(),
    "002, several samples": two_three_two(" n"),
    "002, four layers": layered(4),
    "003": batch(),
    "003, biases": separate(),
    "003, ones": augmented(),
}


def products(text):
    """Every product of sizes, `(3×2)(2×1) → …`, as pairs of sizes."""
    size = r"[^()×\s]+|\([^()×\s]+\)"
    for run in re.findall(rf"(?:\((?:{size})×(?:{size})\))+(?=\s+→)", text):
        yield re.findall(rf"\(({size})×({size})\)", run)


@pytest.mark.parametrize("layout", ["mixed", "numerator", "denominator"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_sizes_in_every_chain_meet(network, layout):
    derivation = NETWORKS[network]
    for name in derivation.wrt:
        found = list(products(str(derivation.chain(name, layout=layout))))
        assert any(len(sizes) > 1 for sizes in found)
        meetings = [(a[1], b[0]) for sizes in found for a, b in pairwise(sizes)]
        assert [pair for pair in meetings if pair[0] != pair[1]] == []
