"""scikit-learn's callbacks, told of a training: one task for all of it, one for every iteration."""

from __future__ import annotations

from typing import Any

from backpass.sklearn.objective import LEARNT


class Reporter:
    """Tells the callbacks of an estimator; without callbacks it costs next to nothing."""

    def __init__(self, model: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.model = model
        self.given = {"estimator": model, "X": X, "y": y, "metadata": metadata}
        # L-BFGS tells that an iteration is over, and not that it was the last: one more may begin
        self.whole = model._init_callback_context(max_subtasks=model.max_iter + 1)
        self.whole.call_on_fit_task_begin(**self.given)
        self.task: Any = None

    def begin(self) -> None:
        """An iteration begins."""
        self.task = self.whole.subcontext(task_name="iteration")
        self.task.call_on_fit_task_begin(**self.given, reconstruction_attributes=self._fitted)

    def end(self) -> bool:
        """An iteration is over; whether a callback wants it to be the last."""
        return self.task.call_on_fit_task_end(**self.given, reconstruction_attributes=self._fitted)

    def abandon(self) -> None:
        """An iteration that had begun never ran."""
        self.task.call_on_fit_task_end(estimator=self.model)

    def close(self) -> None:
        """All of it is over."""
        self.whole.call_on_fit_task_end(**self.given, reconstruction_attributes=self._fitted)

    def _fitted(self) -> dict[str, Any]:
        """What an estimator that had stopped here would predict with."""
        copies = {
            name: [one.copy() for one in getattr(self.model, name)] for name in LEARNT.values()
        }
        return {**copies, "n_iter_": self.model.n_iter_}
