"""Whatever the world does, in whatever order: no trial is lost, none is doubled, no budget broken.

The machine drives an engine over fakes whose runs appear late, vanish, come twice and end in every
way or never start, while the database, the metrics and the cluster's server go away, values arrive
after their run has ended, the engine is killed in the middle of a pass and the study is suspended,
interrupted, enlarged and given more or fewer slots. `HYPOTHESIS_PROFILE=thorough`
looks much longer.
"""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kubetune.domain import course, stopping
from kubetune.domain.observation import Reading
from kubetune.domain.planner import plan
from kubetune.domain.ports import ExecutorBusy, LaunchOrder
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.runs import Exit, Run
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import InitialTrial, Pruner, PrunerAlgorithm, StudySpec, TrialPolicy
from kubetune.domain.trial import Point, TrialState
from tests.builders import make_result, make_study
from tests.fakes.executor import Away
from tests.fakes.fuse import Crash, Fuse
from tests.unit.app.world import World

WAYS = {
    "completes": Exit(code=0, message=make_result(0.5)),
    "diverges": Exit(code=0, message=make_result(0.5).replace(b"0.5", b'"NaN"')),
    "says garbage": Exit(code=0, message=b"{{{"),
    "says nothing": Exit(code=0),
    "crashes": Exit(code=1),
    "is killed": Exit(code=137),
    "is disrupted": Exit(code=None, disrupted=True),
    "is misconfigured": Exit(code=64),
    "runs out of memory": Exit(code=70, out_of_memory=True),
    "stops": Exit(code=143, message=b'{"schema": 1, "state": "Stopped"}'),
    "never starts": Exit(code=None, launch_error="no such command"),
}
DISRUPTING = {"is killed", "is disrupted", "stops"}
PARALLELISM = 2


