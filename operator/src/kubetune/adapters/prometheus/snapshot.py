"""The numbers of one study, as its newest status tells them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from kubetune.adapters.prometheus import families
from kubetune.adapters.prometheus.families import Family
from kubetune.domain.status import STUCK, ConditionType, StudyStatus, Truth, Wait
from kubetune.domain.values import Assignment, Value

SHOWN_PARAMETERS = 16
"""The most parameters of a trial that become labels."""
SHOWN_TEXT = 64
"""The longest text that becomes a label, in characters."""

_REACHABLE: Mapping[ConditionType, Family] = {
    ConditionType.STORAGE_REACHABLE: families.STORAGE_REACHABLE,
    ConditionType.METRICS_REACHABLE: families.METRICS_REACHABLE,
}

_STATES = ("Active", "Complete", "Pruned", "Failed", "Infeasible")

_WAITS = (*Wait, *STUCK)

_COUNTED = {families.REJECTED: "rejectedDraws", families.OUTCOMES: "outcomes"}

_Value: TypeAlias = tuple[Family, tuple[str, ...], float]
"""A metric, its labels beside the study's, and its number."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers of one study, without the trials that they came from."""

    phase: str
    values: tuple[_Value, ...]

    @classmethod
    def of(cls, status: StudyStatus, metric: str) -> "Snapshot":
        """Takes from a status what is shown; `metric` is the first objective's."""
        ended = (trial.value for trial in status.recent)
        values = [
            *_counts(status),
            *_figures(
                metric,
                best=status.best.value if status.best else None,
                baseline=status.baseline.value if status.baseline else None,
                last=next((value for value in ended if value is not None), None),
                improvement=status.improvement,
            ),
            *_usage(status),
            (families.WAITING, (), float(sum(status.waits.values()))),
            *((families.WAITS, (why,), float(status.waits.get(why, 0))) for why in _WAITS),
        ]
        for rank, trial in enumerate(status.top, 1):
            drawn = {
                name: trial.parameters[name] for name in trial.parameters if name in trial.active
            }
            values += _top(rank, trial.number, trial.value, drawn)
        for condition in status.conditions:
            values += _reachable(condition.type, condition.status)
        return cls(status.phase, tuple(values))

    @classmethod
    def recalled(
        cls, told: Mapping[str, Any], metric: str, drawn: Collection[str] = ()
    ) -> "Snapshot":
        """The same of a study that nobody follows, as far as its status on the wire tells.

        Of the best trials that is the first alone; `drawn` names the study's own parameters.
        """
        counts, best = told.get("trials") or {}, told.get("best") or {}
        values: list[_Value] = [
            (families.TRIALS, (state,), float(counts.get(state.lower(), 0))) for state in _STATES
        ]
        for family, field in _COUNTED.items():
            values += [(family, (name,), float(n)) for name, n in (told.get(field) or {}).items()]
        ended = (trial.get("value") for trial in told.get("recent") or ())
        values += _figures(
            metric,
            best=best.get("value"),
            last=next((value for value in ended if value is not None), None),
            improvement=best.get("improvement"),
        )
        hours = (told.get("budget") or {}).get("gpuHours")
        if hours is not None:
            values.append((families.GPU_HOURS, (), float(hours)))
        if best:
            used = best.get("parameters") or {}
            mine = {name: used[name] for name in drawn if name in used}
            values += _top(1, best.get("number"), best.get("value"), mine)
        for condition in told.get("conditions") or ():
            values += _reachable(condition.get("type"), condition.get("status"))
        return cls(told.get("phase") or "Unknown", tuple(values))


def _counts(status: StudyStatus) -> Iterator[_Value]:
    for state in _STATES:
        yield families.TRIALS, (state,), float(getattr(status.counts, state.lower()))
    for (state, reason), count in status.ends.items():
        yield families.ENDED, (state.value, reason.value), float(count)
    for name, count in status.counts.rejected.items():
        yield families.REJECTED, (name,), float(count)
    for name, count in status.outcomes.items():
        yield families.OUTCOMES, (name,), float(count)


def _figures(
    metric: str,
    *,
    best: float | None,
    last: float | None,
    improvement: float | None,
    baseline: float | None = None,
) -> Iterator[_Value]:
    for family, value in (
        (families.BEST, best),
        (families.BASELINE, baseline),
        (families.LAST, last),
        (families.IMPROVEMENT, improvement),
    ):
        if value is not None:
            yield family, (metric,), float(value)


def _usage(status: StudyStatus) -> Iterator[_Value]:
    used = status.usage
    if used.gpus is not None:
        yield families.GPUS, (), float(used.gpus)
    if used.gpu_hours is not None:
        yield families.GPU_HOURS, (), used.gpu_hours
    for name, share in used.shares.items():
        yield families.BUDGET_USED, (name,), share


def _top(rank: int, number: Any, value: float | None, drawn: Assignment) -> Iterator[_Value]:
    labels = (str(rank), str(number))
    if value is not None:
        yield families.TOP_VALUE, labels, float(value)
    for name, each in islice(drawn.items(), SHOWN_PARAMETERS):
        yield families.TOP_PARAMETER, (*labels, name, spelled(each)), 1.0


def _reachable(kind: Any, truth: Any) -> Iterator[_Value]:
    shown = _REACHABLE.get(kind)
    if shown and truth != Truth.UNKNOWN:
        yield shown, (), float(truth == Truth.TRUE)


def spelled(value: Value) -> str:
    """A parameter's value as a label: as YAML has it, numbers to six digits."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= SHOWN_TEXT else text[: SHOWN_TEXT - 1] + "…"
