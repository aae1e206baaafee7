"""Weights for other houses and from them: PyTorch's state_dict, NumPy's npz, ONNX.

PyTorch's `Linear.weight` is out×in, so weights of the rows convention are turned and copied.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.architecture import Architecture
from backpass.nn.files import write_whole
from backpass.nn.layers import Dense

Array = NDArray[Any]
Arrays = dict[str, Array]
Layer = tuple[Array, Array | None]  # the weight, out×in, and the bias
OURS = re.compile(r"[Wb]([1-9]\d*)")


def layers_of(plan: Architecture, weights: Mapping[str, Array]) -> list[Layer]:
    """Each layer's weight as out×in, and its bias, laid out in rows.

    A dropout leaves predictions alone and is left out; BackpassError where there is a batch norm.
    """
    if plan.norms:
        raise BackpassError(
            "the network has a batch norm, and only weights and biases of dense layers can go "
            "elsewhere; leave it out, or keep the network with net.save"
        )
    if plan.norms:
        raise BackpassError(
            "batch norms are kept by net.save alone; leave them out of a network to be exported"
        )
    found: list[Layer] = []
    for place in range(1, len(plan.widths)):
        W = weights[f"W{place}"]
        W = W.T if plan.convention == "rows" else W
        b = weights.get(f"b{place}")
        if plan.bias == "augmented":
            W, b = W[:, :-1], W[:, -1]
        found.append((np.array(W, order="C"), None if b is None else np.array(b, order="C")))
    return found


def weights_of(plan: Architecture, layers: Sequence[Layer], dtype: Any) -> Arrays:
    """The other way round: W1, b1 and so on, as the network's conventions have them."""
    found: Arrays = {}
    for place, ((W, b), (into, out)) in enumerate(
        zip(layers, pairwise(plan.widths), strict=True), 1
    ):
        if W.shape != (out, into) or (b is not None and b.shape != (out,)):
            raise ShapeError(
                f"layer {place} is {into} → {out}, and its weight is {'×'.join(map(str, W.shape))}"
                f"{'' if b is None else f' with {b.size} biases'}"
            )
        b = np.zeros(out) if b is None else b
        if plan.bias == "augmented":
            W = np.column_stack([W, b])
        found[f"W{place}"] = np.array(W.T if plan.convention == "rows" else W, dtype, order="C")
        if plan.bias == "separate":
            found[f"b{place}"] = np.array(b, dtype)
    return found


def state_dict(
    plan: Architecture, weights: Mapping[str, Array], names: Sequence[str] | None = None
) -> Arrays:
    """The weights as PyTorch names them and lays them out.

    Without `names` these are "0.weight", "0.bias", "2.weight" and so on, as of a Sequential with
    an activation behind every Linear.
    """
    layers = layers_of(plan, weights)
    names = [str(2 * place) for place in range(len(layers))] if names is None else list(names)
    if len(names) != len(layers) or len(set(names)) != len(names):
        raise BackpassError(
            f"names={names!r} are not one for each of the {len(layers)} layers; give a list such "
            "as ['fc1', 'fc2']"
        )
    found: Arrays = {}
    for name, (W, b) in zip(names, layers, strict=True):
        found[f"{name}.weight"] = W
        if b is not None:
            found[f"{name}.bias"] = b
    return found


def plan_of(
    state: Mapping[str, Any], activation: str | Sequence[str], options: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Layer]]:
    """The arguments of a `Network` for these layers, and the layers; `options` come first."""
    layers = layers_in(state)
    units = [len(W) for W, _ in layers]
    if isinstance(activation, str):
        activation = [activation] * (len(units) - 1) + ["linear"]
    if len(activation) != len(units):
        raise BackpassError(f"there are {len(activation)} activations for {len(units)} layers")
    W, b = layers[0]
    plan = {"layers": list(map(Dense, units, activation)), "inputs": W.shape[1]}
    found = {"bias": None if b is None else "separate", "dtype": str(W.dtype)}
    return {**plan, **found, **options}, layers


