"""Two operators on one database by mistake: they disturb each other, and nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from kubetune.adapters.optuna.history import read_trials
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.builders import NOW, make_outcome, make_study
from tests.fakes.clock import FakeClock
from tests.integration.storage import writer
from tests.integration.storage.writer import Writer

_Pair = tuple[OptunaStore, OptunaStore]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.db'}"
    return str(request.getfixturevalue("database_url"))


@pytest.fixture
async def pair(url: str) -> AsyncIterator[_Pair]:
    """Two stores of one study, which have both read the same."""
    one, other = [await OptunaStore.open(url, "study", make_study(), FakeClock()) for _ in range(2)]
    yield one, other
    await one.close()
    await other.close()


async def test_no_number_is_given_twice(pair: _Pair, url: str) -> None:
    """Whoever did not see the other's draw draws nothing, and goes on from it the next time."""
    one, other = pair
    await one.draw(1)
    with pytest.raises(StorageUnreachable, match="another program writes in this study"):
        await other.draw(1)
    assert [trial.number for trial in await other.trials()] == [0]
    assert [trial.number for trial in (await other.draw(1)).trials] == [1]
    assert [trial.number for trial in read_trials(url, "study")] == [0, 1]


async def test_the_first_end_of_a_trial_counts(pair: _Pair) -> None:
    """A trial that the other has told stays as it was told."""
    one, other = pair
    await one.draw(1)
    with suppress(StorageUnreachable):
        await other.draw(1)
    await other.trials()
    assert await one.tell(0, make_outcome(0.25), NOW, NOW + 1)
    with pytest.raises(StorageUnreachable):
        await other.tell(0, make_outcome(0.75), NOW, NOW + 1)
    assert not await other.tell(0, make_outcome(0.75), NOW, NOW + 1)
    (trial,) = await other.trials()
    assert trial.outcome == make_outcome(0.25)


async def test_what_the_other_wrote_is_read_when_asked_for(pair: _Pair) -> None:
    """Without a write of its own that fails, nobody reads again by itself."""
    one, other = pair
    await one.draw(1)
    assert await other.trials() == ()
    assert await other.trials(anew=True) == await one.trials()


async def test_no_retry_is_counted_twice(pair: _Pair) -> None:
    """Both have seen the same pod evicted; it was one disruption."""
    one, other = pair
    await one.draw(1)
    with suppress(StorageUnreachable):
        await other.draw(1)
    await other.trials()
    await one.retry(0, 2, TrialReason.DISRUPTED, {})
    with pytest.raises(StorageUnreachable):
        await other.retry(0, 2, TrialReason.DISRUPTED, {})
    await other.retry(0, 2, TrialReason.DISRUPTED, {})
    (trial,) = await other.trials()
    assert (trial.attempt, trial.disruptions) == (2, 1)


async def test_two_processes_together_make_one_history(url: str) -> None:
    """Drawing and telling as fast as they can, they bring every number once, ended once."""
    store = await OptunaStore.open(url, "study", make_study(), FakeClock())
    await store.close()
    writers = [await Writer.start(url, trials=12) for _ in range(2)]
    told = await asyncio.gather(*(each.told() for each in writers))
    assert sum(map(len, told)) == len({number for numbers in told for number in numbers})
    trials = read_trials(url, "study")
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert len(trials) >= 12
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert all(trial.outcome == writer.outcome(trial) for trial in trials)
