"""A study's whole course over fakes: phases, gates, finals, limits of time."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import StudyReason
from kubetune.domain.runs import Exit
from kubetune.domain.space import Constraint, Double, Space
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import (
    Adjustment,
    Budget,
    Finalists,
    Gate,
    Narrow,
    Objective,
    Phase,
    Plateau,
    StudySpec,
    TrialPolicy,
)
from kubetune.domain.trial import Stage, Trial, TrialState
from tests.builders import make_study
from tests.unit.app.world import World

TOTALS = {"trials": Kind.INTS}
EPOCHS = {"epochs": Kind.INT}
BATCH = {"batch": Kind.INT}


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


async def enlarged(world: World, most: int) -> StudyStatus:
    """The study after more trials were asked for, at its end again."""
    spec = replace(world.spec, trials=replace(world.spec.trials, max=most))
    await world.engine.update(spec)
    world.spec = spec
    return await through(world)


def repeats(world: World) -> Counter[tuple[int | None, Stage, int]]:
    """How often each run of the finals was made."""
    runs = (trial for trial in world.store.all if trial.repeats is not None)
    return Counter((trial.repeats, trial.stage, trial.seed) for trial in runs)


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


async def test_more_trials_after_the_finals_hold_them_again() -> None:
    """Only who is new among the best is run; the held-out data stay closed, and that is said."""
    wanted = Finalists(top=2, seeds=(1, 2), held_out_metric="accuracy")
    world = World(course(TWO[0], {"name": "rest"}, max_trials=8, finalists=wanted))
    first = await through(world)
    assert first.finals.winner
    before = world.store.all
    status = await enlarged(world, 40)
    assert world.store.all[: len(before)] == before
    assert status.reason is StudyReason.TRIALS_EXHAUSTED
    runs = repeats(world)
    assert set(runs.values()) == {1}
    assert sum(stage is Stage.HELD_OUT for _, stage, _ in runs) == 1
    assert status.finals.winner
    assert status.finals.winner.trial != first.finals.winner.trial
    assert (status.finals.held_out, status.finals.opened) == (None, first.finals.held_out)
    assert "the held-out data were opened for trial" in status.message


async def test_more_trials_that_are_no_better_leave_the_finals_as_they_were() -> None:
    """Nothing is run again, and the winner keeps what it showed."""
    wanted = Finalists(top=1, seeds=(1,), held_out_metric="accuracy")
    world = World(course(max_trials=60, finalists=wanted))
    first = await through(world)
    status = await enlarged(world, 61)
    assert repeats(world).total() == 2
    assert status.finals == first.finals


async def test_finals_that_a_budget_cut_off_go_on_when_it_is_raised() -> None:
    """What was cancelled is made again; what had ended counts."""
    wanted = Finalists(top=1, seeds=(1, 2, 3))
    budget = Budget(wall_clock_seconds=100)
    world = World(course(max_trials=2, parallelism=1, finalists=wanted, budget=budget))
    for _ in range(3):
        await world.settle()
        world.complete(world.executor.alive[0], 0.5)
    await world.settle()
    world.clock.advance(100)
    status = (await world.engine.reconcile()).status
    assert status.ended
    assert status.reason is StudyReason.TRIALS_EXHAUSTED
    assert "the finals are not over: 1 of 3 runs have ended" in status.message
    world.spec = replace(world.spec, budget=Budget(wall_clock_seconds=1000))
    await world.engine.update(world.spec)
    status = await through(world)
    ended = [trial for trial in world.store.all if trial.stage is Stage.FINALIST]
    assert [(trial.seed, trial.state) for trial in ended] == [
        (1, TrialState.COMPLETE),
        (2, TrialState.FAILED),
        (2, TrialState.COMPLETE),
        (3, TrialState.COMPLETE),
    ]
    assert status.finals.winner


async def test_finals_without_anybody_are_told() -> None:
    """Every trial is passed over: the study has succeeded, and says which rule it was."""
    rule = Constraint(name="short", forbid=compile_expression("epochs > 5", EPOCHS, (Kind.BOOL,)))
    space = replace(make_study().space, fixed={"epochs": 3}, constraints=(rule,))
    wanted = Finalists(top=2, seeds=(1,), fixed={"epochs": 20})
    world = World(make_study(space=space, max_trials=2, finalists=wanted))
    status = await through(world)
    assert (status.phase, len(world.store.all)) == ("Succeeded", 2)
    assert (
        "no finals are held: trials 0, 1 are passed over: with finalists.fixed short would be"
        " broken"
    ) in status.message.replace("trials 1, 0", "trials 0, 1")


async def test_a_run_of_the_finals_that_ran_out_of_memory_is_compared_as_it_went_on() -> None:
    """Later seeds, and the run on held-out data, begin with what fitted."""
    halve = Adjustment(name="batch", value=compile_expression("batch / 2", BATCH, (Kind.INT,)))
    policy = TrialPolicy(max=1, parallelism=1, out_of_memory_retries=1, on_out_of_memory=(halve,))
    wanted = Finalists(top=1, seeds=(1, 2), held_out_metric="accuracy")
    space = replace(make_study().space, fixed={"batch": 8})
    world = World(make_study(space=space, trials=policy, finalists=wanted))
    await world.settle()
    world.complete(world.executor.alive[0], 0.5)
    await world.settle()
    world.executor.end(world.executor.alive[0], Exit(code=70, out_of_memory=True))
    status = await through(world)
    runs = [trial for trial in world.store.all if trial.repeats is not None]
    assert [trial.parameters["batch"] for trial in runs] == [4, 4, 4]
    assert [trial.out_of_memory for trial in runs] == [1, 0, 0]
    assert [(len(each.values), each.adjusted) for each in status.finals.finalists] == [(2, 1)]


async def test_a_budget_has_room_for_the_finals() -> None:
    """Trials of 30 s: of 300 s the search takes 210, two seeds and the held-out run the rest."""
    wanted = Finalists(top=1, seeds=(1, 2), held_out_metric="accuracy")
    limits = Budget(wall_clock_seconds=300)
    world = World(course(budget=limits, parallelism=1, finalists=wanted))
    for _ in range(10):
        await world.settle()
        world.clock.advance(30)
        world.complete(world.executor.alive[0], 0.5)
    status = (await world.settle()).status
    stages = [trial.stage for trial in world.store.all]
    assert stages == [Stage.SEARCH] * 7 + [Stage.FINALIST] * 2 + [Stage.HELD_OUT]
    assert (status.ended, status.reason) == (True, StudyReason.BUDGET_EXHAUSTED)
    assert status.finals.over
    assert status.finals.held_out