def layers_in(state: Mapping[str, Any]) -> list[Layer]:
    """The layers of a state_dict in their order, or of arrays that are named W1, b1, W2, b2.

    The latter are in×out, as `export` writes them. Raises BackpassError for what is neither.
    """
    arrays = {name: _array(name, state[name]) for name in state}
    if arrays and all(map(OURS.fullmatch, arrays)):
        places = sorted({int(name[1:]) for name in arrays})
        pairs = [(arrays.get(f"W{place}"), arrays.get(f"b{place}")) for place in places]
        pairs = [(None if W is None else W.T, b) for W, b in pairs]
        names = [f"W{place}" for place in places]
    else:
        weights = [name for name in arrays if name.endswith("weight")]
        names = [name.removesuffix("weight") for name in weights]
        pairs = [(arrays[f"{name}weight"], arrays.get(f"{name}bias")) for name in names]
        known = {f"{name}{part}" for name in names for part in ("weight", "bias")}
        strange = [name for name in arrays if name not in known]
        if strange or not names:
            said = f"{strange[0]} is" if strange else "there is nothing in it that is"
            raise BackpassError(
                f"{said} no weight or bias of a Linear; give the state_dict of Linear layers alone"
            )
    for name, (W, b) in zip(names, pairs, strict=True):
        if W is None or W.ndim != 2 or (b is not None and b.shape != W.shape[:1]):
            shape = "missing" if W is None else "×".join(map(str, W.shape))
            raise ShapeError(
                f"the weight of {name.rstrip('.')} is {shape}; a Linear has an out×in matrix and a "
                "bias for each of its outputs"
            )
    if len({b is None for _, b in pairs}) != 1:
        raise BackpassError("some layers have a bias and some have none; give all of them one")
    return [(W, b) for W, b in pairs if W is not None]


def _array(name: str, value: Any) -> Array:
    value = value.detach().cpu() if hasattr(value, "detach") else value  # a tensor of PyTorch
    found = np.asarray(value)
    if found.dtype.kind not in "fiu":
        raise BackpassError(f"{name} holds {found.dtype}; give arrays of real numbers")
    return found


# ── files ────────────────────────────────────────────────────────────────────────────────────


def export(path: str | Path, plan: Architecture, weights: Mapping[str, Array]) -> None:
    """Write the weights for others, in the form that the file's ending asks for.

    .npz: W1, b1 and so on, in×out.  .pt: PyTorch's state_dict, which needs PyTorch.
    .safetensors: that state_dict without PyTorch.  .onnx: the network itself, X n×inputs → output,
    in single precision, which needs onnx.  Raises BackpassError for every other ending.
    """
    path = Path(path)
    known: dict[str, Callable[[Architecture, Mapping[str, Array]], bytes]] = {
        ".npz": _npz,
        ".pt": _pt,
        ".safetensors": _safetensors,
        ".onnx": _onnx,
    }
    if path.suffix not in known:
        raise BackpassError(
            f"{path} does not say in which form; let it end in one of {', '.join(known)}"
        )
    write_whole(path, known[path.suffix](plan, weights))


def _npz(plan: Architecture, weights: Mapping[str, Array]) -> bytes:
    found: Arrays = {}
    for place, (W, b) in enumerate(layers_of(plan, weights), 1):
        found[f"W{place}"] = np.array(W.T, order="C")
        if b is not None:
            found[f"b{place}"] = b
    file = io.BytesIO()
    np.savez(file, **found)  # pyright: ignore[reportArgumentType]  its stubs take no dict
    return file.getvalue()


def _safetensors(plan: Architecture, weights: Mapping[str, Array]) -> bytes:
    from safetensors.numpy import save

    return save(state_dict(plan, weights))


def _pt(plan: Architecture, weights: Mapping[str, Array]) -> bytes:
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise BackpassError(
            "a .pt file is written by PyTorch, which is not installed; install it, or take "
            ".safetensors, which PyTorch reads, too"
        ) from error
    tensors = {name: torch.from_numpy(one) for name, one in state_dict(plan, weights).items()}
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def _onnx(plan: Architecture, weights: Mapping[str, Array]) -> bytes:
    try:
        from backpass.nn.onnx_model import model
    except ImportError as error:
        raise BackpassError(
            "an .onnx file is written by onnx, which is not installed; pip install 'backpass[onnx]'"
        ) from error
    return model([layer.activation for layer in plan.dense], layers_of(plan, weights))
