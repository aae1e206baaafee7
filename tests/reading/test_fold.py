"""Equal layers as one, and only equal ones: unfolded again they are the lines that were there."""

import re
from itertools import pairwise

import pytest

from backpass.reading.document import derivation_latex, derivation_markdown
from backpass.reading.fold import Layers, folded
from backpass.reading.text import derivation_text
from tests.reading.networks import passes


def deep(sizes, activations=None, bias=True, columns=False):
    """A network with these sizes; samples are rows, or one sample is a column."""
    count = len(sizes) - 1
    activations = activations or ["tanh"] * count
    lines = ["X: n s0", "Y: n s1"] if not columns else ["X: s0", "Y: s1"]
    lines = [line.replace("s0", str(sizes[0])).replace("s1", str(sizes[-1])) for line in lines]
    before, last = "X", ""
    for layer, (size, after) in enumerate(pairwise(sizes), 1):
        shape = f"{after} {size}" if columns else f"{size} {after}"
        lines.append(f"W{layer}: {shape}")
        if bias:
            lines.append(f"b{layer}: {after}")
    for layer, activation in enumerate(activations, 1):
        if columns:
            lines.append(f"Z{layer}[i] = W{layer}[i,j] * {before}[j]" + f" + b{layer}[i]" * bias)
            lines.append(f"A{layer}[i] = {activation}(Z{layer}[i])")
        else:
            lines.append(
                f"Z{layer}[n,j] = {before}[n,i] * W{layer}[i,j]" + f" + b{layer}[j]" * bias
            )
            lines.append(f"A{layer}[n,j] = {activation}(Z{layer}[n,j])")
        before, last = f"A{layer}", f"A{layer}"
    index = "[i]" if columns else "[n,i]"
    lines += [f"L = 1/2*({last}{index} - Y{index})**2", "return L"]
    wrt = " ".join(f"W{layer}" + f" b{layer}" * bias for layer in range(1, count + 1))
    return passes("\n".join(lines), wrt)


NAMED = [f"d{layer}" for layer in range(7)]


def test_a_deep_network_is_one_general_layer():
    assert (
        derivation_text(deep(NAMED))
        == """\
forward
  for l = 1 … 6, where A₀ is X:
    Zₗ = Aₗ₋₁ @ Wₗ + bₗ         (n×dₗ₋₁)(dₗ₋₁×dₗ) + dₗ → n×dₗ
    Aₗ = tanh(Zₗ)               n×dₗ
  L    = ½ Σ (A6 − Y)²          scalar
backward
  dA6   = A6 − Y                n×d6
        the 2 of the square meets the ½: no factor is left
  dZ6   = dA6 ⊙ (1 − A6²)       n×d6
        tanh acts entry by entry, so ⊙; its slope is 1 − a²
  dW6   = A5.T @ dZ6            (d5×n)(n×d6) → d5×d6
        every row n used the same W6, so n is summed; A5 has n first, hence .T
  db6   = Σₙ dZ6                d6
        b6 was copied to every row, so the rows are added up
  for l = 5 … 1, where A₀ is X:
    dAₗ = dZₗ₊₁ @ Wₗ₊₁.T        (n×dₗ₊₁)(dₗ₊₁×dₗ) → n×dₗ
        dₗ₊₁ is summed (n stays); Wₗ₊₁ has dₗ₊₁ last, hence .T
    dZₗ = dAₗ ⊙ (1 − Aₗ²)       n×dₗ
        tanh acts entry by entry, so ⊙; its slope is 1 − a²
    dWₗ = Aₗ₋₁.T @ dZₗ          (dₗ₋₁×n)(n×dₗ) → dₗ₋₁×dₗ
        every row n used the same Wₗ, so n is summed; Aₗ₋₁ has n first, hence .T
    dbₗ = Σₙ dZₗ                dₗ
        bₗ was copied to every row, so the rows are added up"""
    )


def test_sizes_that_are_numbers_are_listed_once():
    text = derivation_text(deep([784, 128, 64, 64, 32, 10], columns=True))
    assert text.splitlines()[1:5] == [
        "  for l = 1 … 5, where A₀ is X:",
        "    d₀ … d₅ = 784, 128, 64, 64, 32, 10",
        "    Zₗ = Wₗ @ Aₗ₋₁ + bₗ         (dₗ×dₗ₋₁)(dₗ₋₁) + dₗ → dₗ",
        "    Aₗ = tanh(Zₗ)               dₗ",
    ]
    assert text.count("784") == 1


def test_one_number_everywhere_but_at_the_end_needs_no_name():
    text = derivation_text(deep([8, 8, 8, 8, 8, 3], ["tanh"] * 4 + ["sigmoid"]))
    assert "for l = 1 … 4, where A₀ is X:\n    Zₗ = Aₗ₋₁ @ Wₗ + bₗ" in text
    assert "(n×8)(8×8) + 8 → n×8" in text
    text = derivation_text(deep([5, 8, 8, 8, 8, 3], ["tanh"] * 4 + ["sigmoid"]))
    assert "d₀ … d₄ = 5, 8, 8, 8, 8\n" in text


