"""A PostgreSQL server for this worker's whole run."""

from collections.abc import Iterator

import pytest

from tests.cluster.fixtures import unavailable
from tests.integration.storage import postgres as server
from tests.integration.storage.postgres import Postgres


@pytest.fixture(scope="session", name="postgres")
def _postgres() -> Iterator[Postgres]:
    """The server; it runs when a test begins and has to when the test ends."""
    found = server.programs()
    if found is None:
        unavailable("PostgreSQL's server is missing: make cluster-tools")
    with server.running(found) as running:
        yield running


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """A new, empty database."""
    return postgres.create_database()
