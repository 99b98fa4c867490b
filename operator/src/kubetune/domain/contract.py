"""What every trial is told, wherever it runs: names and spelling of the trial contract."""

import json

from kubetune.domain.ports import LaunchOrder
from kubetune.domain.values import Value

TRAINER = "trainer"
"""The container that is the trial."""

PREFIX = "KUBETUNE_"
"""Begins every name that belongs to the contract."""

PARAMETER_PREFIX = "KUBETUNE_PARAM_"
DESCRIPTION = "KUBETUNE_TRIAL"
CHECKPOINT_FOLDER = "KUBETUNE_CHECKPOINT_DIR"
METRICS_HOST = "KUBETUNE_METRICS_HOST"
METRICS_PORT = "KUBETUNE_METRICS_PORT"
TERMINATION_LOG = "KUBETUNE_TERMINATION_LOG"

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Read by thread pools, which would else start a thread for each core of the whole machine."""

SCHEMA = 1
"""The version of the description; a trainer refuses one that it does not know."""


def parameters(order: LaunchOrder) -> dict[str, str]:
    """One variable for each value of the trial, in the order in which they were drawn."""
    return {PARAMETER_PREFIX + name: text(value) for name, value in order.trial.parameters.items()}


def describe(order: LaunchOrder, *, resume: bool) -> str:
    """The whole trial as JSON, every value in its own kind.

    Without `resume` a trainer throws away what it finds in its checkpoint folder.
    """
    spec, trial = order.spec, order.trial
    return json.dumps(
        {
            "schema": SCHEMA,
            "study": spec.name,
            "namespace": spec.namespace,
            "uid": order.study_uid,
            "trial": trial.number,
            "attempt": trial.attempt,
            "stage": str(trial.stage),
            "seed": trial.seed,
            "objectives": [objective.metric for objective in spec.objectives],
            "reportIntervalSeconds": spec.metrics_interval_seconds,
            "resume": resume,
            "parameters": dict(trial.parameters),
        }
    )


def text(value: Value) -> str:
    """A value for a program in any language: floats keep every digit, truths are lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
