"""Weights for other houses and from them: PyTorch's state_dict, NumPy's npz, ONNX.

PyTorch's `Linear.weight` is out×in, so weights of the rows convention are turned and copied.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from string import digits
from typing import Any

import numpy as np

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.architecture import Architecture
from backpass.nn.files import write_whole
from backpass.nn.laid_out import PARTS, Array, Arrays, Linear, layers_of
from backpass.nn.layers import BatchNorm, Dense

OURS = re.compile(rf"(W|b|{'|'.join(PARTS)})([1-9]\d*)")
NORMED = "weight", "bias", "running_mean", "running_var"  # what PyTorch calls them
SEEN = "num_batches_tracked"  # which PyTorch keeps, and needs only to average without a momentum


def state_dict(
    plan: Architecture, arrays: Mapping[str, Array], names: Sequence[str] | None = None
) -> Arrays:
    """The weights as PyTorch names them and lays them out.

    Without `names` these are "0.weight", "0.bias", "2.weight" and so on, as of a Sequential with
    an activation behind every Linear, or behind its BatchNorm1d.
    """
    layers = layers_of(plan, arrays)
    modules = list(_modules(layers))
    names = [str(place) for place, _ in modules] if names is None else list(names)
    if len(names) != len(modules) or len(set(names)) != len(names):
        raise BackpassError(
            f"names={names!r} are not one for each of the {len(modules)} layers; give a list such "
            "as ['fc1', 'fc2']"
        )
    return {
        f"{name}.{part}": one
        for name, (_, parts) in zip(names, modules, strict=True)
        for part, one in parts.items()
    }


def _modules(layers: Sequence[Linear]) -> Iterator[tuple[int, Arrays]]:
    """What stands at which place of a Sequential: each Linear, and each BatchNorm1d."""
    place = 0
    for layer in layers:
        yield place, {"weight": layer.W} | ({} if layer.b is None else {"bias": layer.b})
        if layer.norm:
            place += 1
            yield place, {**dict(zip(NORMED, layer.norm, strict=True)), SEEN: np.array(0)}
        place += 2


def plan_of(
    state: Mapping[str, Any], activation: str | Sequence[str], options: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Linear]]:
    """The arguments of a `Network` for these layers, and the layers; `options` come first."""
    found = layers_in(state)
    if isinstance(activation, str):
        activation = [activation] * (len(found) - 1) + ["linear"]
    if len(activation) != len(found):
        raise BackpassError(f"there are {len(activation)} activations for {len(found)} layers")
    layers: list[Dense | BatchNorm] = []
    for layer, one in zip(found, activation, strict=True):
        units = len(layer.W)
        layers += [Dense(units), BatchNorm(one)] if layer.norm else [Dense(units, one)]
    W, b = found[0].W, found[0].b
    plan = {"layers": layers, "inputs": W.shape[1]}
    plan |= {"bias": None if b is None else "separate", "dtype": str(W.dtype)}
    return {**plan, **options}, found


def layers_in(state: Mapping[str, Any]) -> list[Linear]:
    """The layers of a state_dict in their order, or of arrays that are named W1, b1, W2, b2.

    The latter are in×out, as `export` writes them. Raises BackpassError for what is neither.
    """
    arrays = {name: _array(name, state[name]) for name in state}
    ours = bool(arrays) and all(map(OURS.fullmatch, arrays))
    modules = _numbered(arrays) if ours else _named(arrays)
    found: list[Linear] = []
    for name, parts in modules.items():
        W, b = parts.get("weight"), parts.get("bias")
        if NORMED[-1] in parts or NORMED[-2] in parts:
            if not found or found[-1].norm:
                raise BackpassError(
                    f"{name} is a batch norm that no Linear stands before; give each behind one"
                )
            found[-1] = Linear(found[-1].W, found[-1].b, _norm(name, parts, len(found[-1].W)))
            continue
        if W is None or W.ndim != 2 or (b is not None and b.shape != W.shape[:1]):
            shape = "missing" if W is None else "×".join(map(str, W.shape))
            raise ShapeError(
                f"the weight of {name} is {shape}; a Linear has an out×in matrix and a bias for "
                "each of its outputs"
            )
        found.append(Linear(W, b))
    if len({one.b is None for one in found}) != 1:
        raise BackpassError("some layers have a bias and some have none; give all of them one")
    return found


def _numbered(arrays: Arrays) -> dict[str, Arrays]:
    """Arrays named as ours are, put together as PyTorch would."""
    modules: dict[str, Arrays] = {}
    for place in sorted({int(match[2]) for name in arrays if (match := OURS.fullmatch(name))}):
        own = {part: arrays.get(f"{part}{place}") for part in ("W", "b", *PARTS)}
        W, b = own["W"], own["b"]
        linear = {"weight": None if W is None else W.T, "bias": b}
        modules[f"W{place}"] = {name: one for name, one in linear.items() if one is not None}
        norm = {name: own[part] for name, part in zip(NORMED, PARTS, strict=True)}
        if any(one is not None for one in norm.values()):
            norm = {name: one for name, one in norm.items() if one is not None}
            modules[f"the batch norm {place}"] = norm
    return modules


def _named(arrays: Arrays) -> dict[str, Arrays]:
    """The modules of PyTorch that these arrays belong to, in their order."""
    modules: dict[str, Arrays] = {}
    for name, one in arrays.items():
        module, _, part = name.rpartition(".")
        if part not in (*NORMED, SEEN):
            raise BackpassError(
                f"{name} is nothing of a Linear or a BatchNorm1d; give the state_dict of such "
                "layers alone"
            )
        modules.setdefault(module, {})[part] = one
    if not modules:
        raise BackpassError("there is nothing in it; give the state_dict of Linear layers")
    prefix, *others = {module.rstrip(digits) for module in modules}
    if not others and all(len(module) > len(prefix) for module in modules):
        # by number: a safetensors file holds them in an order of its own
        modules = dict(sorted(modules.items(), key=lambda one: int(one[0][len(prefix) :])))
    return modules


def _norm(name: str, parts: Arrays, units: int) -> tuple[Array, ...]:
    """Scale, shift, mean and variance; PyTorch leaves out the first two with affine=False."""
    given = {NORMED[0]: np.ones(units), NORMED[1]: np.zeros(units), **parts}
    missing = [part for part in NORMED if part not in given]
    wrong = [part for part in NORMED if part in given and given[part].shape != (units,)]
    if missing or wrong:
        said = f"no {missing[0]}" if missing else f"{given[wrong[0]].size} numbers as {wrong[0]}"
        raise ShapeError(f"{name} has {said}; a BatchNorm1d has one for each of {units} units")
    return tuple(given[part] for part in NORMED)


def _array(name: str, value: Any) -> Array:
    value = value.detach().cpu() if hasattr(value, "detach") else value  # a tensor of PyTorch
    found = np.asarray(value)
    if found.dtype.kind not in "fiu":
        raise BackpassError(f"{name} holds {found.dtype}; give arrays of real numbers")
    return found


# ── files ────────────────────────────────────────────────────────────────────────────────────


def export(path: str | Path, plan: Architecture, arrays: Mapping[str, Array]) -> None:
    """Write the network for others, in the form that the file's ending asks for.

    .npz: W1, b1 and so on, in×out, with γ1, β1, mean1 and var1 of a batch norm.  .pt: PyTorch's
    state_dict, which needs PyTorch.  .safetensors: that state_dict without PyTorch.  .onnx: the
    network itself, X n×inputs → output, in single precision, which needs onnx.  Raises
    BackpassError for every other ending.
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
    write_whole(path, known[path.suffix](plan, arrays))


