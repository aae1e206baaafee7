"""From the same weights, with the same batches, the losses of 200 steps are those of PyTorch."""

import numpy as np
import pytest
import torch

import backpass as bp

STEPS, BATCH = 200, 30
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(300, 6)), np.arange(300) % 3
ORDER = np.concatenate([RANDOM.permutation(300) for _ in range(STEPS * BATCH // 300)])
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


def decaying(weights):
    """PyTorch lets biases decay, and here they do not."""
    parts = ([one for one in weights if one.ndim == axes] for axes in (2, 1))
    groups = zip(parts, (0.01, 0.0), strict=True)
    return torch.optim.AdamW([{"params": part, "weight_decay": by} for part, by in groups])


PAIRS = {
    "SGD": (bp.SGD(0.1), lambda w: torch.optim.SGD(w, 0.1)),
    "momentum": (bp.SGD(0.1, 0.9), lambda w: torch.optim.SGD(w, 0.1, 0.9)),
    "Nesterov": (bp.SGD(0.1, 0.9, True), lambda w: torch.optim.SGD(w, 0.1, 0.9, nesterov=True)),
    "RMSProp": (bp.RMSProp(), torch.optim.RMSprop),
    "Adagrad": (bp.Adagrad(), torch.optim.Adagrad),
    "Adam": (bp.Adam(), torch.optim.Adam),
    "AdamW": (bp.AdamW(), decaying),
    "Adam, clipped": (bp.Adam(clip_norm=0.05), torch.optim.Adam),
}


@pytest.fixture(autouse=True, scope="module")
def cache_of_tests(tmp_path_factory):
    """Compiled code goes to a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def theirs(net, activation, optimizer, make):
    """The losses of PyTorch's steps, and the weights that they come to."""
    weights = {name: torch.tensor(one, requires_grad=True) for name, one in net.weights.items()}
    rule, losses = make(list(weights.values())), []
    for batch in ORDER.reshape(STEPS, BATCH):
        rule.zero_grad()
        Z = torch.tensor(X[batch]) @ weights["W1"] + weights["b1"]
        logits = ACTIVATIONS[activation](Z) @ weights["W2"] + weights["b2"]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(Y[batch]))
        loss.backward()
        if optimizer.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(list(weights.values()), optimizer.clip_norm)
        rule.step()
        losses.append(loss.item())
    return losses, {name: one.detach().numpy() for name, one in weights.items()}


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", PAIRS)
def test_losses_are_equal(kind, activation, backend):
    optimizer, make = PAIRS[kind]
    layers = [bp.Dense(8, activation), bp.Dense(3)]
    net = bp.Network(layers, inputs=6, optimizer=optimizer, dtype="float64", seed=1)
    wanted, weights = theirs(net, activation, optimizer, make)
    losses = []
    for batch in ORDER.reshape(STEPS, BATCH):
        losses += net.fit(
            X[batch], Y[batch], epochs=1, batch_size=BATCH, shuffle=False, backend=backend,
            progress=False,
        ).loss  # fmt: skip
    np.testing.assert_allclose(losses, wanted, rtol=1e-10, atol=0)
    for name, one in weights.items():
        np.testing.assert_allclose(net.weights[name], one, rtol=1e-9, atol=1e-12)


def test_a_batch_norm_trains_as_theirs():
    net = bp.Network(
        [bp.Dense(8), bp.BatchNorm("relu"), bp.Dense(3)], inputs=6, optimizer=bp.SGD(0.1, 0.9),
        dtype="float64", seed=1,
    )  # fmt: skip
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    ).double()
    model.load_state_dict({name: torch.tensor(one) for name, one in net.to_state_dict().items()})
    rule, wanted, losses = torch.optim.SGD(model.parameters(), 0.1, 0.9), [], []
    for batch in ORDER.reshape(STEPS, BATCH):
        rule.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            model(torch.tensor(X[batch])), torch.tensor(Y[batch])
        )
        loss.backward()
        rule.step()
        wanted.append(loss.item())
        losses += net.fit(X[batch], Y[batch], epochs=1, batch_size=BATCH, shuffle=False,
                          progress=False).loss  # fmt: skip
    np.testing.assert_allclose(losses, wanted, rtol=1e-10, atol=0)
    found, kept = net.to_state_dict(), model.state_dict()
    np.testing.assert_allclose(found["1.running_mean"], kept["1.running_mean"], rtol=1e-9)
    unbiased = kept["1.running_var"].numpy()  # PyTorch divides by n − 1, from a first value of 1
    first = 0.9**STEPS
    np.testing.assert_allclose(
        (found["1.running_var"] - first) * BATCH / (BATCH - 1), unbiased - first, rtol=1e-9
    )
