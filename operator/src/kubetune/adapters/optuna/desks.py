"""The next trials of a study, worked out and not stored yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from kubetune.adapters.optuna import seeds
from kubetune.adapters.optuna.desk import Desk
from kubetune.adapters.optuna.drawing import Draft
from kubetune.adapters.optuna.records import Record
from kubetune.domain import course
from kubetune.domain.draw import NoFeasibleDraw
from kubetune.domain.ports import Clock
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState


@dataclass(frozen=True, slots=True)
class Drafts:
    """Trials that are drawn and not stored yet."""

    records: Sequence[Record]
    exhausted: bool
    rejected: Mapping[str, int]


class Desks:
    """A desk for each phase of a study, set up anew when what it is narrowed to changes.

    Raises:
        InvalidSpec: the sampler of a phase cannot run here.
    """

    def __init__(self, spec: StudySpec, clock: Clock) -> None:
        self._spec = spec
        self._clock = clock
        self._desks = {phase.name: Desk.of(spec, phase, phase.space) for phase in spec.course}
        self._alone = Lock()

    def draft(self, before: Sequence[Record], count: int, phase: str) -> Drafts:
        """Up to `count` trials of a phase after those `before`; one caller at a time."""
        with self._alone:
            return self._draft(before, count, self._desk(phase, before))

    def _desk(self, name: str, before: Sequence[Record]) -> Desk:
        """Where a phase is drawn, once it is known what it is narrowed to."""
        phase = self._spec.phase(name)
        space = course.space(self._spec, phase, [record.trial for record in before])
        desk = self._desks[phase.name]
        if desk.space != space:
            desk = self._desks[phase.name] = Desk.of(self._spec, phase, space)
        return desk

    def _draft(self, before: Sequence[Record], count: int, desk: Desk) -> Drafts:
        history = desk.history(before)
        rejected: dict[str, int] = {}
        exhausted = False
        while len(history) < len(before) + count and not exhausted:
            try:
                draft = desk.drafter.draft(history)
            except NoFeasibleDraw as nothing:
                draft = None
                _add(rejected, nothing.rejected)
            if draft is None:
                exhausted = True
            else:
                history.append(self._new(draft, len(history), desk.phase))
                _add(rejected, draft.rejected)
        return Drafts(history[len(before) :], exhausted, rejected)

    def _new(self, draft: Draft, number: int, phase: str) -> Record:
        trial = Trial(
            number=number,
            state=TrialState.RUNNING,
            parameters=draft.candidate.parameters,
            active=draft.candidate.active,
            seed=seeds.of_trial(self._spec, number),
            phase=phase,
            rejected=draft.rejected,
            created_at=self._clock.now(),
        )
        return draft.record(trial)


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
