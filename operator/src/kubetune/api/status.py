"""A study's status, from the domain onto the wire: plain data for one server-side apply.

Bounded whatever the trials do: few of them, short maps, cut sentences. What the server would fill
in by itself is written out, so that a status is equal to what is read back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kubetune.api import summaries
from kubetune.api.summaries import cut, present
from kubetune.api.v1alpha1.status import MESSAGE_LIMIT, SENTENCE_LIMIT
from kubetune.domain.faults import Fault
from kubetune.domain.limits import LIST_LIMIT
from kubetune.domain.reasons import StudyReason
from kubetune.domain.status import Condition, ConditionType, StudyStatus, Truth
from kubetune.domain.study import StudySpec

RECENT = 5
"""So many ended trials are shown: a status is as large after ten trials as after hundreds."""
INVALID = "Invalid"
"""The phase of a study that cannot be run as written."""


def status_of(
    status: StudyStatus,
    *,
    spec: StudySpec,
    uid: str,
    generation: int,
    now: float,
    earlier: Mapping[str, Any],
    feasible_share: float | None = None,
    messages: Sequence[str] = (),
) -> dict[str, Any]:
    """The status on the wire.

    `generation` is that of the spec that is followed, `now` Unix seconds, `earlier` the status as
    it stands on the resource: times are kept from it where nothing changed. `messages` are what
    admission warned of.
    """
    counts = status.counts
    ranked = status.best and summaries.best(status, spec, uid)
    front = status.pareto_front[:LIST_LIMIT]
    return present(
        observedGeneration=generation,
        phase=status.phase,
        currentPhase=status.current_phase,
        conditions=_conditions(status.conditions, generation, now, earlier),
        startTime=_start(status, earlier),
        completionTime=earlier.get("completionTime", spell(now)) if status.ended else None,
        trials={
            name: getattr(counts, name)
            for name in ("total", "active", "complete", "pruned", "failed", "infeasible")
        },
        outcomes=dict(status.outcomes),
        rejectedDraws=dict(counts.rejected),
        feasibleShare=feasible_share,
        best=ranked,
        finalists=[summaries.finalist(each) for each in status.finals.finalists],
        budget=present(gpuHours=status.gpu_hours and round(status.gpu_hours, 3)),
        paretoFront=[summaries.on_front(trial, spec) for trial in front],
        active=[summaries.listed(trial, spec, status) for trial in status.active[:LIST_LIMIT]],
        recent=[summaries.listed(trial, spec, status) for trial in status.recent[:RECENT]],
        messages=[cut(text, SENTENCE_LIMIT) for text in messages[:LIST_LIMIT]],
    )


def invalid_status(
    faults: Iterable[Fault], *, generation: int, now: float, earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """The status of a study that cannot be run as written, with every fault.

    What an earlier spec brought stays: its trials, its best.
    """
    found = tuple(
        Condition(kind, truth, StudyReason.INVALID_SPEC, message)
        for kind, truth, message in (
            (ConditionType.VALID, Truth.FALSE, _every(faults)),
            (ConditionType.PROGRESSING, Truth.FALSE, "see Valid"),
            (ConditionType.SUCCEEDED, Truth.UNKNOWN, ""),
        )
    )
    told = _by_type(earlier)
    if told.get(ConditionType.SUCCEEDED, {}).get("status", Truth.UNKNOWN) != Truth.UNKNOWN:
        found = found[:2]
    merged = _merged(found, generation, now, earlier)
    return {**earlier, "observedGeneration": generation, "phase": INVALID, "conditions": merged}


def storageless_status(
    trouble: str, *, generation: int, now: float, earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """The status of a study whose database does not answer before anything was read from it.

    What was told of its trials stays as it was, and so does the generation that it was told of: an
    end of the spec before is none of this one.
    """
    reason = StudyReason.STORAGE_UNREACHABLE
    found = (
        Condition(ConditionType.STORAGE_REACHABLE, Truth.FALSE, reason, trouble),
        Condition(ConditionType.PROGRESSING, Truth.FALSE, reason, "see StorageReachable"),
    )
    merged = _merged(found, generation, now, earlier)
    return {"observedGeneration": generation, **earlier, "conditions": merged}


def spell(seconds: float) -> str:
    """A time as Kubernetes spells it: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _conditions(
    conditions: Iterable[Condition], generation: int, now: float, earlier: Mapping[str, Any]
) -> list[dict[str, Any]]:
    told = _by_type(earlier)
    return [_condition(item, generation, now, told.get(item.type, {})) for item in conditions]


def _merged(
    found: Iterable[Condition], generation: int, now: float, earlier: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """These conditions among those that stand already, in their fixed order."""
    fresh = {item["type"]: item for item in _conditions(found, generation, now, earlier)}
    merged = {**_by_type(earlier), **fresh}
    return [merged[kind.value] for kind in ConditionType if kind.value in merged]


def _condition(
    condition: Condition, generation: int, now: float, earlier: Mapping[str, Any]
) -> dict[str, Any]:
    """One condition; its time is that of its last change of truth."""
    same = earlier.get("status") == condition.status
    return {
        "type": condition.type.value,
        "status": condition.status.value,
        "reason": condition.reason.value,
        "message": cut(condition.message, MESSAGE_LIMIT),
        "observedGeneration": generation,
        "lastTransitionTime": (same and earlier.get("lastTransitionTime")) or spell(now),
    }


def _by_type(earlier: Mapping[str, Any]) -> dict[str, Any]:
    return {item["type"]: item for item in earlier.get("conditions", ())}


def _start(status: StudyStatus, earlier: Mapping[str, Any]) -> str | None:
    """When the first trial began, as far as it is known; once told, it stays."""
    if "startTime" in earlier:
        return str(earlier["startTime"])
    shown = (*status.active, *status.recent)
    times = [trial.started_at for trial in shown if trial.started_at is not None]
    return spell(min(times)) if times else None


def _every(faults: Iterable[Fault]) -> str:
    """All faults in one message; what does not fit is counted."""
    texts, length = [str(fault) for fault in faults], 0
    for index, text in enumerate(texts):
        length += len(text) + 2
        if length > MESSAGE_LIMIT - 100:
            shown = texts[: index or 1]
            return (
                cut("; ".join(shown), MESSAGE_LIMIT - 50) + f"; and {len(texts) - len(shown)} more"
            )
    return "; ".join(texts)
