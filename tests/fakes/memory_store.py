"""A store in memory that draws uniformly: the second implementation of the port."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from kubetune.domain import course, finalists, transitions
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.draw import Draw, draw
from kubetune.domain.faults import Fault, SpecChanged
from kubetune.domain.ports import Clock, Drawn
from kubetune.domain.study import WHOLE_SEARCH, InitialTrial, Phase, Pruner, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial, TrialState
from kubetune.domain.values import Assignment


class MemoryStore:
    """A TrialStore without a database. A combination is drawn once, however often asked."""

    def __init__(self, spec: StudySpec, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._coordinates = Coordinates(spec.space)
        self._trials: tuple[Trial, ...] = ()

    async def trials(self, *, anew: bool = False) -> tuple[Trial, ...]:
        return self._trials

    async def draw(self, count: int, phase: str = WHOLE_SEARCH) -> Drawn:
        added: list[Trial] = []
        rejected: dict[str, int] = {}
        for _ in range(count):
            found = self._next(phase)
            if found is None:
                return Drawn(trials=tuple(added), exhausted=True, rejected=rejected)
            for name, times in found.rejected.items():
                rejected[name] = rejected.get(name, 0) + times
            candidate = found.candidate
            added.append(
                self._add(
                    candidate.parameters, candidate.active, rejected=found.rejected, phase=phase
                )
            )
        return Drawn(trials=tuple(added), rejected=rejected)

    async def add_initial(
        self, initial: InitialTrial, outcome: Outcome | None, phase: str = WHOLE_SEARCH
    ) -> Trial:
        for trial in self._trials:
            if trial.initial == initial.name:
                return trial
        if outcome is not None:
            transitions.check_outcome(outcome, len(self._spec.objectives))
        candidate = self._coordinates.assess(initial.parameters)
        trial = self._add(
            candidate.parameters,
            candidate.active,
            initial=initial.name,
            phase=phase,
            baseline=initial.baseline,
        )
        if outcome is not None:
            trial = self._put(transitions.ended(trial, outcome, None, self._clock.now()))
        return trial

    async def add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        if there := finalists.run_of(self._trials, of, stage, seed):
            return there
        first = self._trials[of]
        return self._add(
            parameters, first.active, phase=first.phase, repeats=of, stage=stage, seed=seed
        )

    async def record(self, number: int, points: Sequence[Point]) -> None:
        trial = self._trials[number]
        self._put(transitions.extended(trial, transitions.new_points(trial, points)))

    async def started(self, number: int, attempt: int, at: float) -> None:
        self._put(transitions.started(self._trials[number], at))

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        self._put(transitions.retried(self._trials[number], attempt, reason, parameters))

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        transitions.check_outcome(outcome, len(self._spec.objectives))
        trial = self._trials[number]
        if trial.state.ended:
            return False
        self._put(transitions.ended(trial, outcome, started_at, ended_at))
        return True

    async def follow(self, spec: StudySpec) -> None:
        space = replace(spec.space, fixed=self._spec.space.fixed)
        if self._trials and space != self._spec.space:
            fault = Fault(("spec", "parameters"), "cannot change after the first trial")
            raise SpecChanged([fault])
        kept = len(self._spec.phases)
        if self._trials and list(map(_drawn_by, spec.phases))[:kept] != list(
            map(_drawn_by, self._spec.phases)
        ):
            fault = Fault(("spec", "phases"), "cannot change after the first trial")
            raise SpecChanged([fault])
        self._spec, self._coordinates = spec, Coordinates(spec.space)

    async def close(self) -> None:
        """Nothing to let go."""

    def _next(self, phase: str) -> Draw | None:
        """Gives up after a thousand combinations in a row that were all tried before."""
        coordinates = Coordinates(course.space(self._spec, self._spec.phase(phase), self._trials))
        random = Random(f"{self._spec.sampler.seed}/{len(self._trials)}").random
        tried = [trial.parameters for trial in self._trials]
        axes = coordinates.axes
        for _ in range(1000):
            found = draw(
                coordinates,
                lambda _: {axis.name: axis.at(random()) for axis in axes},
                lambda _: random(),
                Repair.SPREAD,
            )
            if found and found.candidate.parameters not in tried:
                return found
        return None

    def _add(self, parameters: Assignment, active: frozenset[str], **changes: object) -> Trial:
        number = len(self._trials)
        fields = {"seed": number, "created_at": self._clock.now(), **changes}
        trial = Trial(
            number=number,
            state=TrialState.RUNNING,
            parameters=parameters,
            active=active,
            **fields,  # type: ignore[arg-type] # names of fields, checked by the constructor
        )
        self._trials = (*self._trials, trial)
        return trial

    def _put(self, trial: Trial) -> Trial:
        number = trial.number
        self._trials = (*self._trials[:number], trial, *self._trials[number + 1 :])
        return trial


def _drawn_by(phase: Phase) -> Phase:
    """What of a phase its draws depend on."""
    return replace(phase, trials=None, gate=None, pruner=Pruner())
