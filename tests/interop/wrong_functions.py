"""Functions as people write them: one right pair of passes for each, and wrong backward passes.

A wrong one stands below the right one that it replaces, with the mistake as a comment.
"""

import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Linear(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x.mm(weight.t()) + bias

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output.mm(weight), grad_output.t().mm(x), grad_output.sum(0)


class Unturned(Linear):
    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        grad_x = grad_output.mm(weight.t())  # weight
        return grad_x, grad_output.t().mm(x), grad_output.sum(0)


class Swapped(Linear):
    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output.t() @ x, grad_output @ weight, grad_output.sum(0)  # the first two


class Scalar(Linear):
    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return grad_output @ weight, grad_output.t() @ x, grad_output.sum()  # sum(0)


class Unasked(Linear):
    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = grad_output @ weight
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t() @ x
        return grad_x, grad_weight, None  # the sum of grad_output


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        out = x.clamp(min=0)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        (out,) = ctx.saved_tensors
        return grad_output * (out > 0)


class Inclusive(Relu):
    @staticmethod
    def backward(ctx, grad_output):
        (out,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[out < 0] = 0  # <=
        return grad_input


class Guided(Relu):
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * (grad_output > 0)  # out


class Sigmoid(Function):
    @staticmethod
    def forward(ctx, z):
        a = torch.sigmoid(z)
        ctx.save_for_backward(a)
        return a

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output):
        (a,) = ctx.saved_tensors
        return grad_output * a * (1 - a)


class Again(Sigmoid):
    @staticmethod
    def backward(ctx, grad_output):
        (a,) = ctx.saved_tensors
        s = torch.sigmoid(a)
        return grad_output * s * (1 - s)  # a


class Halved(Sigmoid):
    @staticmethod
    def backward(ctx, grad_output):
        (a,) = ctx.saved_tensors
        return grad_output * a  # (1 - a)


class Spoiled(Sigmoid):
    @staticmethod
    def backward(ctx, grad_output):
        (a,) = ctx.saved_tensors
        a.mul_(1 - a)  # a * (1 - a)
        return grad_output * a


class Tanh(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        z = torch.addmm(b, x, w.t())
        a = torch.tanh(z)
        ctx.save_for_backward(x, w, z, a)
        return a

    @staticmethod
    def backward(ctx, g):
        x, w, _, a = ctx.saved_tensors
        dz = g * (1 - a**2)
        return dz @ w, dz.t() @ x, dz.sum(0)


class Straight(Tanh):
    @staticmethod
    def backward(ctx, g):
        x, w, _, a = ctx.saved_tensors
        dz = g * (1 - a)  # a**2
        return dz @ w, dz.t() @ x, dz.sum(0)


class Before(Tanh):
    @staticmethod
    def backward(ctx, g):
        x, w, z, a = ctx.saved_tensors
        assert a.shape == z.shape
        dz = g * (1 - z**2)  # a
        return dz @ w, dz.t() @ x, dz.sum(0)


class Several(Tanh):
    @staticmethod
    def backward(ctx, g):
        x, w, _, a = ctx.saved_tensors
        assert len(x) == len(a)
        dz = g * (1 - a**2)
        return dz @ w.t(), dz.t() @ a, dz.mean(0)  # w, x, sum


class Softmax(Function):
    @staticmethod
    def forward(ctx, z):
        p = torch.softmax(z, dim=1)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(dim=1, keepdim=True))


class Diagonal(Softmax):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return g * p * (1 - p)  # all of the Jacobian


class Columns(Softmax):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(dim=0))  # dim=1


class CrossEntropy(Function):
    @staticmethod
    def forward(ctx, z, y):
        p = F.softmax(z, dim=1)
        ctx.save_for_backward(p, y)
        return -torch.log(p[torch.arange(len(y)), y]).mean()

    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        dz = p.clone()
        dz[torch.arange(len(y)), y] -= 1
        return g * dz / len(y), None


class Summed(CrossEntropy):
    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        dz = p.clone()
        dz[torch.arange(len(y)), y] -= 1
        return g * dz, None  # / len(y)


class Norm(Function):
    @staticmethod
    def forward(ctx, x, gamma, beta):
        mu = x.mean(dim=1, keepdim=True)
        std = torch.sqrt(x.var(dim=1, keepdim=True, unbiased=False) + 1e-5)
        xhat = (x - mu) / std
        ctx.save_for_backward(xhat, std, gamma)
        return xhat * gamma + beta

    @staticmethod
    def backward(ctx, g):
        xhat, std, gamma = ctx.saved_tensors
        dxhat = g * gamma
        mean = dxhat.mean(1, keepdim=True)
        along = (dxhat * xhat).mean(1, keepdim=True)
        return (dxhat - mean - xhat * along) / std, (g * xhat).sum(0), g.sum(0)


class Constant(Norm):
    @staticmethod
    def backward(ctx, g):
        xhat, std, gamma = ctx.saved_tensors
        dx = g * gamma / std  # mu and std depend on x
        return dx, (g * xhat).sum(0), g.sum(0)


class Round(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, g):
        return g  # a straight-through estimator: meant


class Swish(Function):
    @staticmethod
    def forward(x, beta):
        return x * torch.sigmoid(beta * x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.beta = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(ctx.beta * x)
        return g * (s + ctx.beta * x * s * (1 - s)), None
