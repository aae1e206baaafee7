#: style: float32 throughout
#: setup: f = Float()
#: call: f.fit_once
#: args: X.astype(np.float32), Y.astype(np.float32)
#: sizes: 3 6 2
#: layers: f.A f.a, f.B f.b
#: rate: 0.1
#: variants: relu linear mse | tanh linear mse
import numpy as np


class Float:
    def __init__(self):
        rng = np.random.default_rng(77)
        self.A = rng.standard_normal((3, 6), dtype=np.float32)
        self.a = rng.standard_normal(6, dtype=np.float32)
        self.B = rng.standard_normal((6, 2), dtype=np.float32)
        self.b = rng.standard_normal(2, dtype=np.float32)
        self.eta = np.float32(0.1)

    def fit_once(self, X, Y):
        Z = X @ self.A + self.a
        H = np.maximum(Z, np.float32(0))
        # = tanh: H = np.tanh(Z)
        out = H @ self.B + self.b
        err = out - Y
        mse = np.mean(err * err)
        dout = err * np.float32(2 / err.size)
        # ! 3: dout = err * np.float32(1 / err.size)
        dH = dout @ self.B.T
        dZ = np.where(Z > 0, dH, np.float32(0))
        # = tanh: dZ = dH * (1 - H * H)
        # ! 16: dZ = dH
        # ! 55 [relu]: dZ = np.where(dH > 0, dH, np.float32(0))
        self.B -= self.eta * (H.T @ dout)
        self.b -= self.eta * dout.sum(axis=0)
        self.A -= self.eta * (X.T @ dZ)
        # ! 36: pass
        self.a -= self.eta * dZ.sum(axis=0)
        # ! 36: pass
        return mse
