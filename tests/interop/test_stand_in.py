"""Forward passes of PyTorch, traced by stand-ins: held to differences and to its own gradient."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from backpass.doctor.custom.derivative import derived, right
from backpass.doctor.custom.torch_function import TorchPair

torch.manual_seed(0)
RANDOM = np.random.default_rng(0)
X, W, B, S = (torch.randn(*shape).double() for shape in ((6, 3), (4, 3), (4,), (3,)))
for one in (X, W, B, S):
    one.requires_grad_()
Y = torch.tensor([0, 1, 2, 0, 1, 2])


def layer(ctx, x, w, b):
    z = torch.addmm(b, x, w.t())
    out = torch.sigmoid(z)
    ctx.save_for_backward(x, w, out)
    return out


def expanded(ctx, x, w, b):
    out = x.mm(w.t())
    out += b.unsqueeze(0).expand_as(out)
    return out


def shifted(ctx, x):
    e = torch.exp(x - x.max(dim=1, keepdim=True).values)
    return e / e.sum(dim=1, keepdim=True)


def normed(ctx, x, gamma):
    mu = x.mean(dim=-1, keepdim=True)
    var = x.var(dim=-1, keepdim=True, unbiased=False)
    return (x - mu) / torch.sqrt(var + 1e-5) * gamma


def masked(ctx, x):
    out = x.clone()
    out[out < 0] = 0
    return out


def picked(ctx, x, y):
    logp = F.log_softmax(x, dim=1)
    return -logp[torch.arange(x.shape[0]), y].mean()


def counted(ctx, x, y):
    p = torch.softmax(x, 1)
    return -(F.one_hot(y, 3) * torch.log(p)).sum() / x.size(0)


FORWARDS = (
    (layer, (X, W, B)),
    (expanded, (X, W, B)),
    (shifted, (X,)),
    (normed, (X, S)),
    (masked, (X,)),
    (picked, (X, Y)),
    (counted, (X, Y)),
    (lambda ctx, x, w, b: F.linear(x, w, b), (X, W, B)),
    (lambda ctx, x, w: (torch.matmul(x, w.t()).exp(), (x * x).sum(1)), (X, W)),
    (lambda ctx, x, y: F.cross_entropy(x, y), (X, Y)),
    (lambda ctx, x, s: F.layer_norm(x, (3,), s), (X, S)),
    (lambda ctx, x, slope: torch.where(x > 0, x, slope * x), (X, 0.1)),
    (lambda ctx, x: x.clamp(min=0), (X,)),
    (lambda ctx, x: F.relu(x), (X,)),
    (lambda ctx, x: F.leaky_relu(x, 0.2) + F.elu(x) + F.silu(x) + F.softplus(x), (X,)),
    (lambda ctx, x: 0.5 * (5 * x**3 - 3 * x), (X,)),
    (lambda ctx, x: x / x.norm(dim=1, keepdim=True), (X,)),
    (lambda ctx, x: torch.log(1 + torch.exp(x)), (X,)),
    (lambda ctx, x: torch.cat([x, x], dim=1).view(3, -1).permute(1, 0).tanh_(), (X,)),
    (lambda ctx, x: x.gather(1, Y[:, None]).squeeze(1) - x.amax(dim=1), (X,)),
)


def pair(forward, inputs):
    body = {"forward": staticmethod(forward), "backward": staticmethod(lambda ctx, g: g)}
    return TorchPair(type("Made", (torch.autograd.Function,), body), inputs)


@pytest.mark.parametrize(("forward", "inputs"), FORWARDS)
def test_the_derived_gradient_is_that_of_differences_and_of_pytorch(forward, inputs):
    subject = pair(forward, inputs)
    found = derived(subject)
    assert found is not None
    incoming = [
        np.random.default_rng(1).normal(size=one.shape) for one in subject.forward(subject.inputs)
    ]
    gradients = right(found, subject, subject.inputs, incoming)
    assert gradients is not None
    moved = iter(torch.tensor(one, requires_grad=True) for one in subject.inputs)
    given = [next(moved) if place in subject.places else one for place, one in enumerate(inputs)]
    out = forward(SimpleNamespace(save_for_backward=lambda *kept: None), *given)
    asked = [given[place] for place in subject.places]
    above = [torch.tensor(one) for one in incoming]
    theirs = torch.autograd.grad(out, asked, above)
    way = [RANDOM.normal(size=one.shape) for one in subject.inputs]
    ends = [
        sum(np.sum(a * b) for a, b in zip(subject.forward(moved), incoming, strict=True))
        for moved in ([x + h * v for x, v in zip(subject.inputs, way, strict=True)]
                      for h in (1e-6, -1e-6))
    ]  # fmt: skip
    along = sum(np.sum(g * v) for g, v in zip(gradients, way, strict=True))
    np.testing.assert_allclose(along, (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)
    for mine, own in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(mine, own.numpy(), atol=1e-12)


def test_values_have_the_names_of_the_code():
    found = derived(pair(layer, (X, W, B)))
    assert found is not None
    assert [step.name for step in found.d.forward.steps] == ["z", "out", "L"]
    assert [step.name for step in found.d.backward] == ["dout", "dz", "dx", "dw", "db"]


@pytest.mark.parametrize(
    "forward",
    [lambda ctx, x: torch.cumsum(x, 0), lambda ctx, x: F.gelu(x), lambda ctx, x: torch.sort(x)[0]],
)
def test_what_has_no_meaning_here_is_not_traced(forward):
    assert derived(pair(forward, (X,))) is None
