"""The environment of a local trial: the user's own, the trial contract, a share of the cores."""

import os
from collections.abc import Mapping

from kubetune.adapters.local.files import RunFiles
from kubetune.domain import contract as names
from kubetune.domain.ports import LaunchOrder

RUN_MARK = "KUBETUNE_RUN_ID"
"""Marks every process of a run, so that those that left its process group are found."""

_CONTRACT = frozenset(
    {
        RUN_MARK,
        names.DESCRIPTION,
        names.CHECKPOINT_FOLDER,
        names.METRICS_HOST,
        names.METRICS_PORT,
        names.TERMINATION_LOG,
    }
)


def contract(order: LaunchOrder, files: RunFiles, uid: str, port: int) -> dict[str, str]:
    """The variables that the trial contract promises to this attempt."""
    return names.parameters(order) | {
        RUN_MARK: uid,
        names.DESCRIPTION: names.describe(order, resume=any(files.checkpoint.iterdir())),
        names.CHECKPOINT_FOLDER: str(files.checkpoint),
        names.METRICS_HOST: "127.0.0.1",
        names.METRICS_PORT: str(port),
        names.TERMINATION_LOG: str(files.result),
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
        if name not in _CONTRACT and not name.startswith(names.PARAMETER_PREFIX)
    }
    return dict.fromkeys(names.THREADS, share) | kept


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
