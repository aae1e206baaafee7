#: style: a dict of dicts, helper functions by layer name
#: setup: model = born()
#: call: revise
#: args: model, X, Y
#: sizes: 3 4 3
#: layers: model['hid']['kernel'] model['hid']['offset'], model['out']['kernel'] model['out']['offset']
#: rate: 0.1
#: variants: tanh softmax ce_mean | softplus linear half_mse
import numpy as np


def born():
    rng = np.random.default_rng(2024)
    shapes = {"hid": (3, 4), "out": (4, 3)}
    return {
        name: {"kernel": rng.normal(size=shape), "offset": rng.normal(size=shape[1])}
        for name, shape in shapes.items()
    }


def affine(part, x):
    return x @ part["kernel"] + part["offset"]


def slopes(x, d):
    return {"kernel": x.T @ d, "offset": d.sum(axis=0)}
    # ! 39: return {"kernel": x.T @ d, "offset": d.sum()}


def revise(model, X, Y):
    pre = affine(model["hid"], X)
    mid = np.tanh(pre)
    # = softplus: mid = np.logaddexp(pre, 0)
    raw = affine(model["out"], mid)
    out = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    # = out-linear: out = raw
    loss = -np.mean((Y * np.log(out)).sum(axis=1))
    # = half_mse: loss = np.mean((out - Y) ** 2) / 2
    d_out = (out - Y) / len(X)
    # = half_mse: d_out = (out - Y) / out.size
    # ! 3 [half_mse]: d_out = 2 * (out - Y) / out.size
    # ! 5 [ce_mean]: d_out = out - Y
    d_mid = d_out @ model["out"]["kernel"].T * (1 - mid**2)
    # = softplus: d_mid = d_out @ model["out"]["kernel"].T * (1 - np.exp(-mid))
    # ! 16: d_mid = d_out @ model["out"]["kernel"].T
    every = {"out": slopes(mid, d_out), "hid": slopes(X, d_mid)}
    for name, part in model.items():
        for key in part:
            part[key] = part[key] - 0.1 * every[name][key]
            # ! 1: part[key] = part[key] + 0.1 * every[name][key]
    return loss
