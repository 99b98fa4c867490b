"""A study can be read without its manifest."""

import sqlite3
from pathlib import Path

import optuna
import pytest

from kubetune.adapters.optuna import history
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.study import Direction, Objective, SamplerAlgorithm
from tests.builders import ACCURACY, NOW, make_outcome, make_points
from tests.fakes.clock import FakeClock
from tests.unit.adapters.optuna.studies import study

COST = Objective(metric="cost", direction=Direction.MINIMIZE)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/study.db"


async def test_reads_trials_and_objectives(url: str) -> None:
    """What is read is what the store holds, with the objectives in order."""
    spec = study(SamplerAlgorithm.RANDOM, objectives=(ACCURACY, COST))
    store = await OptunaStore.open(url, "mine", spec, FakeClock())
    await store.draw(3)
    await store.record(0, make_points(0.1, 0.2))
    await store.tell(0, make_outcome(values=(0.2, 5.0)), NOW, NOW + 1)
    trials = await store.trials()
    await store.close()
    found = history.read_history(url, "mine")
    assert found.trials == history.read_trials(url, "mine") == trials
    assert found.objectives == (("accuracy", Direction.MAXIMIZE), ("cost", Direction.MINIMIZE))


async def test_names_our_studies_alone(url: str) -> None:
    """Studies of other programs in the same database are not listed."""
    for name in ("second", "first"):
        store = await OptunaStore.open(url, name, study(SamplerAlgorithm.RANDOM), FakeClock())
        await store.close()
    optuna.create_study(storage=url, study_name="theirs")
    assert history.study_names(url) == ("first", "second")
    with pytest.raises(ValueError, match="theirs"):
        history.read_trials(url, "theirs")


def test_says_that_there_is_no_such_study(url: str) -> None:
    """An unknown name is a KeyError with that name."""
    with pytest.raises(KeyError, match="nobody"):
        history.read_trials(url, "nobody")


def test_says_that_there_is_no_database(tmp_path: Path) -> None:
    """A database that cannot be opened is unreachable."""
    with pytest.raises(StorageUnreachable):
        history.study_names(f"sqlite:///{tmp_path}/missing/study.db")


def test_reading_a_strange_database_leaves_it_as_it_is(tmp_path: Path) -> None:
    """Somebody else's file gets no tables, no journal mode, not a byte."""
    file = tmp_path / "other.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    assert history.study_names(f"sqlite:///{file}") == ()
    with pytest.raises(KeyError):
        history.read_trials(f"sqlite:///{file}", "any")
    assert file.read_bytes() == before
