"""Beyond the contract: what Optuna reads, what a failed write leaves, what may change."""

import asyncio
import math
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from kubetune.adapters.optuna import database, drawing
from kubetune.adapters.optuna.mirror import Asking
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.expressions import compile_expression
from kubetune.domain.faults import InvalidSpec
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Constraint, Double, Space
from kubetune.domain.study import (
    InitialTrial,
    OutcomeConstraint,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
)
from kubetune.domain.trial import Outcome, Point, TrialState
from tests.builders import NOW, make_outcome, make_points
from tests.fakes.clock import FakeClock
from tests.unit.adapters.optuna.studies import HERE, MIXED, SCOPE, failed, scored, study

RANDOM = study(SamplerAlgorithm.RANDOM)
PRUNED = Outcome(TrialState.PRUNED, TrialReason.PRUNED)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[OptunaStore]:
    store = await _open(url)
    yield store
    await store.close()


async def _open(url: str, spec: StudySpec = RANDOM) -> OptunaStore:
    return await OptunaStore.open(url, "study", spec, FakeClock())


def _theirs(url: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="study", storage=url).trials


async def test_optuna_reads_the_trials(url: str) -> None:
    """Optuna's own tools see states, parameters, values, curves, constraints and times."""
    limits = (OutcomeConstraint(metric="black", max=0.1),)
    store = await _open(url, study(SamplerAlgorithm.RANDOM, outcome_constraints=limits))
    trials = (await store.draw(5)).trials
    await store.tell(0, make_outcome(0.75, constraints=(-0.1,)), NOW, NOW + 5)
    await store.record(1, (*make_points(0.1, math.nan), Point(2.5, {"accuracy": 0.4})))
    await store.tell(1, PRUNED, NOW, NOW + 5)
    await store.tell(2, failed(TrialReason.CRASHED), None, NOW + 5)
    broken = make_outcome(0.9, state=TrialState.INFEASIBLE, constraints=(0.5,))
    await store.tell(3, broken, NOW, NOW + 5)
    await store.close()
    theirs = _theirs(url)
    assert [trial.state for trial in theirs] == [
        OptunaState.COMPLETE,
        OptunaState.PRUNED,
        OptunaState.FAIL,
        OptunaState.COMPLETE,
        OptunaState.RUNNING,
    ]
    for ours, trial in zip(trials, theirs, strict=True):
        assert trial.params == {name: ours.parameters[name] for name in ours.active}
    assert [trial.values for trial in theirs] == [[0.75], [0.4], None, [0.9], None]
    assert theirs[1].intermediate_values == {1: 0.1, 2: 0.4}
    assert [trial.constraints for trial in theirs[::3]] == [{"black": -0.1}, {"black": 0.5}]
    assert theirs[0].duration is not None
    assert theirs[0].duration.total_seconds() == 5


async def test_optuna_finds_the_best_feasible_trial(url: str) -> None:
    """Infeasible trials do not count as best for Optuna's tools."""
    limits = (OutcomeConstraint(metric="black", max=0.1),)
    store = await _open(url, study(SamplerAlgorithm.RANDOM, outcome_constraints=limits))
    await store.draw(2)
    await store.tell(0, make_outcome(0.75, constraints=(-0.1,)), NOW, NOW)
    broken = make_outcome(0.9, state=TrialState.INFEASIBLE, constraints=(0.5,))
    await store.tell(1, broken, NOW, NOW)
    await store.close()
    assert optuna.load_study(study_name="study", storage=url).best_trial.number == 0


async def test_writes_nothing_of_what_it_refuses(store: OptunaStore, url: str) -> None:
    """An infinite value is refused before anything is written."""
    await store.draw(1)
    with pytest.raises(ValueError, match="Diverged"):
        await store.tell(0, make_outcome(math.inf), None, NOW)
    assert _theirs(url)[0].state is OptunaState.RUNNING
    assert _theirs(url)[0].values is None


