"""Katib's collector for Prometheus: queries for a program that serves its values itself."""

import re
from typing import Any

from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.convert.objective import Metrics
from kubetune.domain.faults import Path

PORT, ADDRESS = 8080, "/metrics"
"""Katib's own defaults."""

NAMED = "metrics"
"""The port of a trial that is scraped."""

_PATH: Path = ("spec", "metricsCollectorSpec")
_SERIES = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*", re.ASCII)


def convert(
    experiment: Experiment, draft: Draft, metrics: Metrics, trainer: dict[str, Any]
) -> None:
    """Writes the queries, and names the port that is scraped."""
    where = (*_PATH, "source", "httpGet")
    experiment.mapping(where)
    port = experiment.whole((*where, "port"), least=1) or PORT
    address = experiment.text((*where, "path")) or ADDRESS
    queries = [
        {"name": name, "promQL": theirs if _SERIES.fullmatch(theirs) else name}
        for theirs, name in metrics.items()
    ]
    draft.put("metrics", {"queries": queries}, _PATH)
    _name_port(trainer, port)
    if address != ADDRESS:
        template = draft.spec["trialTemplate"]
        metadata = template.setdefault("metadata", {})
        annotations = metadata.setdefault("annotations", {})
        annotations.setdefault("prometheus.io/path", address)
        draft.spec["trialTemplate"] = {"metadata": metadata, "spec": template["spec"]}
    message = (
        f"PrometheusMetric: Prometheus has to scrape port {port} of the trials' pods (their port "
        f"metrics) at {address} while they run; a trial that ends before has no value"
    )
    draft.note(Kind.TO_DO, (*_PATH, "collector", "kind"), message, ("spec", "metrics"))


def _name_port(trainer: dict[str, Any], number: int) -> None:
    ports = trainer.setdefault("ports", [])
    if not isinstance(ports, list):
        return
    for port in ports:
        if isinstance(port, dict) and port.get("containerPort") == number and "name" not in port:
            port["name"] = NAMED
            return
    if not any(isinstance(port, dict) and port.get("name") == NAMED for port in ports):
        ports.append({"name": NAMED, "containerPort": number})
