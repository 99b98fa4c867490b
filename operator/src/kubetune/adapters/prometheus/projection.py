"""What studies stand at, as metrics: made from their newest statuses when somebody asks."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kubetune.adapters.prometheus import families
from kubetune.adapters.prometheus.families import Family
from kubetune.adapters.prometheus.snapshot import Snapshot


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
            found[families.PHASE].add_metric([*study, snapshot.phase], 1.0)
            for family, labels, value in snapshot.values:
                found[family].add_metric([*study, *labels], value)
        yield from found.values()


def _is_study(family: Family) -> bool:
    return family.name.startswith("kubetune_study_")


def _empty(family: Family) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=family.labels)
