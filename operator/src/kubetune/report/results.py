"""results.json: everything that is known of a study, for programs.

Numbers that JSON cannot write are the strings "NaN", "Infinity" and "-Infinity".
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kubetune.domain.marks import Marked
from kubetune.domain.study import Objective, StudySpec
from kubetune.domain.trial import Trial
from kubetune.report.findings import Findings

SCHEMA = 1


def results(findings: Findings) -> str:
    """The whole file: the study's own fields first, then one line for each trial."""
    head = json.dumps(finite(_study(findings)), indent=2, allow_nan=False)
    trials = ",\n".join(f"    {_line(findings, trial)}" for trial in findings.trials)
    listed = f"[\n{trials}\n  ]" if trials else "[]"
    return f'{head.removesuffix("}").rstrip()},\n  "trials": {listed}\n}}\n'


def brief(spec: StudySpec, trial: Trial, marks: Sequence[Marked] = ()) -> dict[str, Any]:
    """A trial as `kubetune trials` shows it to programs."""
    outcome = trial.outcome
    values = outcome.values if outcome else ()
    pairs = zip(spec.objectives, values, strict=False)
    shown: dict[str, Any] = finite(
        {
            "number": trial.number,
            "state": trial.state.value,
            "reason": outcome.reason.value if outcome else "",
            "marks": [
                {"mark": one.mark.value, "step": one.step, "message": one.message} for one in marks
            ],
            "parameters": dict(trial.parameters),
            "values": {objective.metric: value for objective, value in pairs},
            "metrics": dict(outcome.metrics) if outcome else {},
            "attempts": trial.attempt,
            "seconds": trial.seconds,
        }
    )
    return shown


def finite(data: Any) -> Any:
    """The same data with a word for each number that is not finite."""
    if isinstance(data, Mapping):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    return data


def _study(findings: Findings) -> dict[str, Any]:
    counts, status, end = findings.counts, findings.status, findings.end
    return {
        "schema": SCHEMA,
        "study": findings.spec.name,
        "objectives": [_objective(objective) for objective in findings.spec.objectives],
        "ended": end is not None,
        "reason": end.reason.value if end else status.reason.value if status else "",
        "counts": {
            "total": counts.total,
            "active": counts.active,
            "complete": counts.complete,
            "pruned": counts.pruned,
            "failed": counts.failed,
            "infeasible": counts.infeasible,
        },
        "rejectedDraws": dict(counts.rejected),
        "outcomes": dict(findings.outcomes),
        "best": _chosen(findings, findings.best),
        "baseline": _chosen(findings, findings.baseline),
        "improvement": findings.improvement,
        "paretoFront": [trial.number for trial in findings.front],
    }


def _objective(objective: Objective) -> dict[str, Any]:
    return {
        "metric": objective.metric,
        "direction": objective.direction.value,
        "summary": objective.summary.value,
        "target": objective.target,
    }


def _chosen(findings: Findings, trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    shown = brief(findings.spec, trial)
    kept = ("number", "state", "parameters", "values", "metrics")
    return {name: shown[name] for name in kept} | {"seed": trial.seed}


def _line(findings: Findings, trial: Trial) -> str:
    whole = brief(findings.spec, trial, findings.marks.get(trial.number, ())) | {
        "message": trial.outcome.message if trial.outcome else "",
        "active": sorted(trial.active),
        "constraints": list(trial.outcome.constraints) if trial.outcome else [],
        "seed": trial.seed,
        "initial": trial.initial,
        "baseline": trial.baseline,
        "rejected": dict(trial.rejected),
        "curve": [{"step": point.step, "metrics": dict(point.metrics)} for point in trial.curve],
    }
    return json.dumps(finite(whole), allow_nan=False)
