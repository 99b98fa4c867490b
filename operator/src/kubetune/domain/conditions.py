"""Conditions: what a study's state means to people and tools."""

from kubetune.domain.end import End
from kubetune.domain.observation import Observation
from kubetune.domain.reasons import StudyReason
from kubetune.domain.result import clean
from kubetune.domain.status import Condition, ConditionType, Truth


def conditions(seen: Observation, end: End | None, message: str) -> tuple[Condition, ...]:
    """Every condition, in a fixed order. `message` says where the study stands."""
    return (
        Condition(ConditionType.VALID, Truth.TRUE, StudyReason.AS_EXPECTED),
        _reachable(
            ConditionType.STORAGE_REACHABLE,
            StudyReason.STORAGE_UNREACHABLE,
            _away(
                "the database does not answer: nothing is launched, results wait",
                seen.storage_trouble,
            ),
            reachable=seen.storage_reachable,
        ),
        _reachable(
            ConditionType.METRICS_REACHABLE,
            StudyReason.METRICS_UNREACHABLE,
            _away("metrics cannot be read: nothing is pruned", seen.metrics_trouble),
            reachable=seen.metrics_reachable,
        ),
        _progressing(seen, end, message),
        _suspended(seen),
        _succeeded(end, message),
    )


def reason(seen: Observation, end: End | None) -> StudyReason:
    """The one word for where a study stands."""
    if end:
        return end.reason
    if seen.interrupted:
        return StudyReason.INTERRUPTED
    if seen.spec.suspend:
        return StudyReason.SUSPENDED
    if not seen.storage_reachable:
        return StudyReason.STORAGE_UNREACHABLE
    return StudyReason.RUNNING


def phase(seen: Observation, end: End | None) -> str:
    """The column for people; nothing reads it back."""
    if end:
        return "Succeeded" if end.succeeded else "Failed"
    if seen.interrupted or seen.spec.suspend:
        return "Suspended"
    return "Running" if seen.trials else "Pending"


def _reachable(
    type_: ConditionType, unreachable: StudyReason, message: str, *, reachable: bool
) -> Condition:
    if reachable:
        return Condition(type_, Truth.TRUE, StudyReason.AS_EXPECTED)
    return Condition(type_, Truth.FALSE, unreachable, message)


def _away(words: str, trouble: str) -> str:
    return f"{words} ({clean(trouble)})" if trouble else words


def _progressing(seen: Observation, end: End | None, message: str) -> Condition:
    why = reason(seen, end)
    going = Truth.TRUE if why is StudyReason.RUNNING else Truth.FALSE
    return Condition(ConditionType.PROGRESSING, going, why, message)


def _suspended(seen: Observation) -> Condition:
    if seen.interrupted:
        return Condition(ConditionType.SUSPENDED, Truth.TRUE, StudyReason.INTERRUPTED)
    if seen.spec.suspend:
        return Condition(ConditionType.SUSPENDED, Truth.TRUE, StudyReason.SUSPENDED)
    return Condition(ConditionType.SUSPENDED, Truth.FALSE, StudyReason.AS_EXPECTED)


def _succeeded(end: End | None, message: str) -> Condition:
    if end is None:
        return Condition(ConditionType.SUCCEEDED, Truth.UNKNOWN, StudyReason.RUNNING)
    truth = Truth.TRUE if end.succeeded else Truth.FALSE
    return Condition(ConditionType.SUCCEEDED, truth, end.reason, message)
