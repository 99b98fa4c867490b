"""Metrics are declared once, and all that is declared is shown."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.adapters.prometheus.families import FAMILIES


def test_every_declared_metric_is_shown_as_declared() -> None:
    """Name and kind of what is shown are those of the declaration, and nothing else is shown."""
    text = generate_latest(Exporter().registry).decode()
    found = {family.name: family.type for family in text_string_to_metric_families(text)}
    stray = {name for name in found if name.endswith("_created")}
    declared = {family.name.removesuffix("_total"): family.kind for family in FAMILIES}
    assert {name: kind for name, kind in found.items() if name not in stray} == declared


def test_names_follow_prometheus_custom() -> None:
    """Counters end in _total, durations in _seconds; who labels by trial labels by rank."""
    for family in FAMILIES:
        assert family.name.startswith("kubetune_")
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert (family.kind == "histogram") == family.name.endswith("_seconds")
        assert ("trial" in family.labels) == ("rank" in family.labels)
