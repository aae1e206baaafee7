"""`backpass doctor` on a file with an autograd.Function in it."""

import subprocess
import sys

LINEAR = """
import torch
from torch.autograd import Function


class Linear(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x.mm(weight.t()) + bias

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output.mm(weight), grad_output.mm(x), grad_output.sum(0)


class Double(Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return factor * x

    @staticmethod
    def backward(ctx, g):
        return ctx.factor * g, None


if __name__ == "__main__":
    x = torch.randn(6, 3, requires_grad=True)
    Double.apply(x, 2.0).sum().backward()
    Linear.apply(x, torch.randn(4, 3), torch.zeros(4)).sum().backward()
"""


def asked(path, *options):
    command = [sys.executable, "-m", "backpass", "doctor", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_files_own_call_says_on_what(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(LINEAR, "utf-8")
    status, said = asked(path)
    assert status == 1
    assert "Linear: bug" in said
    assert "line 15, x: backward raises" in said
    assert (
        "repaired: return grad_output.mm(weight), grad_output.t().mm(x), grad_output.sum(0)" in said
    )
    assert "looked at the others too (Double: correct)" in said


def test_one_is_called_on_what_is_given(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text(LINEAR, "utf-8")
    status, said = asked(path, "--call", "Double", "--data", "5x4 0.5")
    assert (status, said[:15]) == (0, "Double: correct")
    status, said = asked(path, "--call", "Linear", "--data", "5x4")
    assert status == 2
    assert "has 1 of the inputs x, weight, bias; give one for each" in said
