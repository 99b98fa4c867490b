"""Whatever the world does to a study with phases and finals, its course is kept.

The planner's machine with gates, conditions, narrowing, plateaus, targets and budgets of time, and
with finals whose values may break a constraint. The engine is killed wherever it is, the study is
enlarged after its end, and cancelled, crashed and retried runs of the finals are seen through.
"""

import json
from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from kubetune.domain import candidates, course, finalists, ranking, stopping
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Expression, Kind, compile_expression
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.runs import Exit, Run
from kubetune.domain.space import Constraint, Double, Space
from kubetune.domain.status import ConditionType, StudyStatus, Truth
from kubetune.domain.study import (
    Adjustment,
    Budget,
    Direction,
    Finalists,
    Gate,
    Narrow,
    Objective,
    OnFailure,
    Phase,
    Plateau,
    TrialPolicy,
)
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Assignment
from tests.builders import make_result, make_study
from tests.fakes.executor import Away
from tests.properties.test_planner_machine import PARALLELISM, PlannerMachine

NUMBERS = {"x": Kind.DOUBLE, "epochs": Kind.INT, "batch": Kind.INT}
TOTALS = {"trials": Kind.INTS}
SEEDS = ((7,), (7, 8), (8, 7), (7, 8, 9))
TOP = 2
HELD_OUT = "test_accuracy"


def asks(text: str) -> Expression:
    """A question about the trials so far."""
    return compile_expression(text, TOTALS, (Kind.BOOL,))


def number(text: str) -> Expression:
    return compile_expression(text, NUMBERS, (Kind.BOOL, Kind.INT))


SPACE = Space(
    parameters=(Double(name="x", low=0.0, high=1.0),),
    fixed={"epochs": 3, "batch": 4},
    constraints=(
        Constraint(name="low", forbid=number("x < 0.1")),
        Constraint(name="long", forbid=number("x > 0.6 && epochs > 5")),
        Constraint(name="too-long", forbid=number("epochs > 50")),
    ),
)
COORDINATES = Coordinates(SPACE)
WHENS = {"": None, "few": asks("trials.complete < 3"), "some": asks("trials.complete > 0")}
GATES = {
    "": None,
    "stop": Gate(require=asks("trials.complete >= 1")),
    "go on": Gate(require=asks("trials.complete >= 2"), on_failure=OnFailure.CONTINUE),
}
FIXED = ({}, {}, {"epochs": 20}, {"epochs": 100})


ALSO_TRUE = {StudyReason.SPACE_EXHAUSTED: {StudyReason.BUDGET_EXHAUSTED}}
"""That no trial is left to draw, the next engine finds out by drawing: if there is time for one."""