def test_ascii_writes_the_layer_in_brackets():
    text = derivation_text(deep(NAMED), ascii=True)
    assert text.isascii()
    assert "  for l = 1 ... 6, where A[0] is X:" in text
    assert "    dA[l] = dZ[l+1] @ W[l+1].T " in text
    assert "(nxd[l+1])(d[l+1]xd[l]) -> nxd[l]" in text


def test_latex_and_markdown_fold_too():
    both = deep(NAMED)
    assert r"Z_l &= A_{l-1} W_l + \mathbf{1} \, b_l^\top" in derivation_latex(both)
    assert r"\in \mathbb{R}^{d_{l-1} \times d_l}" in derivation_latex(both)
    assert r"For $l = 5, \dots, 1$, where $A_0 = X$:" in derivation_markdown(both)
    assert r"W_{l+1}" not in derivation_latex(both, fold=False)


def test_a_layer_that_differs_is_not_folded():
    both = deep(["k"] * 12, ["tanh"] * 4 + ["relu"] * 2 + ["tanh"] * 5, bias=False)
    forward, backward = folded(both)
    runs = [
        [(p.first, p.last) for p in side if isinstance(p, Layers)] for side in (forward, backward)
    ]
    assert runs == [[(1, 4), (7, 11)], [(10, 7), (4, 1)]]


def test_layers_that_only_look_alike_are_not_folded():
    text = """\
X: n k
c: ()
A1[n,k] = X[n,k] * c
A2[n,k] = A1[n,k] * c
A3[n,k] = A1[n,k] * c
A4[n,k] = A3[n,k] * c
A5[n,k] = A4[n,k] * c
L = A5[n,k] + A2[n,k]
return L
"""
    forward, _ = folded(passes(text, "c"))
    assert not any(isinstance(part, Layers) for part in forward)


def test_three_layers_are_shorter_one_by_one():
    assert "for l" not in derivation_text(deep(NAMED[:4]))
    forward, _ = folded(deep(NAMED[:4]), fewest=3)
    assert isinstance(forward[0], Layers)


NETWORKS = {
    "named": deep(NAMED),
    "numbers": deep([9, 8, 7, 7, 6, 5]),
    "columns": deep([9, 8, 7, 7, 6, 5], columns=True),
    "equal": deep(["k"] * 7, bias=False),
    "mixed": deep(["k"] * 12, ["tanh"] * 4 + ["relu"] * 2 + ["tanh"] * 5),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_unfolded_again_they_are_the_lines_that_were_there(name):
    both = NETWORKS[name]
    assert unfolded(derivation_text(both)) == words_of(derivation_text(both, fold=False))


def unfolded(text):
    """Every general layer written out, in the order of its header."""
    lines: list[str] = []
    block: list[str] = []
    header, sizes = None, {}

    def close():
        if header is not None:
            first, last = map(int, re.findall(r"(\d+) … (\d+)", header)[0])
            alias = re.findall(r"where (\w)₀ is (\w+)", header)
            for layer in range(
                first, last + (1 if last >= first else -1), 1 if last > first else -1
            ):
                lines.extend(instance(line, layer, alias, sizes) for line in block)
        block.clear()

    for line in text.splitlines():
        if line.startswith("  for l"):
            close()
            header = line
        elif found := re.match(r"    (\w)₀ … \w+ = (.*)", line):
            sizes = {f"{found[1]}{i}": value for i, value in enumerate(found[2].split(", "))}
        elif header is not None and line.startswith("    "):
            block.append(line)
        else:
            close()
            header = None
            lines.append(line)
    close()
    return words_of("\n".join(lines))


def instance(line, layer, alias, sizes):
    digits = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

    def number(found):
        sign, offset = found[1], found[2].translate(digits)
        return str(layer + int(offset or 0) * (-1 if sign == "₋" else 1))

    line = re.sub("ₗ([₊₋]?)([₀-₉]*)", number, line)
    for name, other in alias:
        line = re.sub(rf"\b{name}0\b", other, line)
    for name, value in sizes.items():
        line = re.sub(rf"\b{name}\b", value, line)
    return line


def words_of(text):
    """Lines without their spacing; a label is called by its size where the size has a name."""
    text = re.sub(r"\n {8}(?=\S+\n|\S+$)", " ", text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [re.sub(r"(\S+) is summed(.*) has \S+ ", r"_ is summed\2 has _ ", one) for one in lines]


def test_a_document_lists_what_is_given_and_wanted_once_for_equal_layers():
    text = derivation_markdown(deep(NAMED))
    given = text[: text.index("## Forward")]
    assert r"$W_l \in \mathbb{R}^{d_{l-1} \times d_l}$ for $l = 1, \dots, 6$" in given
    assert r"wanted $\frac{\partial L}{\partial W_l}$ for $l = 1, \dots, 6$" in given
    assert "W_3" not in given
