"""What studies stand at, as metrics: made from their newest statuses when somebody asks."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kubetune.adapters.prometheus import families
from kubetune.adapters.prometheus.families import Family
from kubetune.domain.status import STUCK, ConditionType, StudyStatus, Truth, Wait

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
        values: list[_Value] = [
            (families.TRIALS, (state,), float(getattr(status.counts, state.lower())))
            for state in _STATES
        ]
        values += [
            (families.REJECTED, (name,), float(n)) for name, n in status.counts.rejected.items()
        ]
        values += [(families.OUTCOMES, (name,), float(n)) for name, n in status.outcomes.items()]
        ended = (trial.value for trial in status.recent)
        for family, value in (
            (families.BEST, status.best.value if status.best else None),
            (families.BASELINE, status.baseline.value if status.baseline else None),
            (families.LAST, next((value for value in ended if value is not None), None)),
            (families.IMPROVEMENT, status.improvement),
        ):
            if value is not None:
                values.append((family, (metric,), value))
        values.append((families.WAITING, (), float(sum(status.waits.values()))))
        values += [(families.WAITS, (why,), float(status.waits.get(why, 0))) for why in _WAITS]
        for condition in status.conditions:
            shown = _REACHABLE.get(condition.type)
            if shown and condition.status is not Truth.UNKNOWN:
                values.append((shown, (), float(condition.status is Truth.TRUE)))
        return cls(status.phase, tuple(values))

    @classmethod
    def recalled(cls, told: Mapping[str, Any], metric: str) -> "Snapshot":
        """The same of a study that nobody follows, as far as its status on the wire tells."""
        counts, best = told.get("trials") or {}, told.get("best") or {}
        values: list[_Value] = [
            (families.TRIALS, (state,), float(counts.get(state.lower(), 0))) for state in _STATES
        ]
        for family, field in _COUNTED.items():
            values += [(family, (name,), float(n)) for name, n in (told.get(field) or {}).items()]
        ended = (trial.get("value") for trial in told.get("recent") or ())
        for family, value in (
            (families.BEST, best.get("value")),
            (families.LAST, next((value for value in ended if value is not None), None)),
            (families.IMPROVEMENT, best.get("improvement")),
        ):
            if value is not None:
                values.append((family, (metric,), float(value)))
        for condition in told.get("conditions") or ():
            shown = _REACHABLE.get(condition.get("type"))
            if shown and condition.get("status") != Truth.UNKNOWN:
                values.append((shown, (), float(condition.get("status") == Truth.TRUE)))
        return cls(told.get("phase") or "Unknown", tuple(values))


class Projection(Collector):
    """Holds one snapshot a study. A removed study's series are gone at the next scrape."""

    def __init__(self) -> None:
        self._studies: dict[tuple[str, str], Snapshot] = {}

    def put(self, namespace: str, study: str, snapshot: Snapshot) -> None:
        """Replaces what is known of a study."""
        self._studies[namespace, study] = snapshot

    def remove(self, namespace: str, study: str) -> None:
        """Forgets a study."""
        self._studies.pop((namespace, study), None)

    def describe(self) -> Iterator[Metric]:
        """No samples: at registration there are no studies."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Called by the server's thread: looks at a copy."""
        studies = self._studies.copy()
        phases = _empty(families.STUDIES)
        for phase, count in Counter(one.phase for one in studies.values()).items():
            phases.add_metric([phase], float(count))
        yield phases
        found = {family: _empty(family) for family in families.FAMILIES if _is_study(family)}
        for study, snapshot in studies.items():
            for family, labels, value in snapshot.values:
                found[family].add_metric([*study, *labels], value)
        yield from found.values()


def _is_study(family: Family) -> bool:
    return family.name.startswith("kubetune_study_")


def _empty(family: Family) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=family.labels)
