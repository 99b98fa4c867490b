"""A real API server takes everything that the chart makes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart import settings
from tests.cluster import monitoring
from tests.cluster.control_plane import ControlPlane
from tests.cluster.helm import CHART, helm, rendered

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    """A cluster that knows the Prometheus operator's kinds, and has the teams' namespaces."""
    monitoring.apply(control_plane)
    for name in settings.TEAMS:
        control_plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return control_plane


@pytest.fixture(scope="module")
def place(plane: ControlPlane) -> Iterator[str]:
    """A namespace for the release that no other test has."""
    name = plane.create_namespace("release")
    yield name
    plane.delete_namespace(name)


@pytest.mark.parametrize("values", settings.ALL.values(), ids=settings.ALL)
def test_the_server_takes_every_object(
    plane: ControlPlane, place: str, values: dict[str, Any]
) -> None:
    """`helm template | kubectl apply --dry-run=server`, strictly: no unknown field anywhere."""
    objects = rendered(values, *monitoring.options(), namespace=place)
    text = "\n---\n".join(json.dumps(each) for each in objects)
    words = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    said = plane.kubectl(*words, "-f", "-", stdin=text)
    assert said.count("serverside-applied (server dry run)") == len(objects)


def test_notes_say_what_to_do_next(plane: ControlPlane, place: str) -> None:
    """Of a real dry run: how to wait, to tune and to get the result; what is missing."""
    words = ("install", "kubetune", str(CHART), f"--namespace={place}", "--dry-run=server")
    said = helm(*words, "--set=crds.enabled=false", plane=plane)
    notes = said.partition("NOTES:")[2]
    for words in (
        "kubectl rollout status",
        "kubectl apply -n NAMESPACE -f study.yaml",
        "kubetune report",
    ):
        assert words in notes
    assert "Without prometheus.url no trial is pruned" in notes
