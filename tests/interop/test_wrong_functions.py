"""What people write wrong in a backward pass is named; what they write right is not accused."""

from pathlib import Path

import numpy as np
import pytest
import torch

import backpass as bp
from tests.interop import wrong_functions as theirs

torch.manual_seed(0)
X, W, B, S = torch.randn(6, 3), torch.randn(3, 3), torch.randn(3), torch.rand(3) + 0.5
Y = torch.tensor([0, 1, 2, 0, 1, 2])
SOURCE = Path(theirs.__file__).read_text("utf-8").splitlines()
INPUTS = {
    theirs.Linear: (X, W, B),
    theirs.Relu: (X,),
    theirs.Sigmoid: (X,),
    theirs.Tanh: (X, W, B),
    theirs.Softmax: (X,),
    theirs.CrossEntropy: (X, Y),
    theirs.Norm: (X, S, B),
    theirs.Swish: (X, 1.5),
}


def inputs_of(function):
    return next(given for base, given in INPUTS.items() if issubclass(function, base))


@pytest.mark.parametrize("function", INPUTS)
def test_the_right_ones_are_correct_as_gradcheck_finds_too(function):
    given = inputs_of(function)
    report = bp.doctor(function, *given)
    assert report.verdict == "correct"
    assert report.findings == ()
    assert "forward was traced" in report.loss
    asked = [
        one.double().requires_grad_() if torch.is_tensor(one) and one.is_floating_point() else one
        for one in given
    ]
    assert torch.autograd.gradcheck(function.apply, asked)


WRONG = [
    # the class, numbers of the table, inputs, words of what is said
    (theirs.Unturned, [30], ["x"], "grad_x = grad_output.mm(weight)"),
    (theirs.Swapped, [35, 35], ["x", "weight"], "this is the gradient of weight, not of x"),
    (theirs.Scalar, [39], ["bias"], "grad_output.sum(0)"),
    (theirs.Unasked, [36], ["bias"], "ctx.needs_input_grad[2] is never asked"),
    (theirs.Inclusive, [20], ["x"], "grad_input[out <= 0] = 0"),
    (theirs.Guided, [55], ["x"], "the mask looks at grad_output"),
    (theirs.Again, [18], ["z"], "return grad_output * a * (1 - a)"),
    (theirs.Halved, [None], ["z"], "the factor (1 - a) is missing"),
    (theirs.Spoiled, [51], ["z"], "a.mul_(1 - a)"),
    (theirs.Straight, [23], ["x"], "dz = g * (1 - a ** 2)"),
    (theirs.Before, [19], ["x"], "z stands where a should"),
    (theirs.Several, [30, None, 6], ["x", "w", "b"], "return dz @ w, dz.t() @ x, dz.sum(0)"),
    (theirs.Diagonal, [13], ["z"], "return p * (g - (g * p).sum(1)[:, None])"),
    (theirs.Columns, [14], ["z"], "summed over the other axis"),
    (theirs.Summed, [5], ["z"], "return g * dz / p.shape[0], None"),
    (theirs.Constant, [None], ["x"], "the ways back through std and mu are left out"),
]


@pytest.mark.parametrize(("function", "bugs", "tensors", "words"), WRONG)
def test_the_wrong_ones_are_named(function, bugs, tensors, words):
    report = bp.doctor(function, *inputs_of(function))
    assert report.verdict == "bug"
    assert [one.bug for one in report.findings] == bugs
    assert [one.tensor for one in report.findings] == tensors
    assert words in " ".join(str(report).split())
    head = f"class {function.__name__}("
    marked = next(n for n, text in enumerate(SOURCE) if text.startswith(head))
    line = next(n for n, text in enumerate(SOURCE) if n > marked and "  # " in text)
    assert {one.line for one in report.findings} == {line + 1}


LEFT = (theirs.Spoiled, theirs.Constant, theirs.Unasked, theirs.Guided)  # more than a line is due


@pytest.mark.parametrize("function", [one[0] for one in WRONG if one[0] not in LEFT])
def test_a_repaired_line_is_right_where_it_stands(function):
    (one,) = [one for one in bp.doctor(function, *inputs_of(function)).findings if one.repaired]
    lines = list(SOURCE)
    old = lines[one.line - 1]
    lines[one.line - 1] = old[: len(old) - len(old.lstrip())] + one.repaired
    space = {"__name__": "mended"}
    exec(compile("\n".join(lines), "mended", "exec"), space)
    given = inputs_of(function)
    asked = [one.double().requires_grad_() if torch.is_tensor(one) and one.is_floating_point()
             else one for one in given]  # fmt: skip
    assert torch.autograd.gradcheck(space[function.__name__].apply, asked)


def test_all_that_one_line_makes_wrong_is_one_finding():
    (finding,) = bp.doctor(theirs.Straight, *inputs_of(theirs.Straight)).findings
    assert finding.tensors == ("x", "w", "b")
    assert finding.fix == "g * (1 - a ** 2)"
    assert finding.recheck == "Run again with this line, dx, dw and db are right."


def test_a_straight_through_estimator_is_not_accused():
    report = bp.doctor(theirs.Round, X)
    assert report.verdict == "unknown"
    assert not any(one.accuses for one in report.findings)


def test_the_users_function_and_tensors_are_left_as_they_were():
    before, rule = X.clone(), theirs.Unturned.backward
    bp.doctor(theirs.Unturned, X, W, B)
    assert np.array_equal(before, X)
    assert theirs.Unturned.backward is rule
