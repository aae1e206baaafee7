"""Functions with a backward pass by hand, right and wrong."""

import torch


class Affine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.t() + bias

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output @ weight, grad_output.t() @ x, grad_output.sum(0)


class Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = 1 / (1 + torch.exp(-x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        (out,) = ctx.saved_tensors
        return grad_output * out * (1 - out)


def changed(base, *, forward=None, backward):
    """The same with another pass."""
    body = {"backward": staticmethod(backward)}
    if forward is not None:
        body["forward"] = staticmethod(forward)
    return type(f"Wrong{base.__name__}", (base,), body)


def transposed(ctx, grad_output):
    x, weight = ctx.saved_tensors
    return grad_output @ weight.t(), grad_output.t() @ x, grad_output.sum(0)


def turned_weight(ctx, grad_output):
    x, weight = ctx.saved_tensors
    dw = x.t() @ grad_output
    return grad_output @ weight, dw, grad_output.sum(0)


def unsummed(ctx, grad_output):
    x, weight = ctx.saved_tensors
    return grad_output @ weight, grad_output.t() @ x, grad_output


def nothing(ctx, grad_output):
    _, weight = ctx.saved_tensors
    return grad_output @ weight, None, grad_output.sum(0)


def averaged(ctx, grad_output):
    x, weight = ctx.saved_tensors
    return grad_output @ weight, grad_output.t() @ x, grad_output.mean(0)


def swapped(ctx, grad_output):
    weight, x = ctx.saved_tensors
    return grad_output @ weight, grad_output.t() @ x, grad_output.sum(0)


def without_slope(ctx, grad_output):
    return grad_output


def negative(ctx, grad_output):
    (out,) = ctx.saved_tensors
    return -grad_output * out * (1 - out)


def alone(ctx, grad_output):
    (out,) = ctx.saved_tensors
    return out * (1 - out)


def overwriting(ctx, grad_output):
    (out,) = ctx.saved_tensors
    grad_output *= out * (1 - out)
    return grad_output


def odd(ctx, grad_output):
    (out,) = ctx.saved_tensors
    return grad_output * torch.cos(3 * out)
