"""A parameter that means nothing is refused in one sentence, before anything is learnt."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError
from backpass.sklearn import MLPClassifier, MLPRegressor

X, Y = np.random.default_rng(0).normal(size=(12, 2)), np.arange(12) % 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alpha": -1}, "alpha=-1 is not valid; give a number from 0 on"),
        ({"batch_size": 0}, 'batch_size=0 is not valid; give "auto" or a whole number from 1 on'),
        ({"learning_rate_init": 0}, "learning_rate_init=0 is not valid; give a number above 0"),
        ({"max_iter": 2.5}, "max_iter=2.5 is not valid; give a whole number from 1 on"),
        ({"shuffle": "yes"}, "shuffle='yes' is not valid; give True or False"),
        ({"momentum": 2}, "momentum=2 is not valid; give a number from 0 to 1"),
        ({"beta_1": 1}, "beta_1=1 is not valid; give a number from 0 on and below 1"),
        ({"validation_fraction": np.nan}, "validation_fraction=nan is not valid; give a share"),
        ({"n_iter_no_change": "ten"}, "or np.inf"),
        ({"verbose": -1}, "verbose=-1 is not valid; give True or False"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes=(3, 0) is not valid; give whole"),
        ({"hidden_layer_sizes": -1}, "hidden_layer_sizes=-1 is not valid"),
        ({"activation": "rellu"}, "activation='rellu' is not known; did you mean relu?"),
        ({"class_weight": "bal"}, "class_weight='bal' is not valid; give \"balanced\", or"),
        ({"class_weight": {0: -1}}, "class_weight={0: -1} is not valid"),
        ({"solver": "adamw"}, "solver='adamw' is not known; did you mean adam?"),
        ({"learning_rate": "linear"}, "learning_rate='linear' is not known"),
        ({"loss": "logloss"}, "loss='logloss' is not known; did you mean log_loss?"),
        ({"loss": "Σ output"}, "the loss says nothing of target"),
        ({"backend": "gpu"}, "backend='gpu' is not known"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_each_is_told_of_by_its_name(given, said):
    with pytest.raises(BackpassError) as caught:
        MLPClassifier(**given).fit(X, Y)
    assert said in str(caught.value)
    assert "\n" not in caught.value.message


def test_numbers_of_numpy_are_numbers():
    options = {"max_iter": np.int64(2), "alpha": np.float32(0.1), "shuffle": np.bool_(True)}
    model = MLPRegressor(hidden_layer_sizes=np.array([3]), tol=1e9, verbose=0, **options)
    assert model.set_params(n_iter_no_change=np.inf, batch_size=np.int64(4)).max_iter == 2


def test_a_loss_of_the_other_estimator_is_not_known():
    with pytest.raises(ValueError, match=r"squared_error.*or a formula in output and target"):
        MLPRegressor(loss="log_loss").fit(X, Y)
