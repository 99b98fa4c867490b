"""MLflow and Weights & Biases, where the environment asks for one of them.

Neither is needed for anything: a tracker that fails is said once, and left alone.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from kubetune_trainer.notes import note
from kubetune_trainer.trial import Trial


class _Tracker(Protocol):
    def log(self, step: int, metrics: Mapping[str, float]) -> None: ...

    def close(self, *, well: bool) -> None: ...


_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""A server that is gone holds a training up for half a minute; MLflow itself tries for four."""


class _MLflow:
    """`MLFLOW_TRACKING_URI` is set: one run an attempt, in the experiment of the study's name."""

    def __init__(self, trial: Trial) -> None:
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        import mlflow  # noqa: PLC0415 - an extra of its own

        self._mlflow = mlflow
        mlflow.set_experiment(trial.study or "kubetune")
        mlflow.start_run(run_name=trial.name, tags={"kubetune.attempt": str(trial.attempt)})
        mlflow.log_params(dict(trial.parameters))

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(metrics), step=step)

    def close(self, *, well: bool) -> None:
        self._mlflow.end_run("FINISHED" if well else "FAILED")


class _Wandb:
    """`WANDB_PROJECT` is set: one run an attempt, in the group of the study's name."""

    def __init__(self, trial: Trial) -> None:
        import wandb  # noqa: PLC0415 - an extra of its own

        self._run = wandb.init(
            name=trial.name, group=trial.study or None, config=dict(trial.parameters)
        )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics), step=step)

    def close(self, *, well: bool) -> None:
        self._run.finish(exit_code=0 if well else 1)


class Trackers:
    """All that were asked for; without any it does nothing."""

    def __init__(self, trackers: list[_Tracker]) -> None:
        self._trackers = trackers

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Hands a report on."""
        for tracker in list(self._trackers):
            try:
                tracker.log(step, metrics)
            except Exception as error:  # noqa: BLE001 - of any library
                self._trackers.remove(tracker)
                _note(tracker, error)

    def close(self, *, well: bool) -> None:
        """Ends the runs; `well` where no exception ended the training."""
        for tracker in self._trackers:
            try:
                tracker.close(well=well)
            except Exception as error:  # noqa: BLE001 - of any library
                _note(tracker, error)


@contextmanager
def opened(trial: Trial, *, first: bool) -> Iterator[Trackers]:
    """The trackers of the environment, for one process of the trial."""
    wanted: Mapping[str, Any] = {"MLFLOW_TRACKING_URI": _MLflow, "WANDB_PROJECT": _Wandb}
    found: list[_Tracker] = []
    for variable, kind in wanted.items():
        if first and os.environ.get(variable):
            try:
                found.append(kind(trial))
            except Exception as error:  # noqa: BLE001 - of any library
                _note(kind, error)
    trackers, well = Trackers(found), False
    try:
        yield trackers
        well = True
    finally:
        trackers.close(well=well)


def _note(tracker: object, error: Exception) -> None:
    kind = tracker if isinstance(tracker, type) else type(tracker)
    words = f"{kind.__name__.strip('_')} is left out: {type(error).__name__}: {error}"
    note(words)
