"""The loop of one study: observe, plan, act, and sleep until something changes."""

from collections.abc import Callable
from dataclasses import replace

from kubetune.app.act import Actor
from kubetune.app.alarm import Alarm
from kubetune.app.backoff import Backoff
from kubetune.app.done import Done
from kubetune.app.observe import Observer
from kubetune.app.readings import Readings
from kubetune.domain import sentences
from kubetune.domain.actions import Action, AddInitialTrial, AddRepeat, DrawTrials
from kubetune.domain.events import Event
from kubetune.domain.observation import Observation
from kubetune.domain.plan import Plan
from kubetune.domain.planner import plan
from kubetune.domain.ports import Clock, Executor, MetricSource, StatusSink, TrialStore
from kubetune.domain.reasons import StudyReason
from kubetune.domain.runs import RunState
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec

_PAUSED = frozenset({StudyReason.SUSPENDED, StudyReason.INTERRUPTED})


class Engine:
    """Drives one study, here or in a cluster, over its ports.

    Nothing that matters lives in here: an engine that is killed at any moment is followed by
    another over the same store and executor, which goes on where it stood. After an exception
    `reconcile` or `run` may simply be called again. The executor and the store belong to whoever
    made them.

    `resync_seconds` bounds every sleep: a wake that got lost delays nothing for longer. `on_pass`
    is told after each pass that did not fail how many seconds it took, which serves a watchdog too.
    `at_once` is how many runs may be changed at the same time.
    """

    STUCK_SECONDS = 1.0
    """How long to sleep when the same actions are planned twice in a row."""

    BEHIND_SECONDS = 1.0
    """How long a study that adds trials in every pass is shown as it was."""

    _behind_since: float | None = None
    _status: StudyStatus | None = None
    _news: tuple[Event, ...] = ()
    _trouble: str = ""

    def __init__(
        self,
        *,
        spec: StudySpec,
        study_uid: str,
        store: TrialStore,
        executor: Executor,
        metrics: MetricSource,
        sink: StatusSink,
        clock: Clock,
        resync_seconds: float | None = None,
        on_pass: Callable[[float], None] | None = None,
        at_once: int = 1,
    ) -> None:
        self.spec = spec
        self._store = store
        self._executor = executor
        self._sink = sink
        self._clock = clock
        self._resync_seconds = resync_seconds
        self._on_pass = on_pass
        self._readings = Readings(metrics, clock)
        self._observer = Observer(
            store=store,
            executor=executor,
            readings=self._readings,
            clock=clock,
            at_once=at_once,
        )
        self._actor = Actor(
            study_uid=study_uid, store=store, executor=executor, clock=clock, at_once=at_once
        )
        self._alarm = Alarm(executor, self._readings)
        self._storage = Backoff()
        self._interrupts = 0
        self._exhausted: frozenset[str] = frozenset()
        self._changed = False
        self._alive = False

    async def run(self) -> StudyStatus:
        """Turns until the study has ended or was interrupted or suspended, and no run is left."""
        before: tuple[Action, ...] = ()
        try:
            while True:
                decided = await self.reconcile()
                if self._interrupts > 1:
                    return await self._kill()
                idle = not self._changed or decided.actions == before
                if idle and self._over(decided.status):
                    await self._actor.removals.finish()
                    return decided.status
                if idle:
                    await self._alarm.sleep(self._sleep_seconds(decided))
                before = decided.actions if self._changed else ()
        finally:
            await self._actor.removals.close()
            await self._alarm.close()
            await self._readings.close()

    def interrupt(self) -> None:
        """Stops the study gently; called a second time, at once.

        Running trials are told to save a checkpoint and stay Running in the store: the next engine
        goes on with them. Called from the event loop's thread.
        """
        self._interrupts += 1
        self._alarm.ring()

    async def update(self, spec: StudySpec) -> None:
        """Goes on with a changed study, from the next pass on, which begins at once.

        Raises:
            SpecChanged: it changes what its trials rest on; the engine goes on as before.
        """
        await self._store.follow(spec)
        if spec.course != self.spec.course:
            self._exhausted = frozenset()
        self.spec = spec
        self._alarm.ring()

    async def reconcile(self) -> Plan:
        """One pass; the plan that it followed, with the status as it is after it."""
        began = self._clock.monotonic()
        seen = await self._observe()
        decided = plan(seen)
        self._readings.refresh(seen.runs, seen.spec.metrics_interval_seconds, decided.awaited)
        decided = await self._act(seen, decided)
        if self._on_pass:
            self._on_pass(self._clock.monotonic() - began)
        return decided

    async def _observe(self) -> Observation:
        return await self._observer.observe(
            self.spec,
            interrupted=self._interrupts > 0,
            exhausted=self._exhausted,
            storage_reachable=self._storage.wait_seconds(self._clock.monotonic()) == 0,
            storage_trouble=self._trouble,
            held=self._actor.held,
        )

    async def _act(self, seen: Observation, decided: Plan) -> Plan:
        done = await self._actor.act(seen.spec, decided.actions)
        self._exhausted |= done.exhausted
        self._changed = done.changed and not done.unreachable
        alive = any(run.state is not RunState.ENDED for run in seen.runs)
        self._alive = alive or bool(decided.awaited)
        if done.unreachable:
            self._storage.failed(self._clock.monotonic())
            self._trouble = str(done.unreachable)
            away = replace(seen, storage_reachable=False, storage_trouble=self._trouble)
            offline = plan(away)
            decided = replace(decided, status=offline.status)
        elif seen.storage_reachable and decided.actions:
            self._storage.succeeded()
        await self._announce(decided, done)
        if done.error is not None:
            raise done.error
        return decided

    async def _announce(self, decided: Plan, done: Done) -> None:
        """Publishes what is stored by now; after a draw only once its trial is launched.

        A study that draws all the time is shown all the same, a little behind.
        """
        self._news = (*self._news, *filter(done.announces, decided.events), *done.events)
        adds = any(
            isinstance(each, AddInitialTrial | AddRepeat | DrawTrials) for each in decided.actions
        )
        if adds and self._changed and not self._is_behind():
            self._status = self._status or decided.status
            return
        self._behind_since = None
        news = (*self._news, *sentences.study(self._status, decided.status))
        await self._sink.publish(decided.status, news)
        self._news = ()
        self._status = decided.status

    def _is_behind(self) -> bool:
        """Whether what is shown has not been true for too long."""
        now = self._clock.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        return now - self._behind_since >= self.BEHIND_SECONDS

    def _over(self, status: StudyStatus) -> bool:
        """Whether nothing runs, and nothing will: for now, or for good."""
        return not self._alive and (status.ended or status.reason in _PAUSED)

    async def _kill(self) -> StudyStatus:
        """Ends what still runs, and notes what became of it."""
        await self._executor.close()
        for _ in range(3):
            decided = await self.reconcile()
            if not self._changed:
                break
        return decided.status

    def _sleep_seconds(self, decided: Plan) -> float | None:
        """Until the first moment at which something may be due.

        When actions were planned twice and did nothing, they are tried again soon, but not at once.
        """
        now = self._clock.monotonic()
        waits = [decided.wake_after_seconds, self._resync_seconds]
        again = self._actor.wait_seconds()
        if self._storage.failures:
            waits.append(self._storage.wait_seconds(now))
        elif again is not None:
            waits.append(again)
        elif decided.actions:
            waits.append(self.STUCK_SECONDS)
        return min((wait for wait in waits if wait is not None), default=None)
