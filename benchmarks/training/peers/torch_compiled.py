"""PyTorch with `torch.compile` around the loss."""

from __future__ import annotations

import torch

from benchmarks.training.peers.torch_eager import Eager
from benchmarks.training.problems import Problem


def trainer(problem: Problem, optimizer: str) -> Eager:
    return Eager(problem, optimizer, torch.compile)