async def test_a_failing_draw_leaves_no_row(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampler that raises leaves no running trial behind, and the next draw goes on."""
    store = await _open(url, study())
    for number in range(4):
        await store.draw(1)
        await store.tell(number, scored((await store.trials())[number]), None, NOW)
    propose = Asking.propose

    def broken(_: Asking) -> dict[str, float | int]:
        raise ZeroDivisionError

    monkeypatch.setattr(Asking, "propose", broken)
    with pytest.raises(ZeroDivisionError):
        await store.draw(2)
    assert len(_theirs(url)) == len(await store.trials()) == 4
    monkeypatch.setattr(Asking, "propose", propose)
    assert [trial.number for trial in (await store.draw(1)).trials] == [4]
    await store.close()


async def test_a_draw_holds_up_no_other_study(
    url: str, store: OptunaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model takes up to a second for a draw; results of other studies do not wait for it."""
    other = await OptunaStore.open(url, "other", RANDOM, FakeClock())
    await other.draw(1)
    began, go_on = threading.Event(), threading.Event()
    draft = drawing.Drafter.draft

    def slow(self: drawing.Drafter, history: Any) -> Any:
        began.set()
        assert go_on.wait(60)
        return draft(self, history)

    monkeypatch.setattr(drawing.Drafter, "draft", slow)
    drawn = asyncio.create_task(store.draw(1))
    await asyncio.to_thread(began.wait, 60)
    assert await other.tell(0, make_outcome(0.5), NOW, NOW)
    assert not drawn.done()
    go_on.set()
    assert [trial.number for trial in (await drawn).trials] == [0]
    await other.close()


async def test_a_draw_rests_on_all_that_was_written_before_it_is_stored(
    store: OptunaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another history would have drawn is not stored: it is drawn anew."""
    await store.draw(1)
    began, go_on = threading.Event(), threading.Event()
    draft, seen = drawing.Drafter.draft, list[tuple[int, ...]]()

    def slow(self: drawing.Drafter, history: Any) -> Any:
        seen.append(tuple(len(record.trial.curve) for record in history))
        began.set()
        assert go_on.wait(60)
        return draft(self, history)

    monkeypatch.setattr(drawing.Drafter, "draft", slow)
    drawn = asyncio.create_task(store.draw(1))
    await asyncio.to_thread(began.wait, 60)
    await store.record(0, make_points(0.5))
    go_on.set()
    assert [trial.number for trial in (await drawn).trials] == [1]
    assert seen == [(0,), (1,)]


@pytest.mark.parametrize("algorithm", HERE)
async def test_reopening_changes_no_draw(
    url: str, tmp_path: Path, algorithm: SamplerAlgorithm
) -> None:
    """A study whose tuner is restarted before every draw draws what an undisturbed one does."""
    spec = study(algorithm)
    steady = await _open(url, spec)
    other = f"sqlite:///{tmp_path}/other.db"
    for number in range(14):
        restarted = await _open(other, spec)
        for store in (steady, restarted):
            trial = (await store.draw(1)).trials[0]
            if number % 3:
                await store.tell(number, scored(trial), None, NOW)
        await restarted.close()
    restarted = await _open(other, spec)
    assert await restarted.trials() == await steady.trials()
    await restarted.close()
    await steady.close()


async def test_starts_where_the_seed_would_repeat(store: OptunaStore, url: str) -> None:
    """Draws after a restart do not begin the seed's sequence again."""
    before = (await store.draw(3)).trials
    again = await _open(url)
    after = (await again.draw(3)).trials
    await again.close()
    values = {trial.parameters["x"] for trial in (*before, *after)}
    assert len(values) == 6


async def test_an_initial_trial_uses_no_draw_up(url: str) -> None:
    """A grid of five, with an initial trial that is one of them, draws the other four."""
    space = Space(parameters=(Double(name="x", low=0, high=1, step=0.25),))
    spec = study(SamplerAlgorithm.GRID, space=space)
    store = await _open(url, spec)
    await store.add_initial(InitialTrial(name="mine", parameters={"x": 0.5}), None)
    drawn = await store.draw(9)
    await store.close()
    assert drawn.exhausted
    assert sorted(trial.parameters["x"] for trial in drawn.trials) == [0, 0.25, 0.75, 1]  # type: ignore[type-var]


async def test_counts_what_was_turned_down(url: str) -> None:
    """Rejected draws are counted by constraint, in the draw and in the trial."""
    thin = Constraint(
        name="thin", forbid=compile_expression("x < 0.9", SCOPE), accept_probability=0.05
    )
    store = await _open(url, replace(RANDOM, space=replace(MIXED, constraints=(thin,))))
    drawn = await store.draw(10)
    await store.close()
    assert drawn.rejected["thin"] > 10
    assert sum(trial.rejected.get("thin", 0) for trial in drawn.trials) == drawn.rejected["thin"]


async def test_a_locked_database_changes_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database does not answer, writes fail and change nothing; then all goes on."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    store = await _open(url)
    await store.draw(1)
    before = await store.trials()
    other = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writes: list[Callable[[], Any]] = [
        lambda: store.draw(1),
        lambda: store.add_initial(InitialTrial(name="a", parameters=before[0].parameters), None),
        lambda: store.record(0, make_points(0.5)),
        lambda: store.started(0, 1, NOW),
        lambda: store.retry(0, 2, TrialReason.DISRUPTED, {}),
        lambda: store.tell(0, make_outcome(), None, NOW),
    ]
    for write in writes:
        with pytest.raises(StorageUnreachable, match="locked"):
            await write()
    other.execute("ROLLBACK")
    other.close()
    assert await store.trials() == before
    for write in writes:
        await write()
    assert [trial.number for trial in await store.trials()] == [0, 1, 2]
    await store.close()


async def test_a_commit_without_an_answer_is_read_again(
    store: OptunaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draw that reached the database though its answer got lost is found, not repeated."""
    transaction = store._database.transaction

    def lost(work: Callable[[Any], Any]) -> Any:
        transaction(work)
        raise StorageUnreachable("lost")

    monkeypatch.setattr(store._database, "transaction", lost)
    with pytest.raises(StorageUnreachable):
        await store.draw(1)
    monkeypatch.setattr(store._database, "transaction", transaction)
    assert [trial.number for trial in await store.trials()] == [0]
    assert [trial.number for trial in (await store.draw(1)).trials] == [1]


async def test_a_study_with_trials_may_not_change(store: OptunaStore, url: str) -> None:
    """Objectives, space and sampler are fixed by the first trial; every changed field is named."""
    await store.draw(1)
    space = Space(parameters=(Double(name="x", low=0, high=2),))
    changed = study(SamplerAlgorithm.RANDOM, space=space)
    with pytest.raises(InvalidSpec, match=r"spec\.parameters") as refused:
        await _open(url, changed)
    assert [fault.path[-1] for fault in refused.value.faults] == ["parameters", "constraints"]


async def test_a_study_without_trials_may_change(store: OptunaStore, url: str) -> None:
    """Before the first trial everything may change."""
    del store
    sampler = Sampler(algorithm=SamplerAlgorithm.GRID)
    again = await _open(url, replace(RANDOM, sampler=sampler))
    await again.draw(1)
    await again.close()
    with pytest.raises(InvalidSpec, match=r"spec\.sampler"):
        await _open(url)


async def test_what_else_may_change(store: OptunaStore, url: str) -> None:
    """Budgets, messages and fixed values may change at any time."""
    await store.draw(1)
    trials = replace(RANDOM.trials, max=99)
    space = replace(MIXED, fixed={"epochs": 9})
    again = await _open(url, replace(RANDOM, trials=trials, space=space))
    assert (await again.draw(1)).trials[0].parameters["epochs"] == 9
    await again.close()


async def test_draws_ahead_are_one_write(
    store: OptunaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several trials are drawn first and stored together, or none of them."""
    commits = []
    transaction = store._database.transaction

    def counted(work: Callable[[Any], Any]) -> Any:
        commits.append(1)
        return transaction(work)

    monkeypatch.setattr(store._database, "transaction", counted)
    assert len((await store.draw(7)).trials) == 7
    assert len(commits) == 1


async def test_ends_that_come_together_are_one_write(
    store: OptunaStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is stored and answered by itself: one that had ended before stays as it was."""
    await store.draw(4)
    assert await store.tell(0, make_outcome(0.5), NOW, NOW)
    writes = 0
    real = database.Database.transaction

    def counted(self: database.Database, work: Callable[[Any], Any]) -> Any:
        nonlocal writes
        writes += 1
        return real(self, work)

    monkeypatch.setattr(database.Database, "transaction", counted)
    told = await asyncio.gather(
        *(store.tell(number, make_outcome(number / 10), NOW, NOW) for number in range(4)),
        store.tell(1, make_outcome(0.9), NOW, NOW),
    )
    assert told == [False, True, True, True, False]
    assert writes == 1
    assert [trial.value for trial in _theirs(url)] == [0.5, 0.1, 0.2, 0.3]


async def test_gp_is_refused_at_opening(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampler that cannot run here is refused when the study is opened."""
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    with pytest.raises(InvalidSpec, match="install"):
        await _open(url, study(SamplerAlgorithm.GP))
