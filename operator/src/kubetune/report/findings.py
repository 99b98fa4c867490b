"""Everything that a report says of a study, worked out once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubetune.domain import classes, course, finalists, marks, ranking, stopping
from kubetune.domain.end import End
from kubetune.domain.finalists import Finals
from kubetune.domain.marks import Marks
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Parameter, Space
from kubetune.domain.status import Counts, StudyStatus
from kubetune.domain.steps import summarise
from kubetune.domain.study import Direction, Objective, Pruner, Sampler, StudySpec, TrialPolicy
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.report.importance import Importances
from kubetune.report.parameters import searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten(StudySpec):
    """A study whose manifest is not at hand: it has what the database says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A study and what became of it.

    `best` is the trial to retrain: with several objectives the first of `front`, which is the
    best in the first objective; the winner of the `finals` where there were any. `ranked` are the
    complete trials of a search with one objective,
    best first. `improvement` compares `best` with `baseline` in the first objective. `end` is
    None while the study goes on, and when its manifest is not at hand. `marks` are what curves
    show of how trials trained. `importances` are of each objective of which enough is known.
    """

    spec: StudySpec
    trials: tuple[Trial, ...]
    status: StudyStatus | None
    counts: Counts
    outcomes: Mapping[str, int]
    marks: Marks
    best: Trial | None
    baseline: Trial | None
    improvement: float | None
    front: tuple[Trial, ...]
    finals: Finals
    ranked: tuple[Trial, ...]
    end: End | None
    importances: tuple[Importances, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one objective."""
        return len(self.spec.objectives) > 1

    @property
    def known(self) -> bool:
        """Whether the manifest is at hand, not only what the database says."""
        return not isinstance(self.spec, Unwritten)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What was searched over in any phase; empty when nothing says its ranges."""
        return searched(self.spec)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The parameters that were searched over."""
        if self.parameters:
            return tuple(parameter.name for parameter in self.parameters)
        return tuple(sorted({name for trial in self.trials for name in trial.active}))

    @property
    def ended(self) -> tuple[Trial, ...]:
        """The trials that have their result and were not cancelled with the study."""
        return tuple(trial for trial in self.trials if trial.state.ended and not cancelled(trial))


def gather(spec: StudySpec, trials: Sequence[Trial], status: StudyStatus | None) -> Findings:
    """Works out the findings; without a status the study's end follows from its trials."""
    from kubetune.report.measuring import importances  # noqa: PLC0415 - loads numpy

    everything = tuple(trials)
    front = ranking.pareto_front(spec, everything)
    leader = ranking.best(spec, everything)
    end = None if isinstance(spec, Unwritten) else _end(spec, everything, leader, status)
    finals = _finals(spec, everything, end)
    leader = finals.winner.trial if finals.winner else leader
    best = front[0] if front else leader
    baseline = next((trial for trial in everything if trial.baseline), None)
    improvement = None
    if best and baseline and best.value is not None and baseline.value is not None:
        improvement = ranking.improvement(spec, best.value, baseline.value)
    return Findings(
        spec=spec,
        trials=everything,
        status=status,
        counts=summarise.count(everything),
        outcomes=classes.count(spec, everything),
        marks=marks.mark(spec, everything),
        best=best,
        baseline=baseline,
        improvement=improvement,
        front=front,
        finals=finals,
        ranked=_ranked(spec, everything),
        end=end,
        importances=importances(spec, everything),
    )


def _finals(spec: StudySpec, trials: tuple[Trial, ...], end: End | None) -> Finals:
    """The finals as far as they were held, or why they could not be."""
    held = any(trial.stage is not Stage.SEARCH for trial in trials)
    over = end is not None and end.succeeded
    return finalists.finals(spec, trials) if held or over else Finals()


def unwritten(
    name: str,
    objectives: Sequence[tuple[str, Direction]],
    trials: Sequence[Trial],
    parameters: Sequence[Parameter] = (),
) -> StudySpec:
    """A study of which only the database is at hand: its parameters, no rules, its budget used."""
    return Unwritten(
        name=name,
        namespace="",
        objectives=tuple(Objective(metric=metric, direction=way) for metric, way in objectives),
        space=Space(parameters=tuple(parameters)),
        sampler=Sampler(),
        pruner=Pruner(),
        trials=TrialPolicy(max=max(course.counted(trials), 1)),
    )


def cancelled(trial: Trial) -> bool:
    """Whether a trial was stopped only because its study ended."""
    return trial.outcome is not None and trial.outcome.reason is TrialReason.CANCELLED


def _ranked(spec: StudySpec, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    if len(spec.objectives) > 1:
        return ()
    sign = 1 if spec.objective.direction is Direction.MINIMIZE else -1
    complete = [
        (sign * trial.value, trial.number, trial)
        for trial in course.search(trials)
        if trial.state is TrialState.COMPLETE and trial.value is not None
    ]
    return tuple(trial for _, _, trial in sorted(complete, key=lambda entry: entry[:2]))


def _end(
    spec: StudySpec, trials: tuple[Trial, ...], best: Trial | None, status: StudyStatus | None
) -> End | None:
    """As the engine told it; else as it follows from the trials, at the time of the last one."""
    if status is not None and (status.end or not status.ended):
        return status.end
    exhausted = () if status is None else tuple(phase.name for phase in spec.course)
    now = max((trial.ended_at or trial.created_at for trial in trials), default=None)
    return stopping.decide(spec, trials, best=best, exhausted=exhausted, now=now)
