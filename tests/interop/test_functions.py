"""An autograd.Function, held to the derivative of its forward pass."""

from pathlib import Path

import pytest
import torch

import backpass as bp
from tests.interop import functions
from tests.interop.functions import Affine, Sigmoid, changed

torch.manual_seed(0)
X, W, B = torch.randn(5, 3), torch.randn(3, 3), torch.randn(3)
SOURCE = Path(functions.__file__).read_text("utf-8").splitlines()


def test_right_functions_are_correct():
    for function, inputs in ((Affine, (X, W, B)), (Sigmoid, (X,))):
        report = bp.doctor(function, *inputs)
        assert report.verdict == "correct"
        assert report.findings == ()
        assert "forward was traced" in report.loss


def test_a_forward_of_plain_operators_is_derived():
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x @ w

        @staticmethod
        def backward(ctx, grad_output):
            x, w = ctx.saved_tensors
            return grad_output @ w.t(), x.t() @ grad_output

    report = bp.doctor(Product, X, W)
    assert report.verdict == "correct"
    assert "forward was traced" in report.loss


@pytest.mark.parametrize(
    ("base", "backward", "bug", "tensor", "line"),
    [
        (Affine, functions.transposed, 30, "x", "weight.t()"),
        (Affine, functions.turned_weight, 28, "weight", "dw = x.t()"),
        (Affine, functions.nothing, 36, "weight", "None"),
        (Affine, functions.averaged, 6, "bias", "mean(0)"),
        (Sigmoid, functions.without_slope, 16, "x", "return grad_output"),
        (Sigmoid, functions.negative, 1, "x", "return -grad_output"),
        (Sigmoid, functions.alone, None, "x", "return out * (1 - out)"),
        (Sigmoid, functions.odd, None, "x", "torch.cos"),
    ],
)
def test_a_mistake_is_named_with_its_input_and_line(base, backward, bug, tensor, line):
    inputs = (X, W, B) if base is Affine else (X,)
    report = bp.doctor(changed(base, backward=backward), *inputs)
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert (finding.bug, finding.tensor) == (bug, tensor)
    assert line in SOURCE[finding.line - 1]
    wrong = [one.path for one in report.tensors if one.verdict == "bug"]
    assert wrong == [tensor]


def test_what_pytorch_adds_up_itself_is_no_accusation():
    report = bp.doctor(changed(Affine, backward=functions.unsummed), X, W, B)
    assert report.verdict == "correct"
    assert "PyTorch adds them up itself" in report.findings[0].explanation


def test_an_order_that_differs_is_said_where_backward_raises():
    report = bp.doctor(changed(Affine, backward=functions.swapped), X, W, B)
    assert report.verdict == "bug"
    assert "forward keeps x, weight and backward unpacks weight, x" in " ".join(
        report.findings[0].explanation.split()
    )


def test_an_overwritten_gradient_is_told():
    report = bp.doctor(changed(Sigmoid, backward=functions.overwriting), X)
    assert [one.name for one in report.findings] == ["the incoming gradient is overwritten"]


def test_what_is_kept_outside_its_context_is_stale_after_another_use():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            Square.kept = x
            return x * x

        @staticmethod
        def backward(ctx, grad_output):
            return 2 * Square.kept * grad_output

    report = bp.doctor(Square, X)
    assert report.findings[0].bug == 51


def test_a_straight_through_estimator_is_not_accused():
    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.sign(x)

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output

    report = bp.doctor(Sign, X)
    assert report.verdict == "unknown"
    assert "straight-through" in str(report)


def test_the_users_tensors_are_left_alone():
    x = torch.randn(4, 3, requires_grad=True)
    before = x.detach().clone()
    bp.doctor(Sigmoid, x)
    assert torch.equal(x.detach(), before)
    assert x.grad is None


def test_too_few_gradients_and_no_tensor_are_one_sentence():
    short = changed(Affine, backward=lambda ctx, grad: (grad,))
    with pytest.raises(bp.BackpassError, match="returned 1 gradient, and forward takes 3"):
        bp.doctor(short, X, W, B)
    with pytest.raises(bp.BackpassError, match="was given no tensor of floats"):
        bp.doctor(Sigmoid, 3)


def test_tensors_in_plain_training_code_are_refused_in_one_sentence():
    def step(X, y):
        return X

    class Net:
        def __init__(self):
            self.W = [torch.randn(3, 2)]

        def fit(self, X, y):
            self.W[0] -= 0.1

    for verb in (bp.annotate, bp.doctor):
        with pytest.raises(bp.BackpassError, match="X is a Tensor of PyTorch"):
            verb(step, X, B)
        with pytest.raises(bp.BackpassError, match=r"self\.W\[0\] is a Tensor of PyTorch"):
            verb(Net().fit, X.numpy(), B.numpy())