class CourseMachine(PlannerMachine):
    """One study of three phases with its finals, and everything that can go wrong around it."""

    @initialize(
        gate=st.sampled_from(sorted(GATES)),
        when=st.sampled_from(sorted(WHENS)),
        size=st.sampled_from((None, None, 4)),
        plateau=st.booleans(),
        aim=st.sampled_from((None, None, 0.9)),
        hours=st.sampled_from((None, None, 0.1)),
        held_out=st.booleans(),
        fixed=st.sampled_from(FIXED),
        rounds=st.sampled_from((0, 4, 12)),
    )
    def begin(  # type: ignore[override] # another study's choices
        self,
        *,
        gate: str,
        when: str,
        size: int | None,
        plateau: bool,
        aim: float | None,
        hours: float | None,
        held_out: bool,
        fixed: dict[str, int],
        rounds: int,
    ) -> None:
        plain = make_study(
            objectives=(Objective(metric="accuracy", direction=Direction.MAXIMIZE, target=aim),),
            space=SPACE,
            trials=TrialPolicy(
                max=9,
                parallelism=PARALLELISM,
                disruption_retries=1,
                out_of_memory_retries=1,
                on_out_of_memory=(Adjustment(name="batch", value=number("batch / 2")),),
            ),
            finalists=Finalists(
                top=TOP, seeds=SEEDS[1], held_out_metric=HELD_OUT if held_out else None, fixed=fixed
            ),
            plateau=Plateau(trials=2, min_improvement=0.01) if plateau else None,
            budget=Budget(gpu_hours=hours),
            gpus=1,
        )
        first, second, third = (
            Phase(name=name, space=SPACE, sampler=plain.sampler, pruner=plain.pruner)
            for name in ("first", "second", "third")
        )
        phases = (
            replace(first, trials=3, gate=GATES[gate]),
            replace(second, trials=2, narrow=Narrow(around_top=1, shrink=0.5), when=WHENS[when]),
            replace(third, when=WHENS[when]),
        )
        self.seen_repeats = self.seen_orders = 0
        self.enter(replace(plain, phases=phases), size, 0.0)
        self.carry_on(rounds)

    def end_run(self, run: Run, way: str) -> None:
        """Ends a run; one that completes says what its values are worth."""
        super().end_run(run, way)
        if way == "completes":
            self.world.executor.end(run, Exit(code=0, message=self.result(run)))

    def result(self, run: Run) -> bytes:
        """The best is in the middle of the range; seeds differ a little."""
        trials = self.world.store.all
        if run.number >= len(trials):
            return make_result(0.5)
        trial = trials[run.number]
        x = trial.parameters["x"]
        assert isinstance(x, float)
        value = 1.0 - abs(x - 0.5) - 0.01 * (trial.seed % 3) * (trial.repeats is not None)
        metrics = {"accuracy": value, HELD_OUT: value - 0.01}
        return json.dumps({"schema": 1, "state": "Complete", "metrics": metrics}).encode()

    def over(self) -> bool:
        """Whether search and finals have ended, by what the store holds."""
        trials, now = self.world.store.all, self.world.clock.now()
        end = stopping.decide(self.spec, trials, best=ranking.best(self.spec, trials), now=now)
        if end is None:
            return False
        return not end.succeeded or finalists.finals(self.spec, trials).over

    @rule(rounds=st.integers(1, 6))
    def carry_on(self, rounds: int) -> None:
        """For a while everything goes as it should."""
        world = self.world
        if not rounds:
            return
        world.executor.delayed = world.store.down = world.metrics.down = False
        self.refuses, world.executor.away = None, Away.NO
        world.executor.appear()
        if self.spec.suspend:
            self.change(replace(self.spec, suspend=False))
        if self.interrupted:
            self.restart()
        for _ in range(rounds):
            self.turn(2)
            world.clock.advance(31)
            for run in self.world.executor.alive:
                self.end_run(run, "stops" if run.stopping else "completes")
            self.turn(1)

    @precondition(lambda self: self.spec.trials.max < 13)
    @rule(rounds=st.sampled_from((0, 6)))
    def enlarge(self, rounds: int) -> None:  # type: ignore[override] # with what follows
        """More trials are asked for, also after the end."""
        trials = replace(self.spec.trials, max=self.spec.trials.max + 2)
        self.change(replace(self.spec, trials=trials))
        self.carry_on(rounds)

    @rule(top=st.integers(1, 3), seeds=st.sampled_from(SEEDS))
    def ask_for_other_finals(self, top: int, seeds: tuple[int, ...]) -> None:
        """More or fewer finalists, more or fewer seeds, also after the end."""
        assert self.spec.finalists
        wanted = replace(self.spec.finalists, top=top, seeds=seeds)
        self.change(replace(self.spec, finalists=wanted))

    @rule(hours=st.sampled_from((None, 0.05, 0.2)))
    def grant(self, hours: float | None) -> None:
        """The budget of time is raised, or taken back; there may have been none."""
        self.change(replace(self.spec, budget=Budget(gpu_hours=hours)))

    @precondition(lambda self: not self.world.executor.hidden and not self.world.store.down)
    @rule(days=st.integers(0, 2))
    def look_again(self, days: int) -> None:
        """An end is the same for the next engine, that day or days later."""
        if self.refuses is not None or self.world.executor.away is not Away.NO:
            return
        before = self.rest()
        if not before.ended or self.world.executor.alive:
            return
        self.world.clock.advance(86_400 * days)
        self.world.restart()
        after = self.rest()
        assert after.ended
        assert after.reason in {before.reason, *ALSO_TRUE.get(before.reason, ())}
        assert after.finals == before.finals
        assert after.best == before.best

    def rest(self) -> StudyStatus:
        """The status once there is nothing to do."""
        self.world.executor.delayed = False
        status: StudyStatus = self.do(self.world.settle()).status
        return status

    @invariant()
    def phases_have_their_trials(self) -> None:
        """None has more than it asks for, and each has its turn after those before it."""
        search = list(course.search(self.world.store.all))
        counts = Counter(trial.phase for trial in search)
        for phase in self.spec.phases:
            assert phase.trials is None or counts[phase.name] <= phase.trials
        names = [phase.name for phase in self.spec.phases]
        order = [names.index(trial.phase) for trial in search]
        assert order == sorted(order)

    @invariant()
    def finals_are_of_the_leaders(self) -> None:
        """A run of the finals is made of a trial that led when it was made, and may be run so."""
        trials = self.world.store.all
        for trial in trials[self.seen_repeats :]:
            if trial.repeats is None:
                continue
            search = [each for each in course.search(trials) if each.state is TrialState.COMPLETE]
            fit = [each for each in search if self.may_run(candidates.parameters(self.spec, each))]
            ahead = sorted(fit, key=lambda each: (-(each.value or 0.0), each.number))
            assert self.spec.finalists
            assert trial.repeats in [each.number for each in ahead[: self.spec.finalists.top]]
        self.seen_repeats = len(trials)

    @invariant()
    def no_run_of_the_finals_is_made_twice(self) -> None:
        """Each of a configuration and a seed once, and one on held-out data, but for cancelled."""
        runs = [each for each in self.world.store.all if each.repeats is not None]
        kept = [each for each in runs if not cancelled(each)]
        twice = Counter((each.repeats, each.stage, each.seed) for each in kept)
        assert all(count == 1 for count in twice.values()), twice
        assert sum(each.stage is Stage.HELD_OUT for each in kept) <= 1

    @invariant()
    def nothing_forbidden_is_launched(self) -> None:
        orders = self.world.executor.orders
        assert all(self.may_run(order.trial.parameters) for order in orders[self.seen_orders :])
        self.seen_orders = len(orders)

    def may_run(self, values: Assignment) -> bool:
        """Whether these values break no constraint."""
        return not COORDINATES.broken(values)

    def check_end(self, status: StudyStatus) -> None:
        """The finals were held to their end, or there is a reason why not."""
        self.phases_have_their_trials()
        self.no_run_of_the_finals_is_made_twice()
        self.nothing_forbidden_is_launched()
        trials = self.world.store.all
        assert status.reason is not StudyReason.RUNNING
        if not succeeded(status):
            return
        finals = finalists.finals(self.spec, trials)
        assert finals.over or self.spec.budget.gpu_hours
        assert self.spec.finalists
        if not finals.over:
            return
        kept = {(each.repeats, each.seed) for each in trials if not cancelled(each)}
        leaders, _ = candidates.leaders(self.spec, trials)
        seeds = self.spec.finalists.seeds
        assert kept >= {(each.number, seed) for each in leaders for seed in seeds}
        if finals.winner and self.spec.finalists.held_out_metric:
            assert any(each.stage is Stage.HELD_OUT for each in trials)
        self.look_again(1)


def cancelled(trial: Trial) -> bool:
    """Whether a trial was stopped with its study, for good."""
    return trial.outcome is not None and trial.outcome.reason is TrialReason.CANCELLED


def succeeded(status: StudyStatus) -> bool:
    return any(
        each.type is ConditionType.SUCCEEDED and each.status is Truth.TRUE
        for each in status.conditions
    )


TestCourseMachine = CourseMachine.TestCase
TestCourseMachine.settings = settings(max_examples=max(60, settings().max_examples))
