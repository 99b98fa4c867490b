"""Early stopping: Katib's medianstop as the pruner Median."""

from typing import Any

from kubetune.api.wording import show
from kubetune.convert import settings
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.convert.settings import Target
from kubetune.domain.faults import Path

MEDIAN = "medianstop"
STARTUP_TRIALS = 3
START_STEP = 4
"""Katib's own defaults."""

_PATH: Path = ("spec", "earlyStopping")
_AT: Path = ("spec", "pruner")
_TARGETS = {
    "min_trials_required": Target.field("startupTrials"),
    "start_step": Target.field("warmupSteps"),
}


def convert(experiment: Experiment, draft: Draft, metric: str) -> None:
    """Writes the pruner, unless the algorithm has written one."""
    if not experiment.mapping(_PATH, ("algorithmName", "algorithmSettings")):
        return
    path = (*_PATH, "algorithmName")
    name = experiment.text(path, needed=MEDIAN)
    if name is None:
        return
    if name != MEDIAN:
        message = f"{show(name)} has no counterpart: write a pruner, such as ASHA or Median"
        draft.note(Kind.LEFT_OUT, path, message, ("spec", "trials"))
        return
    if "pruner" in draft.spec:
        message = f"{show(name)}: a study has one pruner, Hyperband: write Median to change it"
        draft.note(Kind.LEFT_OUT, path, message, _AT)
        return
    pruner: dict[str, Any] = {
        "algorithm": "Median",
        "startupTrials": STARTUP_TRIALS,
        "warmupSteps": START_STEP,
    }
    place = settings.Place((*_PATH, "algorithmSettings"), _AT, MEDIAN)
    settings.convert(experiment, draft, place, _TARGETS, pruner)
    message = (
        f"medianstop: trials are compared at the step they report, so report {metric} with a step;"
        " Katib counts reports, and takes the mean for the median"
    )
    draft.note(Kind.TO_DO, path, message, _AT)
    draft.put("pruner", pruner, _PATH)
