"""How many trials, how many at once, and how many may fail."""

from typing import Any

from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, either

PARALLELISM = 3
"""Katib's own default."""
MAX = 100
"""Written where Katib would go on for ever."""

_POLICIES = ("Never", "LongRunning", "FromVolume")


def parallelism(experiment: Experiment) -> int:
    """So many trials at once."""
    return experiment.whole(("spec", "parallelTrialCount"), least=1) or PARALLELISM


def convert(experiment: Experiment, draft: Draft, timeout_seconds: int | None) -> None:
    """Writes the budget of the study."""
    trials: dict[str, Any] = {
        "max": experiment.whole(("spec", "maxTrialCount"), least=1),
        "parallelism": parallelism(experiment),
    }
    if experiment.at(("spec", "maxTrialCount")) is None:
        trials["max"] = MAX
        message = f"none: Katib goes on until the goal, a study has an end: {MAX} is written"
        draft.note(Kind.APPROXIMATED, ("spec", "maxTrialCount"), message, at=("spec", "trials"))
    failed = experiment.whole(("spec", "maxFailedTrialCount"), least=0)
    if failed is not None:
        trials["maxFailed"] = failed
    if timeout_seconds is not None:
        trials["timeoutSeconds"] = timeout_seconds
    draft.put("trials", trials, ("spec",))
    for ours, theirs in (
        ("max", "maxTrialCount"),
        ("parallelism", "parallelTrialCount"),
        ("maxFailed", "maxFailedTrialCount"),
    ):
        draft.come_from(("spec", "trials", ours), ("spec", theirs))
    _resume(experiment, draft)


def _resume(experiment: Experiment, draft: Draft) -> None:
    path = ("spec", "resumePolicy")
    policy = experiment.text(path)
    if policy is None:
        return
    if policy not in _POLICIES:
        draft.findings.refuse(path, f"{show(policy)}: write {either(_POLICIES)}")
        return
    message = f"{policy}: every study goes on when trials.max is raised, its history is kept"
    draft.note(Kind.NOT_NEEDED, path, message)
