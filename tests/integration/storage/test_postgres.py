"""PostgreSQL keeps the stores' contract, and goes away as a server does."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import optuna
import pytest
from sqlalchemy import Connection

from kubetune.adapters.optuna import database
from kubetune.adapters.optuna.database import Database
from kubetune.adapters.optuna.history import read_trials
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import TrialState
from tests.builders import NOW, make_outcome, make_study
from tests.contract.store_contract import StoreContract
from tests.contract.store_course_contract import StoreCourseContract
from tests.contract.test_stores import Reopening
from tests.fakes.clock import FakeClock
from tests.integration.storage.postgres import PASSWORD, USER, Postgres


@pytest.fixture(scope="module")
def contract_url(postgres: Postgres) -> Iterator[str]:
    """One database and its connections for the whole contract: each test has its own study."""
    url = postgres.create_database()
    held = Database.acquire(url)
    yield url
    held.release()


class TestPostgresStore(StoreContract, StoreCourseContract):
    @pytest.fixture(autouse=True)
    def _url(self, contract_url: str) -> None:
        self.url = contract_url

    @asynccontextmanager
    async def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AsyncIterator[OptunaStore]:
        store = await OptunaStore.open(self.url, str(folder), spec, clock)
        yield store
        await store.close()


class TestPostgresStoreReopened(StoreContract, StoreCourseContract):
    @pytest.fixture(autouse=True)
    def _url(self, contract_url: str) -> None:
        self.url = contract_url

    @asynccontextmanager
    async def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AsyncIterator[Reopening]:
        yield Reopening(self.url, spec, clock, name=str(folder))


async def test_optuna_reads_what_is_stored(database_url: str) -> None:
    """Optuna's own tools open the database, and its schema is theirs."""
    store = await OptunaStore.open(database_url, "study", make_study(), FakeClock())
    await store.draw(2)
    await store.tell(0, make_outcome(0.5), NOW, NOW + 1)
    await store.close()
    storage = optuna.storages.RDBStorage(database_url)
    theirs = optuna.load_study(study_name="study", storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    assert [trial.value for trial in theirs] == [0.5, None]


async def test_a_restarted_server_is_met_again(postgres: Postgres, database_url: str) -> None:
    """Connections that a restart has cut are made anew, without an error for anybody."""
    store = await OptunaStore.open(database_url, "study", make_study(), FakeClock())
    await store.draw(1)
    postgres.stop()
    postgres.start()
    await store.draw(1)
    assert [trial.number for trial in await store.trials()] == [0, 1]
    await store.close()


async def test_says_that_the_server_is_away(postgres: Postgres, database_url: str) -> None:
    """In the driver's words, without the password; what was asked for is not done by halves."""
    store = await OptunaStore.open(database_url, "study", make_study(), FakeClock())
    await store.draw(1)
    postgres.stop()
    try:
        with pytest.raises(StorageUnreachable, match="refused") as away:
            await store.tell(0, make_outcome(0.5), NOW, NOW + 1)
        with pytest.raises(StorageUnreachable):
            await store.trials()
    finally:
        postgres.start()
    assert PASSWORD not in str(away.value)
    assert (await store.trials())[0].state is TrialState.RUNNING
    assert await store.tell(0, make_outcome(0.5), NOW, NOW + 1)
    await store.close()
    assert len(read_trials(database_url, "study")) == 1


async def test_says_that_the_password_is_wrong(database_url: str) -> None:
    """And shows neither the wrong one nor the right one."""
    url = database_url.replace(PASSWORD, "not-the-secret")
    with pytest.raises(StorageUnreachable, match="password authentication failed") as refused:
        await OptunaStore.open(url, "study", make_study(), FakeClock())
    assert "not-the-secret" not in str(refused.value)


async def test_a_silent_server_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes connections and says nothing holds no study up for ever."""
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/any"
        with pytest.raises(StorageUnreachable, match="timeout") as away:
            await OptunaStore.open(url, "study", make_study(), FakeClock())
    assert PASSWORD not in str(away.value)


async def test_the_url_says_how_long_to_wait(postgres: Postgres, database_url: str) -> None:
    """What somebody wrote into it counts, keepalives are set where it says nothing."""
    url = f"{database_url}?connect_timeout=3&keepalives_idle=77"
    shared = Database.acquire(url)
    store = await OptunaStore.open(url, "study", make_study(), FakeClock())
    try:
        told = await shared.call(lambda: shared.transaction(_connection_settings))
    finally:
        await store.close()
        shared.release()
    assert (told["connect_timeout"], told["keepalives_idle"]) == ("3", "77")
    assert told["tcp_user_timeout"] == "25000"


def _connection_settings(connection: Connection) -> dict[str, str]:
    return dict(connection.connection.driver_connection.info.get_parameters())


async def test_says_which_right_is_missing(postgres: Postgres, database_url: str) -> None:
    """Whose role may not make tables, or not write to them, is told in the server's words."""
    name = database_url.rpartition("/")[2]
    postgres.run_sql(f"CREATE ROLE guest_{name} LOGIN PASSWORD 'guest'")
    guest = database_url.replace(f"{USER}:{PASSWORD}", f"guest_{name}:guest")
    with pytest.raises(StorageUnreachable, match="permission denied for schema public"):
        await OptunaStore.open(guest, "study", make_study(), FakeClock())
    await (await OptunaStore.open(database_url, "study", make_study(), FakeClock())).close()
    with pytest.raises(StorageUnreachable, match="permission denied for table"):
        await OptunaStore.open(guest, "study", make_study(), FakeClock())
