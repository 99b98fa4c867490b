"""Carries out a plan's actions, in their order; each may be repeated without harm."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import assert_never

from kubetune.app.backoff import Backoff
from kubetune.app.done import Done
from kubetune.app.launches import Launches
from kubetune.app.removals import Removals
from kubetune.domain import outcomes, ranking, sentences
from kubetune.domain.actions import (
    Action,
    AddInitialTrial,
    AddRepeat,
    DrawTrials,
    DropCheckpoint,
    LaunchTrial,
    RecordPoints,
    RemoveRun,
    RetryTrial,
    StopRun,
    TellResult,
)
from kubetune.domain.draw import NoFeasibleDraw
from kubetune.domain.events import Event
from kubetune.domain.ports import (
    Clock,
    Executor,
    ExecutorBusy,
    ExecutorUnreachable,
    LaunchOrder,
    StorageUnreachable,
    TrialStore,
)
from kubetune.domain.reasons import EventReason, TrialReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Outcome, Trial, TrialState

DRAWING_SECONDS = 0.25
"""So long a pass goes on drawing for slots that are free, before it looks for news."""

TOGETHER_SECONDS = 0.03
"""So long draws are worked out and stored together before the first of them is launched."""

AWAY = "what runs trials does not answer"


_RESULTS = (TellResult, RetryTrial)
_OF_RUNS = (LaunchTrial, StopRun, RemoveRun, DropCheckpoint)


def _is_result(action: Action) -> bool:
    return isinstance(action, TellResult)


class Actor:
    """The writing half of a pass.

    Up to `at_once` runs are changed at the same time, for an executor that answers over a network:
    then a pass takes as long as the slowest answer, not as all of them together.
    """

    def __init__(
        self,
        *,
        study_uid: str,
        store: TrialStore,
        executor: Executor,
        clock: Clock,
        at_once: int = 1,
    ) -> None:
        self.launches = Launches(executor, clock)
        self.removals = Removals(max(1, at_once // 2))
        self._study_uid = study_uid
        self._store = store
        self._executor = executor
        self._clock = clock
        self._at_once = at_once
        self._together = 1
        self._away = Backoff()

    @property
    def held(self) -> str:
        """Why nothing can be launched just now; empty when it can."""
        return AWAY if self._is_away() else self.launches.held

    def wait_seconds(self) -> float | None:
        """How long until what could not be done may be tried again; None when there is nothing."""
        if self._away.failures:
            return self._away.wait_seconds(self._clock.monotonic())
        return self.launches.wait_seconds()

    async def act(self, spec: StudySpec, actions: Sequence[Action]) -> Done:
        """Carries out the actions until the first that finds the database away.

        Those of a trial that one has failed for are left: no run is removed whose result is not
        stored. While the executor is away its actions are left, and nothing is drawn.
        """
        done = Done(error=self.removals.take_error())
        actions = [each for each in actions if each not in self.removals]
        if self._at_once == 1 or self._away.failures or self.launches.troubled:
            await self._in_turn(spec, actions, done)
            return done
        results = max(
            (n for n, each in enumerate(actions, 1) if isinstance(each, _RESULTS)), default=0
        )
        await self._results(spec, actions[:results], done)
        await self._beside(spec, actions[results:], done)
        return done

    async def _in_turn(self, spec: StudySpec, actions: Sequence[Action], done: Done) -> None:
        for action in actions:
            await self._try(spec, action, done)

    async def _results(self, spec: StudySpec, actions: Sequence[Action], done: Done) -> None:
        """In turn too, but results that follow each other together: a store may write them so."""
        for are_results, several in groupby(actions, key=_is_result):
            if not are_results:
                await self._in_turn(spec, list(several), done)
                continue
            async with asyncio.TaskGroup() as together:
                for action in several:
                    together.create_task(self._try(spec, action, done))

    async def _beside(self, spec: StudySpec, actions: Sequence[Action], done: Done) -> None:
        """What concerns runs all at once, and beside it what concerns the database, in turn."""
        room = asyncio.Semaphore(self._at_once)

        async def one(action: Action) -> None:
            async with room:
                await self._try(spec, action, done)

        async def launch(trial: Trial) -> None:
            await one(LaunchTrial(trial.number, trial.attempt))
            if trial.number not in done.unlaunched:
                done.events.append(sentences.launched(spec, trial))

        async with asyncio.TaskGroup() as lanes:
            for action in actions:
                if isinstance(action, RemoveRun):
                    if not self._waits(action, done):
                        self.removals.begin(action, partial(self._try, spec, action))
                elif isinstance(action, _OF_RUNS):
                    lanes.create_task(one(action))
            for action in actions:
                if isinstance(action, DrawTrials):
                    async for trial in self._drawn(spec, action, done):
                        lanes.create_task(launch(trial))
                elif not isinstance(action, _OF_RUNS):
                    await self._try(spec, action, done)
            await asyncio.sleep(0)

    async def _drawn(self, spec: StudySpec, action: DrawTrials, done: Done) -> AsyncIterator[Trial]:
        """Draws up to `count` trials, so that each is launched while the next is drawn.

        Ends early for results that have come meanwhile: a draw learns from them.
        """
        began, count = self._clock.monotonic(), action.count
        while count > 0:
            known = len(done.drawn)
            await self._draw_some(spec, replace(action, count=count), done)
            fresh = done.drawn[known:]
            for trial in fresh:
                yield trial
            count -= len(fresh)
            late = self._clock.monotonic() - began >= DRAWING_SECONDS
            if late or done.exhausted or not fresh:
                return

    async def _draw_some(self, spec: StudySpec, action: DrawTrials, done: Done) -> None:
        """Draws as many together as take little time; one that takes long is launched by itself."""
        began = self._clock.monotonic()
        some = min(action.count, self._together)
        await self._try(spec, replace(action, count=some), done)
        seconds = self._clock.monotonic() - began
        if seconds < TOGETHER_SECONDS:
            self._together = min(2 * self._together, self._at_once)
        elif seconds > 2 * TOGETHER_SECONDS:
            self._together = max(1, self._together // 2)

    async def _try(self, spec: StudySpec, action: Action, done: Done) -> None:
        """Carries out one action, unless something that went wrong before forbids it."""
        if done.unreachable or self._waits(action, done):
            done.leave(action)
            return
        try:
            await self._carry_out(spec, action, done)
        except StorageUnreachable as away:
            done.unreachable = done.unreachable or away
            done.leave(action)
        except ExecutorUnreachable:
            if not self._is_away():
                self._away.failed(self._clock.monotonic())
            done.leave(action)
        except ExecutorBusy:
            done.leave(action)
        except Exception as error:  # noqa: BLE001 - raised once the others have their turn
            done.error = done.error or error
            done.leave(action)
        else:
            self._answered(action)

    def _waits(self, action: Action, done: Done) -> bool:
        match action:
            case DrawTrials():
                return bool(self.held)
            case LaunchTrial(number=number) | DropCheckpoint(number=number):
                return self._is_away() or number in done.undone
            case StopRun(number=number) | RemoveRun(number=number):
                return self._is_away() or number in done.undone
            case TellResult(number=number) | RetryTrial(number=number):
                return number in done.undone
            case _:
                return False

    def _answered(self, action: Action) -> None:
        """The executor did something: it is there; and with a run less there may be room."""
        if isinstance(action, _OF_RUNS):
            self._away.succeeded()
        if isinstance(action, TellResult | RemoveRun):
            self.launches.room_again()

    def _is_away(self) -> bool:
        return self._away.wait_seconds(self._clock.monotonic()) > 0

    async def _carry_out(self, spec: StudySpec, action: Action, done: Done) -> None:
        store, executor = self._store, self._executor
        match action:
            case AddInitialTrial():
                await self._add_initial(spec, action, done)
            case AddRepeat(of=of, stage=stage, seed=seed, parameters=parameters):
                await store.add_repeat(of, stage, seed, parameters)
            case DrawTrials():
                await self._draw(spec, action, done)
                return
            case LaunchTrial(number=number, attempt=attempt):
                await self._launch(spec, number, attempt, done)
                return
            case StopRun(number=number, attempt=attempt, uid=uid, why=why):
                await executor.stop(number, attempt, uid, why)
            case RecordPoints(number=number, points=points):
                await store.record(number, points)
            case TellResult(number=number, outcome=outcome):
                await store.tell(number, outcome, action.started_at, action.ended_at)
                self.launches.forget(number)
            case RetryTrial(number=number, attempt=attempt, reason=reason):
                if action.started_at is not None:
                    await store.started(number, attempt - 1, action.started_at)
                await store.retry(number, attempt, reason.value, action.parameters)
            case RemoveRun(number=number, attempt=attempt, uid=uid):
                await executor.remove(number, attempt, uid)
            case DropCheckpoint(number=number):
                await executor.drop_checkpoint(number)
            case _:
                assert_never(action)
        done.changed = True

    async def _add_initial(self, spec: StudySpec, action: AddInitialTrial, done: Done) -> None:
        initial = next(each for each in spec.initial_trials if each.name == action.name)
        known = outcomes.initial_outcome(spec, initial)
        trial = await self._store.add_initial(initial, known, action.phase)
        if trial.outcome:
            done.events.append(await self._ended(spec, trial.number))

    async def _draw(self, spec: StudySpec, action: DrawTrials, done: Done) -> None:
        try:
            drawn = await self._store.draw(action.count, action.phase)
        except NoFeasibleDraw as error:
            done.exhausted, done.changed = {action.phase}, True
            done.events.append(Event(EventReason.DRAW_REJECTED, str(error), warning=True))
            return
        done.drawn += drawn.trials
        done.exhausted = {action.phase} if drawn.exhausted else set()
        done.changed |= drawn.exhausted or bool(drawn.trials)
        if not drawn.trials:
            done.events += sentences.rejected(spec, None, drawn.rejected)
        for trial in drawn.trials:
            done.events += sentences.rejected(spec, trial.number, trial.rejected)

    async def _launch(self, spec: StudySpec, number: int, attempt: int, done: Done) -> None:
        """Launches what the store has under this number, if it still is at this attempt."""
        trials = await self._store.trials()
        trial = next((each for each in reversed(trials) if each.number == number), None)
        done.unlaunched.add(number)
        if trial is None or trial.state.ended or trial.attempt != attempt:
            return
        if self.launches.waits(number, attempt):
            return
        order = LaunchOrder(spec=spec, study_uid=self._study_uid, trial=trial)
        trouble = await self.launches.launch(order)
        if trouble is None:
            done.unlaunched.discard(number)
            done.changed = True
        elif self.launches.given_up(number, attempt):
            await self._give_up(spec, trial, trouble, done)
        else:
            text = f"trial {number} could not be launched, {trouble}; it is tried again"
            done.events.append(Event(EventReason.TRIAL_RETRIED, text, number, warning=True))

    async def _give_up(self, spec: StudySpec, trial: Trial, trouble: str, done: Done) -> None:
        outcome = Outcome(TrialState.FAILED, TrialReason.LAUNCH_FAILED, trouble)
        await self._store.tell(trial.number, outcome, trial.started_at, self._clock.now())
        self.launches.forget(trial.number)
        done.events.append(await self._ended(spec, trial.number))
        done.changed = True

    async def _ended(self, spec: StudySpec, number: int) -> Event:
        """What there is to say of a trial that has ended while acting."""
        trials = {trial.number: trial for trial in await self._store.trials()}
        trial = trials.pop(number)
        best = ranking.best(spec, trials.values())
        baseline = next((other for other in trials.values() if other.baseline), None)
        return sentences.ended(spec, trial, best=best, baseline=baseline)
