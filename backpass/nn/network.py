"""A network that is a derivation: what it prints is what trains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.language.errors import BackpassError, UnknownName, nearest
from backpass.nn import checkpoint, samples
from backpass.nn.architecture import (
    Architecture,
    Bias,
    Convention,
    forward_only,
    refuse_too_many,
)
from backpass.nn.backends import backend_for
from backpass.nn.health import Health, health
from backpass.nn.history import History
from backpass.nn.init import initialiser
from backpass.nn.judge import answers, classes, explained
from backpass.nn.layers import Dense, is_count
from backpass.nn.optim import Optimizer, first_state, updated, with_updates
from backpass.nn.optimizers import OPTIMIZERS, SGD
from backpass.nn.run import Run
from backpass.nn.train import Task, train
from backpass.running.epoch import Answers, Arrays, Backend, Stepping
from backpass.running.runner import Runner, compile_numpy

DTYPES = ("float32", "float64")
FORMATS = 1, 2  # of saved networks; the last is written, with a checksum, and all are read


class Network:
    """Dense layers, trained by the backward pass that `derivation()` shows.

        net = bp.Network([bp.Dense(64, "relu"), bp.Dense(10)], inputs=64)
        net.fit(X, y, epochs=20)
        net.predict_class(X_new)

    Parameters
    ----------
    layers : a `bp.Dense(units, activation)` each; the last one's units are the outputs
    inputs : the width of a sample
    loss : a name of `backpass.nn.losses.LOSSES`, or a formula such as "½ Σ (output − target)²"
    optimizer : an update rule, such as `bp.SGD(0.1)`
    bias : "separate" (b1, b2 …), "augmented" (a column of ones before every layer, never trained;
        the last row of W weighs it), or None
    init : a name of `backpass.nn.init.INITIALISERS`; biases start at zero
    convention : "rows", X is n×inputs and W in×out, or "columns", X is inputs×n and W out×in
    dtype : "float32" or "float64", of weights, data and everything between
    seed : of the first weights and of the shuffling; the same seed gives the same network

    `weights` maps W1, b1, W2 … to arrays. Raises an error of the family `BackpassError` for
    whatever does not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Dense],
        inputs: int,
        loss: str = "cross_entropy",
        optimizer: Optimizer | None = None,
        bias: Bias = "separate",
        init: str = "glorot",
        convention: Convention = "rows",
        dtype: Literal["float32", "float64"] = "float32",
        seed: int = 0,
    ) -> None:
        self.architecture = Architecture(tuple(layers), inputs, loss, bias, convention)
        self.optimizer = SGD() if optimizer is None else optimizer
        if not isinstance(self.optimizer, Optimizer):
            raise BackpassError(f"{optimizer!r} is no optimizer; write bp.SGD(0.1)")
        self.dtype = str(dtype)
        if self.dtype not in DTYPES:
            known = " and ".join(DTYPES)
            hint = nearest(self.dtype, DTYPES) or f"; there are {known}"
            raise UnknownName(f"dtype={dtype!r} is not known{hint}")
        if not is_count(seed) and (seed != 0 or isinstance(seed, bool)):
            raise BackpassError(f"seed={seed!r} is none; give a whole number from 0 on")
        self.seed = int(seed)
        self.init = init
        initialiser(init)
        self.random = np.random.default_rng(seed)
        refuse_too_many(self.architecture)
        self.weights: Arrays = self.architecture.draw(init, self.random, self.dtype)
        self.state: Arrays = first_state(self.optimizer, self.weights, self.dtype)
        self._derived: dict[bool, Derivation] = {}
        self.epochs = self.steps = 0  # that it was trained for
        self._runs: tuple[Derivation, Any, Backend] | None = None
        self._forward: tuple[Derivation, Runner] | None = None
        self._gradients: tuple[Derivation, Runner] | None = None

    def derivation(self, shares: bool = False) -> Derivation:
        """The forward and backward pass that `fit` runs.

        Targets of a cross-entropy are integer labels; with `shares` they are shares (or ones and
        zeros) for every class, which `fit` takes too.
        """
        if shares not in self._derived:
            self._derived[shares] = self.architecture.derive(shares)
        return self._derived[shares]

    def fit(
        self,
        X: Any,
        y: Any,
        epochs: int = 20,
        batch_size: int = 32,
        shuffle: bool = True,
        backend: str = "auto",
        progress: bool = True,
    ) -> History:
        """Train on samples X with targets y, and tell how it went.

        X and y stand as the `convention` says; one sample is a vector. Integer labels (n,) or
        shares for each class are the targets of a cross-entropy, an array of the outputs' shape
        that of every other loss. A `batch_size` above the number of samples takes all of them;
        the last batch of an epoch may be smaller. Fitting again goes on from here. `backend`
        runs the steps, one of `backpass.nn.backends.BACKENDS`; "auto" chooses by the problem.

        Warns (RuntimeWarning) when the loss is not finite, and stops there, and when it does not
        fall. Raises an error of the family `BackpassError` for data that do not fit, before any
        weight changes.
        """
        for name, value in (("epochs", epochs), ("batch_size", batch_size)):
            if not is_count(value):
                raise BackpassError(f"{name}={value!r} is none; give a whole number from 1 on")
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        samples.refuse_one_class(goal, self.architecture)
        axis, derivation = self._samples_axis, self._derivation_for(goal)
        stepping = self._stepping(derivation, answers(goal, self.architecture.loss, axis), goal)
        numbers = self.optimizer.numbers
        task = Task(
            backend=self._backend(derivation, stepping, backend),
            samples={"X": given.X, "y": goal},
            numbers={name: np.asarray(value, self.dtype) for name, value in numbers.items()},
            axis=axis,
            sums=self.architecture.loss.sums,
            seed=self.seed,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            progress=progress,
        )
        arrays = {name: one.copy() for name, one in {**self.weights, **self.state}.items()}
        run = Run(arrays, self.random.bit_generator.state, epochs=self.epochs, steps=self.steps)
        try:
            return train(task, run)
        finally:  # an interrupted training keeps what it has learnt
            self.weights = {name: run.arrays[name] for name in self.weights}
            self.state = {name: run.arrays[name] for name in self.state}
            self.random.bit_generator.state = run.random
            self.epochs, self.steps = run.epochs, run.steps

    def predict(self, X: Any) -> NDArray[Any]:
        """The outputs, which are what the loss takes: logits for a cross-entropy.

        One sample (a vector) gives a vector, a batch a matrix in the network's convention.
        """
        given = samples.inputs(X, self.architecture, self.dtype)
        found = self._outputs(given)
        return found.ravel() if given.single else found

    def _outputs(self, given: samples.Samples) -> NDArray[Any]:
        derivation = self.derivation()
        if self._forward is None or self._forward[0] is not derivation:
            program = forward_only(derivation, self.architecture.output(derivation))
            self._forward = derivation, compile_numpy(program, name="predict")
        return self._forward[1]({"X": given.X, **self.weights})

    def predict_class(self, X: Any) -> NDArray[np.int64]:
        """The class of each sample: the largest output, or for a single output 0 or 1.

        A single output says 1 above ½, and as a logit of `binary_cross_entropy` above 0.
        """
        found = self.predict(X)
        if found.ndim == 1:
            return classes(found[None, :], self.architecture.loss, 0)[0]
        return classes(found, self.architecture.loss, self._samples_axis)

    def score(self, X: Any, y: Any) -> float:
        """How good the outputs are: the share of samples whose class is right, or R².

        Classes are counted wherever `fit` counts them: for labels, shares, and targets of ones
        and zeros. All other targets are numbers, and R² is the share of their variance that is
        explained (averaged over several outputs): 1 is perfect, 0 as good as their mean.
        """
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        outputs, axis = self._outputs(given), self._samples_axis
        right = answers(goal, self.architecture.loss, axis)
        if right is None:
            return explained(outputs, goal, axis)
        return right.count(outputs, goal) / given.X.shape[axis]

    def gradients(self, X: Any, y: Any) -> tuple[float, Arrays]:
        """The loss of these samples, and its gradient with respect to W1, b1 and so on."""
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        derivation = self._derivation_for(goal)
        program = derivation.program
        if self._gradients is None or self._gradients[0] is not derivation:
            self._gradients = derivation, compile_numpy(program, name="gradients")
        loss, *found = self._gradients[1]({"X": given.X, "y": goal, **self.weights})
        gradients = dict(zip(derivation.gradients, found, strict=True))
        return float(loss), {name: gradients[name] for name in self.weights}

    def quantities(self, X: Any, y: Any) -> Arrays:
        """Every quantity of a step on these samples, by its name in `derivation()`.

        X, y and the weights; Z1, A1 and so on, the loss; their gradients dZ1, dW1; and what the
        optimiser would make of the weights, W1′. Nothing changes.
        """
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        stepping = self._stepping(self._derivation_for(goal), None, goal)
        names = tuple(step.name for step in stepping.program.steps)
        run = compile_numpy(replace(stepping.program, outputs=names), name="quantities")
        numbers = {
            name: np.asarray(value, self.dtype) for name, value in self.optimizer.numbers.items()
        }
        inputs = {"X": given.X, "y": goal, **self.weights, **self.state, **numbers}
        return {**inputs, **dict(zip(names, run(inputs), strict=True))}

    def health(self, X: Any, y: Any, *, by_heart: bool = True) -> Health:
        """How the network is doing on these samples: dead units, gradients by layer, its steps.

        Print it to read it; it is true where nothing conspicuous was found. See `nn/health.py`.
        """
        return health(self, X, y, by_heart=by_heart)

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, with all that training needs to go on.

        Raises BackpassError when the file cannot be written; then nothing is left behind.
        """
        checkpoint.write(path, *self.stored())

    def stored(self) -> tuple[Arrays, dict[str, Any]]:
        """The arrays of a saved network, and the description beside them."""
        name = type(self.optimizer).__name__
        if OPTIMIZERS.get(name) is not type(self.optimizer):
            raise BackpassError(f"{name} is an optimizer of your own, and a file cannot hold it")
        plan = self.architecture
        about = {
            "format": FORMATS[-1],
            "layers": [[int(layer.units), layer.activation] for layer in plan.layers],
            "inputs": int(plan.inputs),
            "loss": plan.loss_text,
            "optimizer": [name, asdict(self.optimizer)],
            "bias": plan.bias,
            "init": self.init,
            "convention": plan.convention,
            "dtype": self.dtype,
            "seed": self.seed,
            "random": self.random.bit_generator.state,
            "epochs": self.epochs,
            "steps": self.steps,
        }
        return {**self.weights, **self.state}, about

    @property
    def _samples_axis(self) -> int:
        return 0 if self.architecture.convention == "rows" else 1

    def _derivation_for(self, goal: NDArray[Any]) -> Derivation:
        """The derivation that takes targets like these."""
        classes = self.architecture.loss.targets == "classes"
        return self.derivation(classes and goal.ndim > 1)

    def _stepping(
        self, derivation: Derivation, right: Answers | None, goal: NDArray[Any]
    ) -> Stepping:
        """Forward, backward and update as one program, and the part of each of its arrays."""
        axis = self._samples_axis
        shown = (derivation.loss, self.architecture.output(derivation))
        return Stepping(
            with_updates(derivation.program, derivation.gradients, self.optimizer, shown),
            changed=tuple(updated(self.optimizer, derivation.gradients)),
            axes={"X": axis, "y": axis if goal.ndim > 1 else 0},
            numbers=tuple(self.optimizer.numbers),
            answers=right,
        )

    def _backend(self, derivation: Derivation, stepping: Stepping, wanted: str) -> Backend:
        """What runs these steps; made once for the trainings that are alike."""
        key = stepping.answers, stepping.axes, wanted
        if self._runs is None or self._runs[0] is not derivation or self._runs[1] != key:
            self._runs = derivation, key, backend_for(stepping, wanted)
        return self._runs[2]

    def __str__(self) -> str:
        plan = self.architecture
        layers = [f"{layer.units} {layer.activation}" for layer in plan.layers]
        count = sum(values.size for values in self.weights.values())
        rule = str(self.optimizer).partition("\n")[0]
        path = " → ".join([str(plan.inputs), *layers])
        return f"{path}, {plan.loss_text}, {rule}, {count:,} weights"

    def __repr__(self) -> str:
        return f"<Network {self}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows of a cell whose value this is: the network, and its passes."""
        passes = self.derivation()._repr_mimebundle_()["text/html"]
        return {"text/plain": repr(self), "text/html": f"<p>{escape(str(self))}</p>\n{passes}"}


