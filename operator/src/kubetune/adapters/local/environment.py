"""The environment of a local trial: the user's own, the trial contract, a share of the cores."""

import json
import os
from collections.abc import Mapping

from kubetune.adapters.local.files import RunFiles
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.values import Value

RUN_MARK = "KUBETUNE_RUN_ID"
"""Marks every process of a run, so that those that left its process group are found."""

PARAMETER_PREFIX = "KUBETUNE_PARAM_"

_CONTRACT = frozenset(
    {
        RUN_MARK,
        "KUBETUNE_TRIAL",
        "KUBETUNE_CHECKPOINT_DIR",
        "KUBETUNE_METRICS_HOST",
        "KUBETUNE_METRICS_PORT",
        "KUBETUNE_TERMINATION_LOG",
    }
)
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def contract(order: LaunchOrder, files: RunFiles, uid: str, port: int) -> dict[str, str]:
    """The variables that the trial contract promises to this attempt."""
    parameters = order.trial.parameters
    return {PARAMETER_PREFIX + name: _text(value) for name, value in parameters.items()} | {
        RUN_MARK: uid,
        "KUBETUNE_TRIAL": _description(order, resume=any(files.checkpoint.iterdir())),
        "KUBETUNE_CHECKPOINT_DIR": str(files.checkpoint),
        "KUBETUNE_METRICS_HOST": "127.0.0.1",
        "KUBETUNE_METRICS_PORT": str(port),
        "KUBETUNE_TERMINATION_LOG": str(files.result),
    }


def inherited(environ: Mapping[str, str], parallelism: int) -> dict[str, str]:
    """What a trial takes over from its user, without what belongs to a trial around this one.

    Thread pools get an equal share of the cores, unless the user set them: trials that each
    start a thread a core slow each other down many times over.
    """
    share = str(max(1, _cores() // max(1, parallelism)))
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _CONTRACT and not name.startswith(PARAMETER_PREFIX)
    }
    return dict.fromkeys(_THREADS, share) | kept


def _description(order: LaunchOrder, *, resume: bool) -> str:
    spec, trial = order.spec, order.trial
    return json.dumps(
        {
            "schema": 1,
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


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
