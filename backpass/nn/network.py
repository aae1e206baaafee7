"""A network that is a derivation: what it prints is what trains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.nn import checkpoint as files
from backpass.nn import exchange, samples
from backpass.nn.architecture import (
    Architecture,
    Bias,
    Convention,
    forward_only,
    listed,
    refuse_too_many,
)
from backpass.nn.backends import Backends
from backpass.nn.callbacks import EarlyStopping, begin, called, end
from backpass.nn.descend import descent
from backpass.nn.fitting import Data, Options, prepare, watchers
from backpass.nn.health import Health, health
from backpass.nn.history import History
from backpass.nn.init import initialiser
from backpass.nn.judge import answers, classes, explained
from backpass.nn.keeping import keeper_for
from backpass.nn.laid_out import arrays_of
from backpass.nn.layers import Layer, is_count
from backpass.nn.optim import Optimizer, first_state
from backpass.nn.optimizers import SGD, stored_optimizer
from backpass.nn.rates import RangeTest, lr_range_test
from backpass.nn.run import Run
from backpass.nn.schedules import Place
from backpass.nn.step import described, judge, quantities, stepping
from backpass.nn.train import Task, train
from backpass.running.epoch import Arrays, Backend
from backpass.running.runner import Runner, compile_numpy

DTYPES = ("float32", "float64")
FORMAT = 2  # of saved networks


class Network:
    """Layers, trained by the backward pass that `derivation()` shows.

        net = bp.Network([bp.Dense(64, "relu"), bp.Dense(10)], inputs=64)
        net.fit(X, y, epochs=20)
        net.predict_class(X_new)

    Parameters
    ----------
    layers : `bp.Dense(units, activation)`, with `bp.Dropout` and `bp.BatchNorm` between them; the
        units of the last are the outputs
    inputs : the width of a sample
    loss : a name of `backpass.nn.losses.LOSSES`, or a formula such as "½ Σ (output − target)²"
    optimizer : an update rule, such as `bp.SGD(0.1)`
    bias : "separate" (b1, b2 …), "augmented" (a column of ones before every layer, never trained;
        the last row of W weighs it), or None
    init : a name of `backpass.nn.init.INITIALISERS`; biases start at zero
    convention : "rows", X is n×inputs and W in×out, or "columns", X is inputs×n and W out×in
    dtype : "float32" or "float64", of weights, data and everything between
    seed : of the first weights and of the shuffling; the same seed gives the same network
    l1, l2 : what l1·Σ|W| and ½·l2·ΣW² add to the loss of every batch; biases cost nothing

    `weights` maps W1, b1, W2 … to arrays. Raises an error of the family `BackpassError` for
    whatever does not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        inputs: int,
        loss: str = "cross_entropy",
        optimizer: Optimizer | None = None,
        bias: Bias = "separate",
        init: str = "glorot",
        convention: Convention = "rows",
        dtype: Literal["float32", "float64"] = "float32",
        seed: int = 0,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        self.architecture = Architecture(listed(layers), inputs, loss, bias, convention, l1, l2)
        self.optimizer = SGD() if optimizer is None else optimizer
        if not isinstance(self.optimizer, Optimizer):
            raise BackpassError(f"{optimizer!r} is no optimizer; write bp.SGD(0.1)")
        self.dtype = str(dtype)
        if self.dtype not in DTYPES:
            raise UnknownName(f"no dtype is {dtype!r}{choices(self.dtype, DTYPES, 'there are')}")
        if not is_count(seed) and (seed != 0 or isinstance(seed, bool)):
            raise BackpassError(f"seed={seed!r} is not valid; give a whole number from 0 on")
        self.seed = int(seed)
        self.init = init
        initialiser(init)
        self.random = np.random.default_rng(seed)
        refuse_too_many(self.architecture)
        self.weights: Arrays = self.architecture.draw(init, self.random, self.dtype)
        self.state: Arrays = first_state(self.optimizer, self.weights, self.dtype)
        self.state |= self.architecture.running(self.dtype)
        self._derived: dict[tuple[bool, bool, bool], Derivation] = {}
        self.epochs = self.steps = 0  # that it was trained for
        self.slowed = 1.0  # what an adaptive rate was divided by
        self.exclusive = False  # whether the classes of its targets excluded each other
        self._backends = Backends()
        self._runners: dict[str, tuple[Derivation, Runner]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle or a copy holds: all but derivations and machine code, made anew there."""
        return {**vars(self), "_derived": {}, "_backends": Backends(), "_runners": {}}

    def derivation(
        self, shares: bool = False, weighted: bool = False, training: bool = True
    ) -> Derivation:
        """The forward and backward pass that `fit` runs.

        Targets of a cross-entropy are integer labels, with `shares` a share for every class; with
        `weighted` each sample has a weight. Without `training` it is what predicts: nothing is
        dropped, and batch norms take what they kept.
        """
        plan = self.architecture
        key = shares, weighted, training or not (plan.drops or plan.norms)
        if key not in self._derived:
            self._derived[key] = plan.derive(*key)
        return self._derived[key]

    def fit(
        self,
        X: Any,
        y: Any,
        epochs: int = 20,
        batch_size: int = 32,
        shuffle: bool = True,
        backend: str = "auto",
        progress: bool = True,
        *,
        validation: float | tuple[Any, Any] | None = None,
        early_stopping: bool | int | EarlyStopping | None = None,
        callbacks: Sequence[Any] = (),
        log: str | Path | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        checkpoint: str | Path | None = None,
        every: int = 1,
        resume: bool = False,
    ) -> History:
        """Train on samples X with targets y, and tell how it went.

        X and y stand as the `convention` says; one sample is a vector. Integer labels (n,) or
        shares for each class are the targets of a cross-entropy, an array of the outputs' shape
        that of every other loss. The last batch of an epoch may be smaller than `batch_size`.
        Fitting again goes on from here. `backend` runs the steps, one of
        `backpass.nn.backends.BACKENDS`; "auto" chooses by the problem.

        validation : a share of the samples that is held out, or (X, y); judged after every epoch
        early_stopping : True, the epochs to wait for a better one, or a `bp.EarlyStopping`
        callbacks : functions of the history and the network; see `backpass.nn.callbacks`
        log : a file that gets a line of JSON for every epoch
        sample_weight : what each sample counts; the loss is the mean by these weights
        class_weight : what the samples of a class count, {class: weight}, or "balanced"
        checkpoint : a file that the training is kept in, written whole after `every` so many epochs
        resume : whether to go on from that file, where it is there, with the same data and options

        Warns (RuntimeWarning) when the loss is not finite, and stops there, and when it does not
        fall. Raises an error of the family `BackpassError` for data that do not fit, before any
        weight changes. An interrupted training keeps what it has learnt.
        """
        options = Options(
            epochs, batch_size, shuffle, backend, progress, validation, early_stopping,
            callbacks, log, sample_weight, class_weight, checkpoint, every, resume,
        )  # fmt: skip
        plan = self.architecture
        data = prepare(X, y, options, plan, self.dtype, self.seed)
        derivation = self._derivation_for(data.y, data.weight is not None, training=True)
        right = answers(data.y, plan.loss, plan.axis)
        self.exclusive = right is not None and right.kind == "largest"
        arrays = {name: one.copy() for name, one in {**self.weights, **self.state}.items()}
        run = Run(arrays, self.random.bit_generator.state, epochs=self.epochs, steps=self.steps,
                  slowed=self.slowed)  # fmt: skip
        keeper = keeper_for(options, data, self.stored()) if checkpoint else None
        if keeper is not None:
            run = keeper.begin(resume) or run
            self._take(run)
        told = called(options.callbacks, self)

        def after(run: Run) -> str | None:
            self._take(run)
            return told(run.history)

        task = Task(
            backend=self._backend(derivation, data, options, run.history.backend or backend),
            samples=data.samples(),
            optimizer=self.optimizer,
            numbers={name: np.asarray(one, self.dtype) for name, one in plan.penalties.items()},
            axis=plan.axis,
            sums=plan.loss.sums,
            seed=self.seed,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            progress=progress,
            weight=data.weight,
            judge=data.held and judge(plan, self._derivation_for(data.held[1]), *data.held, right),
            stopping=options.stopping,
            descend=descent(self.optimizer, plan, derivation, right),
            after=watchers(options, run, after),
            keep=None if keeper is None else keeper.after,
        )
        for one in begin(options.callbacks):
            one(self)
        try:
            train(task, run)
            if keeper is not None:
                keeper.end(run)
            return run.history
        except KeyboardInterrupt as error:
            if keeper is not None:
                keeper.interrupted(error)
            raise
        finally:  # an interrupted training keeps what it has learnt
            self._take(run)
            for one in end(options.callbacks):
                one(run.history, self)

    def _take(self, run: Run) -> None:
        """Stand where a training stands."""
        self.weights = {name: run.arrays[name] for name in self.weights}
        self.state = {name: run.arrays[name] for name in self.state}
        self.random.bit_generator.state = run.random
        self.epochs, self.steps, self.slowed = run.epochs, run.steps, run.slowed

    def predict(self, X: Any) -> NDArray[Any]:
        """The outputs as the loss takes them: logits for a cross-entropy. A vector for a vector."""
        given = samples.inputs(X, self.architecture, self.dtype)
        found = self._outputs(given)
        return found.ravel() if given.single else found

    def _outputs(self, given: samples.Samples) -> NDArray[Any]:
        derivation = self.derivation(training=False)
        if self._runners.get("predict", (None,))[0] is not derivation:
            program = forward_only(derivation, self.architecture.output(derivation))
            self._runners["predict"] = derivation, compile_numpy(program, name="predict")
        return self._runners["predict"][1]({"X": given.X, **self.weights, **self.state})

    def predict_class(self, X: Any) -> NDArray[np.int64]:
        """The class of each sample: the largest output, or for a single output 0 or 1.

        It says 1 above ½, and as a logit of `binary_cross_entropy` above 0. Several outputs of that
        loss say so each, if the targets of its training were not a one among zeros.
        """
        found, plan = self.predict(X), self.architecture
        if found.ndim == 1:
            return classes(found[None, :], plan.loss, 0, self.exclusive)[0]
        return classes(found, plan.loss, plan.axis, self.exclusive)

    def score(self, X: Any, y: Any) -> float:
        """How good the outputs are: the share of samples whose class is right, or R².

        Classes are counted for labels, shares, and targets of ones and zeros, as `fit` does. Of
        other targets, R² is the share of their variance that is explained (averaged over several
        outputs): 1 is perfect, 0 as good as their mean.
        """
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        outputs, axis = self._outputs(given), self.architecture.axis
        right = answers(goal, self.architecture.loss, axis)
        if right is None:
            return explained(outputs, goal, axis)
        return right.count(outputs, goal) / given.X.shape[axis]

    def gradients(self, X: Any, y: Any) -> tuple[float, Arrays]:
        """The loss of these samples, and its gradient with respect to W1, b1 and so on."""
        given = samples.inputs(X, self.architecture, self.dtype)
        goal = samples.targets(y, given, self.architecture, self.dtype)
        derivation = self._derivation_for(goal)
        if self._runners.get("gradients", (None,))[0] is not derivation:
            run = compile_numpy(derivation.program, name="gradients")
            self._runners["gradients"] = derivation, run
        loss, *found = self._runners["gradients"][1](
            {"X": given.X, "y": goal, **self.architecture.penalties, **self.weights, **self.state}
        )
        gradients = dict(zip(derivation.gradients, found, strict=True))
        return float(loss), {name: gradients[name] for name in self.weights}

    def quantities(self, X: Any, y: Any) -> Arrays:
        """Every quantity of a step on these samples, by its name in `derivation()`.

        X, y, the weights; Z1, A1, the loss; dZ1, dW1; and the next weights W1′. Nothing changes.
        """
        plan = self.architecture
        given = samples.inputs(X, plan, self.dtype)
        found = {"X": given.X, "y": samples.targets(y, given, plan, self.dtype)}
        derivation = self._derivation_for(found["y"], training=True)
        one = stepping(plan, derivation, self.optimizer, None, found)
        place = Place(self.epochs, 0, 1, 1, given.X.shape[plan.axis], self.slowed)
        known = {**found, **plan.penalties, **self.weights, **self.state}
        return quantities(one, self.optimizer, place, known)

    def health(self, X: Any, y: Any, *, by_heart: bool = True) -> Health:
        """How the network is doing on these samples: print it, and see `nn/health.py`."""
        return health(self, X, y, by_heart=by_heart)

    def lr_range_test(
        self, X: Any, y: Any, low: float = 1e-5, high: float = 10.0, steps: int = 200,
        batch_size: int = 32,
    ) -> RangeTest:  # fmt: skip
        """Which learning rates could train this network: print it, and see `nn/rates.py`."""
        return lr_range_test(self, X, y, low, high, steps, batch_size)

    def plan(self) -> str:
        """How the last fit ran its steps: its products, loops and memory, or NumPy source."""
        return last.plan() if (last := self._backends.last) else "no plan yet: fit makes it"

    def to_state_dict(self, names: Sequence[str] | None = None) -> Arrays:
        """The weights as PyTorch names them and lays them out, out×in, for `load_state_dict`.

        Without `names` of the layers they are those of an nn.Sequential, "0.weight", "0.bias",
        "2.weight" …, with an activation behind every Linear, or behind its BatchNorm1d.
        """
        return exchange.state_dict(self.architecture, {**self.weights, **self.state}, names)

    @classmethod
    def from_state_dict(
        cls, state: Mapping[str, Any], activation: str | Sequence[str], **options: Any
    ) -> Network:
        """Make a network of PyTorch's Linear and BatchNorm1d layers, or of arrays W1, b1, W2, b2.

        `activation` is that of all layers but the last, or a list with one for each layer;
        `options` are those of `Network`. W1 and so on are in×out, as `export` writes them.
        """
        plan, layers = exchange.plan_of(state, activation, options)
        net = cls(**plan)
        found = arrays_of(net.architecture, layers, net.dtype)
        for store in (net.weights, net.state):
            store |= {name: found[name] for name in store if name in found}
        return net

    def export(self, path: str | Path) -> None:
        """Write the weights for others, .npz, .pt, .safetensors or .onnx; see `nn/exchange.py`."""
        exchange.export(path, self.architecture, {**self.weights, **self.state})

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, with all that training needs, or nothing."""
        files.write(path, *self.stored())

    def stored(self) -> tuple[Arrays, dict[str, Any]]:
        """The arrays of a saved network, and the description beside them."""
        about = {
            "format": FORMAT,
            **self.architecture.described,
            "optimizer": stored_optimizer(self.optimizer),
            "init": self.init,
            "dtype": self.dtype,
            "seed": self.seed,
            "random": self.random.bit_generator.state,
            "epochs": self.epochs,
            "steps": self.steps,
            "slowed": self.slowed,
            "exclusive": self.exclusive,
        }
        return {**self.weights, **self.state}, about

    def _derivation_for(
        self, goal: NDArray[Any], weighted: bool = False, training: bool = False
    ) -> Derivation:
        """The derivation that takes targets like these."""
        shares = self.architecture.loss.targets == "classes" and goal.ndim > 1
        return self.derivation(shares, weighted, training)

    def _backend(
        self, derivation: Derivation, data: Data, options: Options, wanted: str
    ) -> Backend:
        """What runs the steps; made once for the trainings that are alike."""
        plan = self.architecture
        right = answers(data.y, plan.loss, plan.axis)
        steps = options.epochs * -(-data.X.shape[plan.axis] // options.batch_size)
        return self._backends.take(
            (right, data.y.ndim, data.weight is None, self.optimizer.lines),
            lambda: stepping(plan, derivation, self.optimizer, right, data.samples()),
            wanted, options.batch_size, steps,
        )  # fmt: skip

    def __str__(self) -> str:
        return described(self.architecture, self.weights, self.optimizer)

    def __repr__(self) -> str:
        return f"<Network {self}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows of a cell whose value this is: the network, and its passes."""
        passes = self.derivation()._repr_mimebundle_()["text/html"]
        return {"text/plain": repr(self), "text/html": f"<p>{escape(str(self))}</p>\n{passes}"}
