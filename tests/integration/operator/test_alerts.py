"""The chart's alerts in a real Prometheus, over what a real operator shows of itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cluster.requests import wait_until
from tests.integration.operator.stage import below
from tests.integration.operator.theatre import Theatre
from tests.integration.prometheus.server import Prometheus, prometheus

ALERTS = Path(__file__).parents[3] / "charts" / "kubetune" / "rules" / "alerts.yaml"
TRIALS = {"max": 8, "parallelism": 2}


@pytest.fixture
def watch(theatre: Theatre, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the operator, with the chart's alerts in a hurry.

    Minutes are six seconds, hours a minute, and no alert waits for longer than one second.
    """
    text = re.sub(r"\d+m\]", "6s]", ALERTS.read_text())
    text = re.sub(r"for: \d+m", "for: 1s", re.sub(r"\b\dh\b", "1m", text))
    (tmp_path / "alerts.yaml").write_text(text)
    with prometheus(tmp_path, tmp_path / "alerts.yaml") as server:
        server.scrape(f"127.0.0.1:{theatre.operator.metrics_port}", namespace="kubetune")
        yield server


def firing(server: Prometheus) -> set[tuple[str, ...]]:
    """Each alert that fires: its name, and where."""
    with urlopen(f"{server.url}/api/v1/alerts", timeout=10) as answer:
        alerts = json.load(answer)["data"]["alerts"]
    return {
        (labels["alertname"], labels.get("namespace", ""), labels.get("study", ""))
        for labels in (each["labels"] for each in alerts if each["state"] == "firing")
    }


def known(server: Prometheus) -> bool:
    """Whether the operator has been scraped, and the rules worked out since."""
    asked = "count_over_time(kubetune_build_info[1m])%20%3E%2020"
    with urlopen(f"{server.url}/api/v1/query?query={asked}", timeout=10) as answer:
        return bool(json.load(answer)["data"]["result"])


@pytest.mark.timeout(300)
def test_alerts_come_and_go_with_what_they_are_about(theatre: Theatre, watch: Prometheus) -> None:
    """Idle: none. Unscraped trials, a quota, a dead operator: each its own, with its labels."""
    wait_until(lambda: known(watch), "the operator's metrics")
    assert firing(watch) == set()

    theatre.play.script = below(0)
    busy = theatre.study("busy", trials=TRIALS)
    unseen = {
        ("KubetunePrometheusUnreachable", busy.namespace, ""),
        ("KubetuneMetricsMissing", busy.namespace, ""),
    }
    wait_until(lambda: firing(watch) == unseen, "the trials to be missed")

    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-jobs"},
        "spec": {"hard": {"count/jobs.batch": "0"}},
    }
    theatre.plane.apply(quota, theatre.other_namespace)
    full = theatre.study("full", namespace=theatre.other_namespace, trials=TRIALS)
    stalled = {("KubetuneStudyStalled", full.namespace, "full")}
    wait_until(lambda: firing(watch) == unseen | stalled, "the study that cannot launch")

    theatre.operator.kill()
    gone = ("KubetuneOperatorGone", "kubetune", "")
    wait_until(lambda: gone in firing(watch), "the operator to be missed")
    theatre.operator.start()
    wait_until(lambda: firing(watch) == unseen | stalled, "the same as before")

    busy.delete()
    full.delete()
    wait_until(lambda: firing(watch) == set(), "peace")
