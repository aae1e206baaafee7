"""scikit-learn's perceptrons, trained by backpass: change the import, and nothing else.

from backpass.sklearn import MLPClassifier
"""

from backpass._collector import importing

with importing():
    try:
        from sklearn.callback import CallbackSupportMixin as _  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "backpass.sklearn needs scikit-learn 1.9 or newer; pip install 'backpass[sklearn]'"
        ) from error

    from backpass.sklearn.display import LossCurveDisplay, WeightsDisplay
    from backpass.sklearn.estimators import MLPClassifier, MLPRegressor

__all__ = ["LossCurveDisplay", "MLPClassifier", "MLPRegressor", "WeightsDisplay"]