def _npz(plan: Architecture, arrays: Mapping[str, Array]) -> bytes:
    found: Arrays = {}
    for place, layer in enumerate(layers_of(plan, arrays), 1):
        found[f"W{place}"] = np.array(layer.W.T, order="C")
        if layer.b is not None:
            found[f"b{place}"] = layer.b
        for part, one in zip(PARTS, layer.norm, strict=False):
            found[f"{part}{place}"] = one
    file = io.BytesIO()
    np.savez(file, **found)  # pyright: ignore[reportArgumentType]  its stubs take no dict
    return file.getvalue()


def _safetensors(plan: Architecture, arrays: Mapping[str, Array]) -> bytes:
    from safetensors.numpy import save

    return save(state_dict(plan, arrays))


def _pt(plan: Architecture, arrays: Mapping[str, Array]) -> bytes:
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise BackpassError(
            "a .pt file is written by PyTorch, which is not installed; install it, or take "
            ".safetensors, which PyTorch reads, too"
        ) from error
    tensors = {name: torch.from_numpy(one) for name, one in state_dict(plan, arrays).items()}
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def _onnx(plan: Architecture, arrays: Mapping[str, Array]) -> bytes:
    try:
        from backpass.nn.onnx_model import model
    except ImportError as error:
        raise BackpassError(
            "an .onnx file is written by onnx, which is not installed; pip install 'backpass[onnx]'"
        ) from error
    return model(plan, layers_of(plan, arrays))
