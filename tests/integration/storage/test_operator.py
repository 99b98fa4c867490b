"""An operator whose database is a PostgreSQL server, or a file, that comes and goes."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant, running
from tests.integration.operator.stage import Play, Study, below, completes, played
from tests.integration.operator.stored import check_history
from tests.integration.storage.postgres import PASSWORD, Postgres

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace whose pods are played, and what an operator needs to follow it."""

    plane: ControlPlane
    namespace: str
    play: Play
    folder: Path

    def operator(
        self, storage: str | None = None, *, name: str = "", options: Sequence[str] = ()
    ) -> OperatorProcess:
        """An operator, not started yet; without `storage` its database is a file of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        spaces = [self.namespace]
        return OperatorProcess(
            self.plane, folder, namespaces=spaces, storage=storage, options=options
        )

    def study(self, **spec: Any) -> Study:
        """A study in the namespace."""
        return Study(self.plane, self.namespace, **spec)


@pytest.fixture
def place(studies: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Place]:
    """A place whose trials complete as soon as they run."""
    grant(studies)
    with played(studies, namespace) as play:
        yield Place(studies, namespace, play, tmp_path)


def test_a_study_outlives_its_operator_and_its_database(
    place: Place, postgres: Postgres, database_url: str
) -> None:
    """The operator is killed, the server crashes: no trial is lost or doubled, no secret is told.

    While the server is away nothing is launched, running trials go on, and their results are told
    once it is back.
    """
    operator = place.operator(database_url, options=["--verbose"])
    with running(operator):
        place.play.script = below(4)
        study = place.study(trials={"max": 14, "parallelism": 3})
        study.until(lambda: study.running == [4, 5, 6], "the first four to end")
        operator.kill()
        place.play.script = below(8)
        operator.start()
        study.until(lambda: study.running == [8, 9, 10], "four more to end")
        postgres.stop()
        launched = {job["metadata"]["uid"] for job in study.jobs}
        place.play.script = completes
        study.until(lambda: study.condition("StorageReachable")[0] == "False", "the outage to show")
        told = study.condition("StorageReachable")[1]
        assert "refused" in told
        assert "nothing is launched, results wait" in told
        assert {job["metadata"]["uid"] for job in study.jobs} <= launched
        assert operator.healthy()
        postgres.start()

        status = study.finish()
        assert status["trials"]["complete"] == 14
        assert study.condition("StorageReachable")[0] == "True"
        check_history(database_url, study, 14, place.play)
        shown = [operator.log, operator.metrics(), str(study.resource), *study.events]
        assert not any(PASSWORD in text for text in shown)


def test_an_operator_that_starts_before_its_database(
    place: Place, postgres: Postgres, database_url: str
) -> None:
    """It says of every study what it waits for, and begins once the server is there."""
    postgres.stop()
    operator = place.operator(database_url)
    with running(operator):
        study = place.study()
        study.until(lambda: study.condition("StorageReachable")[0] == "False", "the outage to show")
        assert "refused" in study.condition("StorageReachable")[1]
        assert PASSWORD not in str(study.resource) + operator.log
        postgres.start()
        assert study.finish()["trials"]["complete"] == 3
        check_history(database_url, study, 3, place.play)


def test_a_file_that_is_locked(place: Place) -> None:
    """A SQLite file that another program holds is away until it lets go."""
    operator = place.operator()
    with running(operator):
        place.play.script = below(0)
        study = place.study(trials={"max": 6, "parallelism": 2})
        study.until(lambda: len(study.running) == 2, "two trials to run")
        other = sqlite3.connect(place.folder / "operator.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        place.play.script = completes
        study.until(lambda: study.condition("StorageReachable")[0] == "False", "the lock to show")
        assert "database is locked" in study.condition("StorageReachable")[1]
        other.execute("ROLLBACK")
        other.close()
        assert study.finish()["trials"]["complete"] == 6
        check_history(operator.storage, study, 6, place.play)


def test_two_operators_by_mistake(place: Place, database_url: str) -> None:
    """Two on one database and one cluster end a study together; each trial ran and ended once."""
    one, other = [place.operator(database_url, name=name) for name in ("one", "other")]
    with running(one), running(other):
        study = place.study(trials={"max": 8, "parallelism": 2})
        assert study.finish()["trials"]["complete"] == 8
        check_history(database_url, study, 8, place.play)
        assert one.healthy()
        assert other.healthy()


def test_a_file_whose_folder_is_missing(place: Place) -> None:
    """A volume that is not mounted yet is waited for; nothing is made in its stead."""
    folder = place.folder / "volume"
    operator = place.operator(f"sqlite:///{folder / 'operator.db'}")
    with running(operator):
        study = place.study()
        study.until(lambda: study.condition("StorageReachable")[0] == "False", "word of the file")
        assert "unable to open database file" in study.condition("StorageReachable")[1]
        assert not folder.exists()
        folder.mkdir()
        assert study.finish()["trials"]["complete"] == 3
        check_history(operator.storage, study, 3, place.play)
