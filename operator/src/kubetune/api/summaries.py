"""Trials as a status shows them: in short, bounded, finite."""

import math
from collections.abc import Mapping
from typing import Any

from kubetune.domain import sentences
from kubetune.domain.finalists import Finalist, Finals
from kubetune.domain.status import Evidence, StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState
from kubetune.domain.values import Assignment, Value

SHOWN_PARAMETERS = 16
"""The most parameters of a trial that is only listed."""
SHOWN_TEXT = 64
"""The longest text value of a trial that is only listed, in characters."""
SHOWN_SENTENCE = 256
"""The longest sentence about a trial that is only listed, in characters."""
METRIC_LIMIT = 128
"""The most metrics of a best trial."""


_SUSPENDED = "the study is suspended"


def present(**fields: Any) -> dict[str, Any]:
    """The fields that say something: the wire has no nulls, and what is empty is left out."""
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}


def cut(text: str, limit: int) -> str:
    """At most so many characters, each of which can be written."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def listed(trial: Trial, spec: StudySpec, status: StudyStatus) -> dict[str, Any]:
    """An active or ended trial: what was drawn, how far it is, why it ended or waits."""
    outcome = trial.outcome
    paused = _SUSPENDED if spec.suspend and not trial.state.ended else ""
    return present(
        number=trial.number,
        state=trial.state.value,
        reason=outcome.reason.value if outcome else "",
        message=cut(outcome.message, SHOWN_SENTENCE) if outcome else "",
        attempt=trial.attempt,
        parameters=_short(_drawn(trial), SHOWN_PARAMETERS),
        value=_newest(trial, spec.objective.metric),
        step=_finite(trial.curve[-1].step) if trial.curve else None,
        progress=_finite(status.progress.get(trial.number)),
        waiting=cut(status.waiting.get(trial.number, paused), SHOWN_SENTENCE),
    )


def best(status: StudyStatus, spec: StudySpec, uid: str) -> dict[str, Any]:
    """The best trial, with all that is needed to run it again, and what it rests on."""
    trial, finals = status.best, status.finals
    assert trial is not None
    claim = spec.checkpoint_claim
    held_out = sentences.held_out(spec, finals)
    metrics = trial.outcome.metrics if trial.outcome else {}
    return present(
        **_ranked(trial, spec),
        parameters=dict(trial.parameters),
        metrics=_measures(metrics),
        seed=trial.seed,
        checkpoint=claim and {"claimName": claim, "path": f"{uid}/{trial.number}"},
        improvement=_finite(status.improvement),
        evidence=evidence(finals).value,
        heldOut=_finite(held_out),
    )


def finalist(these: Finalist) -> dict[str, Any]:
    """A configuration that was run again."""
    return present(
        number=these.trial.number,
        score=_finite(these.score),
        low=_finite(these.low),
        high=_finite(these.high),
        values=list(these.values),
        failed=these.failed,
    )


def evidence(finals: Finals) -> Evidence:
    """What the best trial rests on."""
    if finals.held_out and finals.held_out.state is TrialState.COMPLETE:
        return Evidence.HELD_OUT
    return Evidence.FINALISTS if finals.winner else Evidence.SEARCH


def on_front(trial: Trial, spec: StudySpec) -> dict[str, Any]:
    """A trial of the Pareto front: what was drawn, and every objective's value."""
    return present(**_ranked(trial, spec), parameters=_short(_drawn(trial), len(trial.parameters)))


def _ranked(trial: Trial, spec: StudySpec) -> dict[str, Any]:
    values = trial.outcome.values if trial.outcome else ()
    return {
        "number": trial.number,
        "value": trial.value,
        "objectives": [
            {"metric": objective.metric, "value": value}
            for objective, value in zip(spec.objectives, values, strict=False)
        ],
    }


def _drawn(trial: Trial) -> Assignment:
    return {name: value for name, value in trial.parameters.items() if name in trial.active}


def _short(parameters: Assignment, limit: int) -> dict[str, Value]:
    shown = list(parameters.items())[:limit]
    return {
        name: cut(value, SHOWN_TEXT) if isinstance(value, str) else value for name, value in shown
    }


def _newest(trial: Trial, metric: str) -> float | None:
    """The first objective's value as it stands; None while none was reported."""
    if trial.value is not None:
        return _finite(trial.value)
    found = (point.metrics[metric] for point in reversed(trial.curve) if metric in point.metrics)
    return _finite(next(found, None))


def _measures(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that JSON can say."""
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    return dict(list(finite.items())[:METRIC_LIMIT])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
