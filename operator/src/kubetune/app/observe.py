"""Reads everything that a plan may depend on."""

from collections.abc import Sequence

from kubetune.app.readings import Readings
from kubetune.domain import classes
from kubetune.domain.observation import Observation
from kubetune.domain.ports import Clock, Executor, StorageUnreachable, TrialStore
from kubetune.domain.runs import Run
from kubetune.domain.study import OutcomeClass, StudySpec
from kubetune.domain.trial import Trial


class Observer:
    """The reading half of a pass. What it keeps, a restart reads again."""

    _trials: tuple[Trial, ...] = ()

    def __init__(
        self,
        *,
        store: TrialStore,
        executor: Executor,
        readings: Readings,
        clock: Clock,
        at_once: int = 1,
    ) -> None:
        self._store = store
        self._executor = executor
        self._readings = readings
        self._clock = clock
        self._at_once = at_once
        self._classified: dict[int, tuple[str, ...]] = {}
        self._classes: tuple[OutcomeClass, ...] = ()
        self._asked: set[str] = set()

    async def observe(
        self,
        spec: StudySpec,
        *,
        interrupted: bool,
        exhausted: frozenset[str],
        storage_reachable: bool,
        storage_trouble: str = "",
        held: str = "",
    ) -> Observation:
        """What there is now; with the trials seen last when the database does not answer."""
        runs = await self._executor.runs()
        try:
            self._trials = await self._store.trials()
            if unknown := self._unknown(runs):
                self._trials = await self._store.trials(anew=True)
                self._asked |= unknown
        except StorageUnreachable as away:
            storage_reachable, storage_trouble = False, str(away)
        return Observation(
            spec=spec,
            trials=self._trials,
            runs=runs,
            now=self._clock.now(),
            readings=self._readings.latest,
            capacity=self._executor.capacity,
            at_once=self._at_once,
            checkpoints=await self._executor.checkpoints(),
            interrupted=interrupted,
            exhausted=exhausted,
            classified=self._classify(spec),
            storage_reachable=storage_reachable,
            storage_trouble="" if storage_reachable else storage_trouble,
            metrics_reachable=self._readings.reachable,
            metrics_trouble=self._readings.trouble,
            held=held,
            metrics_lag_seconds=self._readings.lag_seconds(spec.metrics_interval_seconds),
            last_readings=self._readings.last(),
        )

    def _unknown(self, runs: Sequence[Run]) -> set[str]:
        """Runs of no attempt that is known: another operator may have begun them, and stored that.

        Each is asked about once: what nobody has stored is stopped.
        """
        known = self._trials
        newer = {
            run.uid
            for run in runs
            if run.number >= len(known) or run.attempt > known[run.number].attempt
        }
        return newer - self._asked

    def _classify(self, spec: StudySpec) -> dict[int, tuple[str, ...]]:
        """The outcome classes of every ended trial, each worked out once."""
        if spec.outcomes != self._classes:
            self._classes, self._classified = spec.outcomes, {}
        if not self._classes:
            return self._classified
        for trial in self._trials:
            if trial.state.ended and trial.number not in self._classified:
                self._classified[trial.number] = classes.of(spec, trial)
        return self._classified
