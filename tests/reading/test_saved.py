"""What `d.saved` prints: one line for a value, and one for the values of equal layers."""

from itertools import pairwise

import numpy as np

import backpass as bp


def network(X, Y, W):
    A = X
    for w in W:
        A = np.tanh(A @ w)
    return np.sum((A - Y) ** 2)


def kept(*sizes):
    weights = [f"{a} {b}" for a, b in pairwise(sizes)]
    shapes = {"X": f"n {sizes[0]}", "Y": f"n {sizes[-1]}", "W": weights}
    return str(bp.derive(network, shapes, wrt="W").saved)


def test_few_layers_are_told_one_by_one():
    assert (
        kept("i", "j", "k")
        == """\
the backward pass reads
  A1  n×j       for dW2, dZ1
  A2  n×k       for dA2, dZ2
  X   n×i       an input, for dW1
  Y   n×k       an input, for dA2
  W2  j×k       an input, for dA1
it never reads
  Z1  n×j       A1 tells the slope
  Z2  n×k       A2 tells the slope
numbers to keep: n×j + n×k"""
    )


def test_equal_layers_are_one_line_and_the_last_is_told_apart_for_what_it_serves():
    assert (
        kept(784, 512, 256, 128, 64, 10)
        == """\
the backward pass reads
  Aₗ  n×dₗ      for dWₗ₊₁, dZₗ (l = 1 … 4)
  A5  n×10      for dA5, dZ5
  X   n×784     an input, for dW1
  Y   n×10      an input, for dA5
  Wₗ  dₗ₋₁×dₗ   an input, for dAₗ₋₁ (l = 2 … 5)
it never reads
  Zₗ  n×dₗ      Aₗ tells the slope (l = 1 … 5)
numbers to keep: n×dₗ for l = 1 … 4, n×10
d₀ … d₅ = 784, 512, 256, 128, 64, 10"""
    )
