"""How good the estimators are beside scikit-learn's, with all defaults: on its data, and on MNIST.

MNIST does not come with backpass. The variable `MNIST` names the folder that has its four files,
`train-images-idx3-ubyte` and so on, gzipped or not.
"""

from __future__ import annotations

import gzip
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from sklearn import datasets, neural_network
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backpass import sklearn as ours
from backpass.nn.tables.idx import read_idx
from benchmarks import page

SEEDS = range(5)
MNIST = "MNIST"
DATA: dict[str, Callable[..., Any]] = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes, R²": datasets.load_diabetes,
}


def scores(name: str, module: Any) -> list[float]:
    """The score on a quarter that was held out, for each seed of split and weights."""
    X, y = DATA[name](return_X_y=True)
    kind = "MLPRegressor" if "R²" in name else "MLPClassifier"
    found = []
    for seed in SEEDS:
        parts = train_test_split(X, y, random_state=seed, stratify=None if "R²" in name else y)
        X_train, X_test, y_train, y_test = parts
        options = {"max_iter": 1000} if kind == "MLPRegressor" else {}
        model = make_pipeline(StandardScaler(), getattr(module, kind)(random_state=seed, **options))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some are told to stop before they converge
            found.append(model.fit(X_train, y_train).score(X_test, y_test))
    return found


def mnist(module: Any) -> list[float]:
    """The share of the 10,000 test digits that a small network reads, for each seed.

    Each seed learns from other digits of the 60,000: from a sixth, as all would take minutes.
    """
    folder = os.environ[MNIST]
    (X, y), (X_test, y_test) = (_idx(folder, part) for part in ("train", "t10k"))
    found = []
    for seed in SEEDS:
        part = slice(seed, None, 6)
        model = module.MLPClassifier((128,), max_iter=10, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(model.fit(X[part] / 255, y[part]).score(X_test / 255, y_test))
    return found


def _idx(folder: str, part: str) -> tuple[Any, Any]:
    """Pictures as rows, and labels, of one part."""
    images, labels = (_read(folder, f"{part}-{what}") for what in ("images", "labels"))
    return images.reshape(len(images), -1), labels


def _read(folder: str, name: str) -> Any:
    path = next(Path(folder).glob(f"{name}*"))
    content = path.read_bytes()
    return read_idx(path.name, gzip.decompress(content) if path.suffix == ".gz" else content)


def rows() -> Iterator[tuple[str, ...]]:
    """A row for each data set."""
    for name in DATA:
        yield row(name, scores(name, ours), scores(name, neural_network))
    if MNIST in os.environ:
        yield row("MNIST, 10,000 of the 60,000", mnist(ours), mnist(neural_network))
    else:
        yield "MNIST", "absent", "absent", f"set {MNIST} to the folder of its files"


def row(name: str, mine: list[float], theirs: list[float]) -> tuple[str, ...]:
    """Means and deviations over the seeds, and whether they differ by more than noise."""
    noise = (stdev(mine) ** 2 + stdev(theirs) ** 2) ** 0.5 / len(SEEDS) ** 0.5
    apart = abs(mean(mine) - mean(theirs))
    said = "within noise ✓" if apart <= 2 * noise + 1e-9 else f"apart by {apart:.3f} ✗"
    return (name, *(f"{mean(one):.3f} ± {stdev(one):.3f}" for one in (mine, theirs)), said)


def block() -> str:
    """The table."""
    return page.table(("data, mean of 5 seeds", "backpass", "scikit-learn", ""), rows())
