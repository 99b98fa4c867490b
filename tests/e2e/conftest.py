"""One operator for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.lab import Lab, opened


@pytest.fixture(scope="module")
def lab(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A namespace whose studies are followed."""
    with opened(cluster, tmp_path_factory.mktemp("lab")) as lab:
        yield lab
