"""A study's whole course over fakes: phases, gates, finals, limits of time."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import StudyReason
from kubetune.domain.space import Double, Space
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import (
    Budget,
    Finalists,
    Gate,
    Narrow,
    Objective,
    Phase,
    Plateau,
    StudySpec,
)
from kubetune.domain.trial import Stage, Trial, TrialState
from tests.builders import make_study
from tests.unit.app.world import World

TOTALS = {"trials": Kind.INTS}


def course(*phases: dict[str, Any], **changes: Any) -> StudySpec:
    """A study of phases, each what differs from the study's own."""
    plain = make_study(**{"max_trials": 100, **changes})
    own = {"space": plain.space, "sampler": plain.sampler, "pruner": plain.pruner}
    return replace(plain, phases=tuple(Phase(**{**own, **phase}) for phase in phases))


def value(trial: Trial) -> float:
    """What a trial gets: near 1 where `x` is near 0.7, a little less with a higher seed."""
    x = trial.parameters["x"]
    assert isinstance(x, float)
    return 1.0 - abs(x - 0.7) - 0.001 * trial.seed * (trial.stage is Stage.FINALIST)


async def through(world: World, *, kill_every: int = 0) -> StudyStatus:
    """Runs a study to its end; every run ends at once. The engine may be killed every N passes."""
    for passes in range(500):
        plan = await world.engine.reconcile()
        for run in world.executor.alive:
            world.complete(run, value(world.store.all[run.number]))
        if plan.status.ended and not plan.actions:
            return plan.status
        if kill_every and passes % kill_every == 0:
            world.restart()
        await asyncio.sleep(0)
    raise AssertionError("it does not end")


TWO = (
    {"name": "coarse", "trials": 6},
    {"name": "fine", "trials": 4, "narrow": Narrow(around_top=2, shrink=0.25)},
)


@pytest.mark.parametrize("kill_every", [0, 1, 2, 3])
async def test_a_course_is_run_phase_by_phase(kill_every: int) -> None:
    """Each has its trials and its space; a tuner that is killed all the time changes nothing."""
    wanted = Finalists(top=2, seeds=(1, 2), held_out_metric="accuracy")
    world = World(course(*TWO, finalists=wanted))
    status = await through(world, kill_every=kill_every)
    assert status.reason is StudyReason.TRIALS_EXHAUSTED
    search = [trial for trial in world.store.all if trial.stage is Stage.SEARCH]
    assert [trial.phase for trial in search] == ["coarse"] * 6 + ["fine"] * 4
    fine = [trial.parameters["x"] for trial in search[6:]]
    assert max(fine) - min(fine) <= 0.5  # a quarter, and what holds the best value
    leaders = sorted(search, key=value, reverse=True)[:2]
    runs = Counter((trial.repeats, trial.stage, trial.seed) for trial in world.store.all[10:])
    assert runs == Counter(
        [(leader.number, Stage.FINALIST, seed) for leader in leaders for seed in (1, 2)]
        + [(leaders[0].number, Stage.HELD_OUT, 1)]
    )
    assert status.best == leaders[0]


async def test_a_gate_that_fails_ends_the_study() -> None:
    """Nothing of the next phase is launched, no finals are held; the figures are told."""
    gate = Gate(require=compile_expression("trials.failed > 0", TOTALS, (Kind.BOOL,)))
    first, second = TWO
    spec = course({**first, "gate": gate}, second, finalists=Finalists(top=1, seeds=(1,)))
    status = await through(world := World(spec))
    assert (status.reason, len(world.store.all)) == (StudyReason.GATE_FAILED, 6)
    assert "phase coarse was to show trials.failed > 0; it had trials.failed 0" in status.message


async def test_a_wider_phase_adds_a_parameter() -> None:
    """Where its condition holds; else the study ends without it."""
    wider = Space(
        parameters=(Double(name="x", low=0.0, high=1.0), Double(name="y", low=0.0, high=1.0))
    )
    for text, phases in (("trials.total > 99", 1), ("trials.total == 6", 2)):
        when = compile_expression(text, TOTALS, (Kind.BOOL,))
        spec = course(TWO[0], {"name": "wider", "trials": 2, "space": wider, "when": when})
        await through(world := World(spec))
        assert len({trial.phase for trial in world.store.all}) == phases
        assert all(("y" in each.parameters) is (each.phase == "wider") for each in world.store.all)


async def test_a_plateau_ends_the_study() -> None:
    """With what the last trials brought."""
    status = await through(World(course(plateau=Plateau(trials=5, min_improvement=0.5))))
    assert status.reason is StudyReason.PLATEAU_REACHED
    assert "the last 5 trials improved accuracy by" in status.message


async def test_a_reached_target_leads_to_the_finals() -> None:
    """What searched on is cancelled; the leader is run again."""
    objective = Objective(metric="accuracy", direction=make_study().objective.direction, target=0.5)
    spec = course(objectives=(objective,), finalists=Finalists(top=1, seeds=(7,)))
    status = await through(world := World(spec))
    assert status.reason is StudyReason.TARGET_REACHED
    assert [trial.seed for trial in world.store.all if trial.stage is Stage.FINALIST] == [7]


async def test_wall_clock_time_ends_a_study() -> None:
    """At the limit running trials are stopped gently, and nothing more is launched."""
    world = World(course(budget=Budget(wall_clock_seconds=100)))
    await world.settle()
    world.clock.advance(99)
    assert not (await world.settle()).status.ended
    world.clock.advance(1)
    status = (await world.engine.reconcile()).status
    assert status.reason is StudyReason.BUDGET_EXHAUSTED
    assert {run.stopping for run in world.executor.alive} == {True}
    assert {trial.state for trial in world.store.all} == {TrialState.FAILED}


async def test_nothing_is_launched_that_cannot_finish() -> None:
    """A trial takes 30 s: of 100 s the fourth would end too late."""
    world = World(course(budget=Budget(wall_clock_seconds=100), parallelism=1))
    for _ in range(3):
        await world.settle()
        world.clock.advance(30)
        world.complete(world.executor.alive[0], 0.5)
    status = (await world.settle()).status
    assert (status.reason, len(world.store.all)) == (StudyReason.BUDGET_EXHAUSTED, 3)
    assert "90 of 100 seconds are used, another trial would not finish" in status.message
