"""A store of trials in memory that draws without a sampler and can go away."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kubetune.domain import transitions
from kubetune.domain.ports import Drawn, StorageUnreachable
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import InitialTrial
from kubetune.domain.trial import Outcome, Point, Trial, TrialState
from kubetune.domain.values import Assignment


class FakeStore:
    """The TrialStore port. `size` bounds the space; `told` lists every tell that ended a trial."""

    def __init__(self, now: Callable[[], float], *, size: int | None = None) -> None:
        self.size = size
        self.down = False
        self.told: list[int] = []
        self.calls: list[str] = []
        self.rejected: dict[str, int] = {}
        self._now = now
        self._trials: list[Trial] = []

    def _reach(self, call: str) -> None:
        if self.down:
            raise StorageUnreachable(call)
        self.calls.append(call)

    def __getitem__(self, number: int) -> Trial:
        return self._trials[number]

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(self._trials)

    async def trials(self) -> tuple[Trial, ...]:
        if self.down:
            raise StorageUnreachable("trials")
        return tuple(self._trials)

    async def draw(self, count: int) -> Drawn:
        self._reach(f"draw {count}")
        drawn: list[Trial] = []
        for _ in range(count):
            if self.size is not None and sum(not t.initial for t in self._trials) >= self.size:
                return Drawn(trials=tuple(drawn), exhausted=True)
            number = len(self._trials)
            drawn.append(self._add(number, {"x": number * 0.618 % 1}, rejected=self.rejected))
        return Drawn(trials=tuple(drawn), rejected=self.rejected)

    async def add_initial(self, initial: InitialTrial, outcome: Outcome | None) -> Trial:
        self._reach(f"add {initial.name}")
        for trial in self._trials:
            if trial.initial == initial.name:
                return trial
        changes = {"initial": initial.name, "baseline": initial.baseline}
        trial = self._add(len(self._trials), initial.parameters, **changes)
        if outcome:
            trial = self._put(transitions.ended(trial, outcome, None, self._now()))
        return trial

    async def record(self, number: int, points: Sequence[Point]) -> None:
        self._reach(f"record {number}")
        trial = self._trials[number]
        self._put(transitions.extended(trial, transitions.new_points(trial, points)))

    async def started(self, number: int, attempt: int, at: float) -> None:
        self._reach(f"started {number}")
        self._put(transitions.started(self._trials[number], at))

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        self._reach(f"retry {number}")
        trial = self._trials[number]
        if trial.state.ended or attempt <= trial.attempt:
            return
        self._put(
            replace(
                trial,
                attempt=attempt,
                disruptions=trial.disruptions + (reason == TrialReason.DISRUPTED),
                out_of_memory=trial.out_of_memory + (reason == TrialReason.OUT_OF_MEMORY),
                parameters={**trial.parameters, **parameters},
            )
        )

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        self._reach(f"tell {number}")
        trial = self._trials[number]
        if trial.state.ended:
            return False
        transitions.check_outcome(outcome, 1)
        self._put(transitions.ended(trial, outcome, started_at, ended_at))
        self.told.append(number)
        return True

    async def close(self) -> None:
        self._reach("close")

    def _add(self, number: int, parameters: Assignment, **changes: object) -> Trial:
        trial = Trial(
            number=number,
            state=TrialState.RUNNING,
            parameters=parameters,
            active=frozenset(parameters),
            created_at=self._now(),
        )
        trial = replace(trial, **changes)  # type: ignore[arg-type]  # names are checked by replace
        self._trials.append(trial)
        return trial

    def _put(self, trial: Trial) -> Trial:
        self._trials[trial.number] = trial
        return trial