class PlannerMachine(RuleBasedStateMachine):
    """One study, its engine, and everything that can go wrong around it."""

    @property
    def parallelism(self) -> int:
        """How many may run at once now."""
        return int(self.spec.trials.parallelism)

    @initialize(
        initial=st.booleans(),
        size=st.sampled_from((None, None, 3)),
        max_failed=st.sampled_from((None, 2)),
        lag=st.sampled_from((0.0, 15.0)),
    )
    def begin(self, *, initial: bool, size: int | None, max_failed: int | None, lag: float) -> None:
        trials = TrialPolicy(
            max=5,
            parallelism=PARALLELISM,
            max_failed=max_failed,
            timeout_seconds=300,
            pending_timeout_seconds=100,
            disruption_retries=1,
        )
        known = InitialTrial(name="known", parameters={"x": 0.1}, metrics={"accuracy": 0.2})
        baseline = InitialTrial(name="baseline", parameters={"x": 0.3}, baseline=True)
        spec = make_study(
            trials=trials,
            initial_trials=(known, baseline) if initial else (),
            pruner=Pruner(algorithm=PrunerAlgorithm.THRESHOLD, lower=0.0),
        )
        self.enter(spec, size, lag)

    def enter(self, spec: StudySpec, size: int | None, lag: float) -> None:
        """Puts an engine with this study into a world."""
        self.loop = asyncio.new_event_loop()
        self.world = World(spec, size=size)
        self.world.metrics.lag_seconds = lag
        self.most = PARALLELISM
        self.foreign: set[str] = set()
        self.ends: list[tuple[Run, str]] = []
        self.crowded: list[LaunchOrder] = []
        self.refuses: Exception | None = None
        self.world.executor.refuse = self.watch
        self.interrupted = False

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs to the end, and whatever was started beside it."""

        async def with_rest() -> Any:
            try:
                return await work
            finally:
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        return self.loop.run_until_complete(with_rest())

    def pick(self, index: int) -> Run | None:
        """Some run that is alive."""
        alive = self.world.executor.alive
        return alive[index % len(alive)] if alive else None

    def watch(self, order: LaunchOrder) -> None:
        """Sees every launch before it happens."""
        executor = self.world.executor
        present = {(run.number, run.attempt) for run in executor.all}
        seen = [run for run in executor.alive if run.uid not in executor.hidden]
        again = (order.trial.number, order.trial.attempt) in present
        if len(seen) >= self.parallelism and not again:
            self.crowded.append(order)
        if self.refuses is not None:
            raise self.refuses

    @rule(passes=st.integers(1, 4))
    def turn(self, passes: int) -> None:
        """Some passes; once the study has ended they start nothing."""
        store, executor = self.world.store, self.world.executor
        for _ in range(passes):
            over = self.over()
            before = (len(store.calls), len(executor.orders))
            self.do(self.world.engine.reconcile())
            started = [
                call for call in store.calls[before[0] :] if call[:3] in {"dra", "add", "rep"}
            ]
            assert not over or (not started and len(executor.orders) == before[1])
            assert (
                not any(call[:3] == "dra" for call in started) or self.taken() <= self.parallelism
            )

    def taken(self) -> int:
        """Slots that Running trials hold, and that runs of other attempts still take up."""
        store, executor = self.world.store, self.world.executor
        trials = store.all
        running = {(t.number, t.attempt) for t in trials if t.state is TrialState.RUNNING}
        seen = [run for run in executor.alive if run.uid not in executor.hidden]
        return len(running) + sum((run.number, run.attempt) not in running for run in seen)

    def over(self) -> bool:
        """Whether the study has ended, by what its store holds."""
        return stopping.decide(self.spec, self.world.store.all, best=None) is not None

    @property
    def spec(self) -> StudySpec:
        return self.world.spec

    @rule()
    def plan_twice(self) -> None:
        """A plan is a function of what was seen."""
        seen = self.do(self.world.engine._observe())
        assert plan(seen) == plan(seen)

    @precondition(lambda self: not self.world.executor.hidden and not self.world.store.down)
    @rule()
    def settle(self) -> None:
        """When nothing happens, the engine comes to rest."""
        if self.refuses is None and self.world.executor.away is Away.NO:
            self.world.executor.delayed = False
            self.world.clock.advance(31)
            self.do(self.world.settle())

    @rule(writes=st.integers(1, 6))
    def crash(self, writes: int) -> None:
        """The engine dies after so many writes, wherever that is; another takes over."""
        fuse = Fuse(writes)
        world = self.world
        world.restart(store=fuse.around(world.store), executor=fuse.around(world.executor))
        with contextlib.suppress(Crash):
            self.do(world.engine.reconcile())
        self.restart()

    @rule()
    def restart(self) -> None:
        self.world.restart()
        self.interrupted = False

    @rule(index=st.integers(0, 9), way=st.sampled_from(sorted(WAYS)))
    def end(self, index: int, way: str) -> None:
        if run := self.pick(index):
            self.end_run(run, way)

    def end_run(self, run: Run, way: str) -> None:
        """Ends a run, and remembers how."""
        self.ends.append((run, way))
        self.world.executor.end(run, WAYS[way])

    @rule(index=st.integers(0, 9))
    def vanish(self, index: int) -> None:
        if run := self.pick(index):
            self.world.executor.vanish(run)

    @rule(index=st.integers(0, 9))
    def double(self, index: int) -> None:
        """A second run of one attempt is there."""
        if run := self.pick(index):
            self.foreign.add(self.world.executor.add(run.number, run.attempt).uid)

    @rule(number=st.integers(0, 9), attempt=st.integers(1, 3))
    def stray(self, number: int, attempt: int) -> None:
        """A run is there that nobody launched."""
        self.foreign.add(self.world.executor.add(number, attempt).uid)

    @rule(late=st.booleans())
    def see_late(self, *, late: bool) -> None:
        self.world.executor.delayed = late
        self.world.executor.appear()

    @rule(
        index=st.integers(0, 9),
        step=st.integers(1, 5),
        value=st.sampled_from((0.4, 0.6, -1.0, math.nan)),
    )
    def report(self, index: int, step: int, value: float) -> None:
        if run := self.pick(index):
            reading = Reading((Point(step, {"accuracy": value}),), 0.5)
            self.world.metrics.readings[run.number] = reading

    @rule(seconds=st.sampled_from((1, 20, 400)))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(down=st.booleans())
    def storage(self, *, down: bool) -> None:
        self.world.store.down = down

    @rule(refuses=st.sampled_from((None, OSError("no room"), ExecutorBusy("exceeded quota"))))
    def launching(self, refuses: Exception | None) -> None:
        self.refuses = refuses

    @rule(away=st.sampled_from(Away))
    def server(self, away: Away) -> None:
        """What changes runs is not answered, or its answer is lost."""
        self.world.executor.away = away

    @rule()
    def interrupt(self) -> None:
        self.world.engine.interrupt()
        self.interrupted = True

    @rule(suspend=st.booleans())
    def suspend(self, *, suspend: bool) -> None:
        self.change(replace(self.spec, suspend=suspend))

    @precondition(lambda self: self.spec.trials.max < 8)
    @rule()
    def enlarge(self) -> None:
        trials = replace(self.spec.trials, max=self.spec.trials.max + 1)
        self.change(replace(self.spec, trials=trials))

    @rule(parallelism=st.integers(1, 3))
    def resize(self, parallelism: int) -> None:
        self.most = max(self.most, parallelism)
        trials = replace(self.spec.trials, parallelism=parallelism)
        self.change(replace(self.spec, trials=trials))

    def change(self, spec: StudySpec) -> None:
        self.do(self.world.engine.update(spec))
        self.world.spec = spec

    @rule(down=st.booleans())
    def metrics(self, *, down: bool) -> None:
        self.world.metrics.down = down

    @rule(index=st.integers(0, 9), why=st.sampled_from(("", "Unschedulable", "ImagePullFailed")))
    def stick(self, index: int, why: str) -> None:
        """A run does not start, or no longer."""
        if run := self.pick(index):
            self.world.executor.stick(run, TrialReason(why))

    @rule()
    def fail(self) -> None:
        """What runs cannot be seen: the pass fails, and changes nothing."""
        runs, calls = self.world.executor.runs, len(self.world.store.calls)
        self.world.executor.runs = _away  # type: ignore[method-assign]  # for one pass
        with contextlib.suppress(OSError):
            self.do(self.world.engine.reconcile())
        self.world.executor.runs = runs  # type: ignore[method-assign]  # and back
        assert len(self.world.store.calls) == calls

    @invariant()
    def slots_are_kept(self) -> None:
        own = [run for run in self.world.executor.alive if run.uid not in self.foreign]
        assert len(own) <= self.most

    @invariant()
    def budget_is_kept(self) -> None:
        trials = self.world.store.all
        running = [trial for trial in trials if trial.state is TrialState.RUNNING]
        assert course.counted(trials) <= self.spec.trials.max
        assert len(running) <= self.most

    @invariant()
    def told_once(self) -> None:
        tells = Counter(call for call in self.world.store.calls if call.startswith("tell"))
        assert all(count == 1 for count in tells.values()), tells

    @invariant()
    def launches_find_room(self) -> None:
        assert not self.crowded

    @invariant()
    def results_are_the_trials_own(self) -> None:
        """A completion was some run's of that very attempt; a pause is no disruption."""
        for trial in self.world.store.all:
            own = [(run, way) for run, way in self.ends if run.number == trial.number]
            if trial.state is TrialState.COMPLETE and not course.imported(trial):
                ways = [way for run, way in own if run.attempt == trial.attempt]
                assert {"completes", "says nothing"} & {*ways}
            lost = [way for run, way in own if way in DISRUPTING and not run.stopping]
            assert trial.disruptions <= len(lost)
            assert trial.attempt <= 1 + len(own)

    def teardown(self) -> None:
        """Once the world behaves, every trial is launched and ends, and nothing is left."""
        if not hasattr(self, "loop"):
            return
        try:
            self.finish()
        finally:
            self.do(self.world.engine._readings.close())
            self.loop.close()

    def finish(self) -> None:
        world = self.world
        world.executor.delayed = world.store.down = world.metrics.down = False
        self.refuses, world.executor.away = None, Away.NO
        world.executor.appear()
        world.metrics.readings.clear()
        world.spec = replace(self.spec, suspend=False)
        world.restart()
        for _ in range(200):
            decided = self.do(world.engine.reconcile())
            if decided.status.ended and not decided.actions and not world.executor.all:
                break
            world.clock.advance(31)
            for run in world.executor.alive:
                self.end_run(run, "completes")
        else:
            raise AssertionError(f"not at its end: {decided}")
        assert all(trial.state.ended for trial in world.store.all)
        self.told_once()
        self.budget_is_kept()
        self.results_are_the_trials_own()
        self.check_end(decided.status)

    def check_end(self, status: StudyStatus) -> None:
        """What must hold of a study that has ended."""
        if status.reason is StudyReason.TRIALS_EXHAUSTED:
            trials = self.world.store.all
            assert sum(trial.initial != "known" for trial in trials) == self.spec.trials.max


async def _away() -> tuple[Run, ...]:
    raise OSError("away")


TestPlannerMachine = PlannerMachine.TestCase
TestPlannerMachine.settings = settings(max_examples=max(100, settings().max_examples))
