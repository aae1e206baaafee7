#: style: linear regression, functions of a dict
#: setup: line = {"slope": np.ones((3, 2)) * [[0.1, 0.4]], "height": np.array([0.2, -0.1])}
#: call: regress
#: args: line, X, Y
#: sizes: 3 2
#: layers: line['slope'] line['height']
#: rate: 0.2
#: variants: tanh linear mse
import numpy as np


def predict(line, X):
    return X @ line["slope"] + line["height"]


def regress(line, X, Y, rate=0.2):
    residual = predict(line, X) - Y
    line["slope"] = line["slope"] - rate * 2 * X.T @ residual / residual.size
    # ! 2: line["slope"] = line["slope"] + rate * 2 * X.T @ residual / residual.size
    line["height"] = line["height"] - rate * 2 * residual.sum(axis=0) / residual.size
    # ! 9: line["height"] = line["height"] - rate * 2 * residual.mean(axis=0) / residual.size
    return np.mean(residual**2)
