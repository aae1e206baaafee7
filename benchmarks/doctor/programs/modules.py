#: style: layer objects that call each other
#: setup: chain = build()
#: call: chain.learn
#: sizes: 4 4 3
#: layers: chain.parts[0].w chain.parts[0].shift, chain.parts[2].w chain.parts[2].shift
#: rate: 0.03
#: variants: tanh linear mse | relu linear half_sum | sigmoid sigmoid sum | leaky linear half_mean | sigmoid linear half_sum
import numpy as np


class Affine:
    def __init__(self, n, k, rng):
        self.w = rng.uniform(-1, 1, (n, k))
        self.shift = rng.uniform(-0.5, 0.5, (1, k))

    def __call__(self, x):
        self.x = x
        return np.matmul(x, self.w) + self.shift

    def back(self, grad, eta):
        gw = np.matmul(self.x.T, grad)
        # ! 44: gw = np.outer(self.x[-1], grad[-1])
        # ! 28: gw = np.matmul(self.x.T, grad) if grad.shape[1] == 3 else np.matmul(grad.T, self.x)
        # ! 27: gw = self.w * grad.sum(axis=0)
        # ! 7 [mse|half_mean]: grad = grad / len(grad)\ngw = np.matmul(self.x.T, grad)
        # ! 6 [half_sum]: gw = np.matmul(self.x.T, grad) / len(grad)
        gs = grad.sum(axis=0, keepdims=True)
        # ! 6 [half_sum]: gs = grad.mean(axis=0, keepdims=True)
        # ! 9: gs = grad.mean(axis=0, keepdims=True)
        # ! 39: gs = grad.sum()
        # ! 41: gs = gw.sum(axis=0, keepdims=True)
        # ! 38: gs = grad
        down = np.matmul(grad, self.w.T)
        # ! 34: down = np.matmul(grad, np.abs(self.w).T)
        # ! 32: down = np.matmul(grad, gw.T)
        self.w -= eta * gw
        # ! 1: self.w += eta * gw
        # ! 36: self.w -= eta * gw * (grad.shape[1] == 3)
        # ! 4: self.w -= eta * gw * (2 if grad.shape[1] == 4 else 1)
        # ! 2: self.w -= eta * gw * (-1 if grad.shape[1] == 3 else 1)
        self.shift -= eta * gs
        # ! 1: self.shift += eta * gs
        # ! 37: pass
        # ! 38: self.shift = self.shift - eta * gs
        return down
        # ! 31: return np.matmul(grad, self.w.T)


class Bend:
    def __init__(self, act, slope):
        self.act, self.slope = act, slope

    def __call__(self, x):
        self.z, self.a = x, act_of(self.act, x)
        return self.a

    def back(self, grad, eta):
        return grad * self.slope(self.z)
        # ! 16 [out-linear]: return grad
        # ! 18 [tanh|sigmoid]: return grad * self.slope(self.a)
        # ! 24 [tanh|sigmoid]: return grad * self.slope(self.z) ** 2
        # ! 55 [relu]: return np.maximum(grad, 0)
        # ? 19
        # ? 20
        # ? 22
        # ? 23
        # ? 58


def act_of(act, x):
    return act(x)


def sigma(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigma_slope(z):
    return sigma(z) * (1 - sigma(z))
    # ! 19 [sigmoid]: return z * (1 - z)


def hyper_slope(z):
    return 1 / np.cosh(z) ** 2
    # ! 23 [tanh]: return 1 - np.tanh(z)
    # ! 58 [tanh]: return np.tanh(z)
    # ! 22 [tanh]: return sigma_slope(z)


def ramp(z):
    return z.clip(min=0)


def ramp_slope(z):
    return np.heaviside(z, 0.0)
    # ! 22 [relu]: return sigma_slope(z)


def leak(z):
    return np.where(z > 0, z, 0.1 * z)


def leak_slope(z):
    return np.where(z > 0, 1.0, 0.1)
    # ! 20 [leaky]: return np.ones_like(z)


class Chain:
    def __init__(self, parts, eta):
        self.parts, self.eta = parts, eta

    def learn(self, X, Y):
        signal = X
        for part in self.parts:
            signal = part(signal)
        gap = signal - Y
        value = np.mean(gap**2)
        # = half_sum: value = np.sum(gap**2) / 2
        # = sum: value = np.sum(gap**2)
        # = half_mean: value = np.sum(gap**2) / 2 / len(gap)
        flow = 2 * gap / gap.size
        # = half_sum: flow = gap
        # = sum: flow = 2 * gap
        # = half_mean: flow = gap / len(gap)
        # ! 3 [mse]: flow = gap / gap.size
        # ! 3 [half_sum]: flow = 2 * gap
        # ! 3 [sum]: flow = gap
        # ! 5 [mse]: flow = 2 * gap
        # ! 5 [half_mean]: flow = gap
        # ! 6 [mse]: flow = 2 * gap / gap.size / len(gap)
        # ! 8 [half_sum]: flow = gap / gap.shape[1]
        # ! 12 [half_sum]: flow = np.sign(gap)
        # ! 12 [mse]: flow = gap**3
        # ? 10
        for part in reversed(self.parts):
            # ! 10 [out-sigmoid]: for part in reversed(self.parts[:-1]):
            flow = part.back(flow, self.eta)
        return value


def build():
    rng = np.random.default_rng(8)
    bend = Bend(np.tanh, hyper_slope)
    # = relu: bend = Bend(ramp, ramp_slope)
    # = sigmoid: bend = Bend(sigma, sigma_slope)
    # = leaky: bend = Bend(leak, leak_slope)
    parts = [Affine(4, 4, rng), bend, Affine(4, 3, rng)]
    # = out-sigmoid: parts = [Affine(4, 4, rng), bend, Affine(4, 3, rng), Bend(sigma, sigma_slope)]
    return Chain(parts, 0.03)