def load(path: str | Path) -> Network:
    """The network that `net.save` wrote, ready to predict and to be trained on.

    A model of `backpass train` is such a file, too. Its network takes inputs that are scaled
    already; `backpass.nn.model.load_model` gives the whole model, which takes tables.

    Raises BackpassError for a file that is missing, damaged or of another kind.
    """
    return restored(path, *checkpoint.read(path))


def restored(path: str | Path, arrays: Arrays, about: dict[str, Any]) -> Network:
    """The network of a file that has been read."""
    try:
        if about["format"] not in FORMATS:
            raise BackpassError(
                f"{path} has format {about['format']}, and this backpass reads up to "
                f"{FORMATS[-1]}; load it with the version that wrote it"
            )
        name, numbers = about["optimizer"]
        net = Network(
            [Dense(units, activation) for units, activation in about["layers"]],
            about["inputs"], about["loss"], OPTIMIZERS[name](**numbers), about["bias"],
            about["init"], about["convention"], about["dtype"], about["seed"],
        )  # fmt: skip
        net.random.bit_generator.state = about["random"]
        net.epochs, net.steps = int(about.get("epochs", 0)), int(about.get("steps", 0))
    except (ArithmeticError, KeyError, MemoryError, TypeError, ValueError) as error:
        raise BackpassError(
            f"{path} does not describe a network as net.save does ({error!r})"
        ) from error
    for store in (net.weights, net.state):
        for one, values in store.items():
            found = arrays.get(one)
            if found is None or found.shape != values.shape or found.dtype != values.dtype:
                raise BackpassError(
                    f"{path} does not hold {one} as its layers need it; save the network again"
                )
            store[one] = found
    return net
