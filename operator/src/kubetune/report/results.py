"""results.json: everything that is known of a study, for programs.

docs/reference/results.md says what each field is. A new field leaves the number of the schema as
it is; one that goes, or means something else, raises it. Numbers that JSON cannot write are the
strings "NaN", "Infinity" and "-Infinity".
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubetune.api.summaries import evidence
from kubetune.domain import classes, sentences
from kubetune.domain.finalists import Finalist
from kubetune.domain.marks import Marked
from kubetune.domain.study import Objective, StudySpec
from kubetune.domain.trial import Trial
from kubetune.report import spending, stability
from kubetune.report.advice import advice
from kubetune.report.findings import Findings
from kubetune.report.importance import Importances
from kubetune.report.stability import Share

SCHEMA = 1


def results(findings: Findings) -> str:
    """The whole file: the study's own fields first, then one line for each trial."""
    return listing(summary(findings), findings, findings.trials)


def listing(told: Mapping[str, Any], findings: Findings, trials: Iterable[Trial]) -> str:
    """The file of what is told of the study, and of these trials of it."""
    head = json.dumps(finite(told), indent=2, allow_nan=False)
    lines = ",\n".join(f"    {_line(findings, trial)}" for trial in trials)
    listed = f"[\n{lines}\n  ]" if lines else "[]"
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


def summary(findings: Findings) -> dict[str, Any]:
    """The study's own fields."""
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
        "evidence": evidence(findings.finals).value if findings.best else None,
        "heldOut": sentences.held_out(findings.spec, findings.finals),
        "finalists": [_finalist(each) for each in findings.finals.finalists],
        "paretoFront": [trial.number for trial in findings.front],
        "time": _time(findings),
        "stability": [_stability(share) for share in stability.stability(findings)],
        "importance": [_importance(one) for one in findings.importances],
        "advice": list(advice(findings)),
    }


def _finalist(each: Finalist) -> dict[str, Any]:
    return {
        "number": each.trial.number,
        "score": each.score,
        "low": each.low,
        "high": each.high,
        "values": list(each.values),
        "failed": each.failed,
    }


def _time(findings: Findings) -> dict[str, Any]:
    spent = spending.spending(findings)
    return {
        "seconds": {part.state.value: part.seconds for part in spent.parts},
        "gpusPerTrial": spent.gpus,
        "wastedShare": spent.wasted_share,
    }


def _stability(share: Share) -> dict[str, Any]:
    return {
        "class": share.name,
        "trials": share.trials,
        "of": share.of,
        "low": share.low,
        "high": share.high,
    }


def _importance(one: Importances) -> dict[str, Any]:
    telling = set(one.telling)
    return {
        "metric": one.metric,
        "trials": one.trials,
        "explained": one.explained,
        "chance": one.chance,
        "parameters": [
            {
                "name": part.name,
                "share": part.share,
                "low": part.low,
                "high": part.high,
                "moreThanChance": part in telling,
                "best": list(part.best),
                "bestIsRange": part.ranged,
            }
            for part in one.parameters
        ],
        "pairChance": one.pair_chance,
        "pairs": [{"names": list(pair.names), "share": pair.share} for pair in one.pairs],
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
        "stage": trial.stage.value,
        "phase": trial.phase,
        "repeats": trial.repeats,
        "classes": list(classes.of(findings.spec, trial)),
        "disruptions": trial.disruptions,
        "outOfMemory": trial.out_of_memory,
        "createdAt": trial.created_at,
        "startedAt": trial.started_at,
        "endedAt": trial.ended_at,
        "initial": trial.initial,
        "baseline": trial.baseline,
        "rejected": dict(trial.rejected),
        "curve": [{"step": point.step, "metrics": dict(point.metrics)} for point in trial.curve],
    }
    return json.dumps(finite(whole), allow_nan=False)
