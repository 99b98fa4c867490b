"""Carries out a plan's actions, in their order; each may be repeated without harm."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from kubetune.app.launches import Launches
from kubetune.domain import outcomes, ranking, sentences
from kubetune.domain.actions import (
    Action,
    AddInitialTrial,
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
from kubetune.domain.ports import Clock, Executor, LaunchOrder, StorageUnreachable, TrialStore
from kubetune.domain.reasons import EventReason, TrialReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Outcome, Trial, TrialState


@dataclass(slots=True)
class Done:
    """What became of a list of actions.

    `undone` names the trials whose actions were not all carried out: what the plan says of them is
    not announced. `events` are those that only acting could tell. `exhausted`: no trial is left to
    draw. `unreachable`: the database went away; the actions after that were not tried.
    """

    changed: bool = False
    undone: set[int] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    exhausted: bool = False
    unreachable: bool = False


class Actor:
    """The writing half of a pass."""

    def __init__(
        self, *, study_uid: str, store: TrialStore, executor: Executor, clock: Clock
    ) -> None:
        self.launches = Launches(executor, clock)
        self._study_uid = study_uid
        self._store = store
        self._executor = executor
        self._clock = clock

    async def act(self, spec: StudySpec, actions: Sequence[Action]) -> Done:
        """Carries out the actions until the first that finds the database away."""
        done = Done()
        for index, action in enumerate(actions):
            try:
                await self._carry_out(spec, action, done)
            except StorageUnreachable:
                done.unreachable = True
                left = (getattr(other, "number", None) for other in actions[index:])
                done.undone.update(number for number in left if number is not None)
                break
        return done

    async def _carry_out(self, spec: StudySpec, action: Action, done: Done) -> None:
        store, executor = self._store, self._executor
        match action:
            case AddInitialTrial(name=name):
                await self._add_initial(spec, name, done)
            case DrawTrials(count=count):
                await self._draw(spec, count, done)
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

    async def _add_initial(self, spec: StudySpec, name: str, done: Done) -> None:
        initial = next(initial for initial in spec.initial_trials if initial.name == name)
        known = outcomes.initial_outcome(spec, initial)
        trial = await self._store.add_initial(initial, known)
        if trial.outcome:
            done.events.append(await self._ended(spec, trial.number))

    async def _draw(self, spec: StudySpec, count: int, done: Done) -> None:
        try:
            drawn = await self._store.draw(count)
        except NoFeasibleDraw as error:
            done.exhausted = done.changed = True
            done.events.append(Event(EventReason.DRAW_REJECTED, str(error), warning=True))
            return
        done.exhausted = drawn.exhausted
        done.changed |= drawn.exhausted or bool(drawn.trials)
        if not drawn.trials:
            done.events += sentences.rejected(spec, None, drawn.rejected)
        for trial in drawn.trials:
            done.events += sentences.rejected(spec, trial.number, trial.rejected)

    async def _launch(self, spec: StudySpec, number: int, attempt: int, done: Done) -> None:
        """Launches what the store has under this number, if it still is at this attempt."""
        trial = next((each for each in await self._store.trials() if each.number == number), None)
        if trial is None or trial.state.ended or trial.attempt != attempt:
            done.undone.add(number)
            return
        if self.launches.waits(number, attempt):
            done.undone.add(number)
            return
        order = LaunchOrder(spec=spec, study_uid=self._study_uid, trial=trial)
        trouble = await self.launches.launch(order)
        if trouble is None:
            done.changed = True
            return
        done.undone.add(number)
        if self.launches.given_up(number, attempt):
            await self._give_up(spec, trial, trouble, done)
            return
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
