"""The chart's life on a real cluster: helm installs it, a study ends, helm takes it away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.operators import status_of
from tests.cluster.requests import wait_until
from tests.e2e.installed import Installed, bare_cluster

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-digits" / "study.yaml"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def bare(worker_name: str) -> Iterator[Cluster]:
    with bare_cluster(f"chart-{worker_name}") as cluster:
        yield cluster


def test_an_installed_chart_tunes_the_first_example(bare: Cluster, tmp_path: Path) -> None:
    """`helm install`, `kubectl apply`: the study succeeds with the rights that the chart gives."""
    release = Installed(bare, tmp_path / "data")
    plane = bare.plane
    said = release.install()
    print(said)
    team = plane.create_namespace("team")
    plane.apply(EXAMPLE, team)
    try:
        wait_until(lambda: status_of(plane, team, "digits").get("completionTime"), "the study", 300)
    finally:
        print(release.log()[-3000:])
    assert status_of(plane, team, "digits")["phase"] == "Succeeded"
