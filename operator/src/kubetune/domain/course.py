"""Where a study stands among its phases, as a function of its trials: never stored.

A phase is over when none of its trials runs and it has had all of them, when its space holds no
further one, or when its last trials brought too little. Then its gate is looked at; then the next
phase begins whose `when` holds of all trials before it.

A phase that draws without learning, and that others follow, is there to look around. Its trials
are not meant to be better than those before: that ten in a row are not does not end it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubetune.domain import classes, narrowing, plateau, ranking
from kubetune.domain.expressions import Expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Parameter, Space
from kubetune.domain.study import OnFailure, Phase, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Value

NOTHING: classes.Known = {}


@dataclass(frozen=True, slots=True)
class Over:
    """A phase that is over, why nothing more was drawn in it, what its gate missed in words."""

    phase: Phase
    trials: int
    plateau: str = ""
    exhausted: bool = False
    missed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a study has come.

    `phase` is the one that trials are drawn in, None when none is left; `room` how many more may
    be drawn in it. `over` are those before it, `skipped` those left out, by name and what was
    wanted. `failed` is a gate that ended the study, in words.
    """

    phase: Phase | None
    room: int = 0
    over: tuple[Over, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""


def place(
    spec: StudySpec,
    trials: Iterable[Trial],
    exhausted: Collection[str] = (),
    known: classes.Known = NOTHING,
) -> Place:
    """Walks the course.

    A phase for which `trials.max` leaves nothing has not been: its gate is not asked.
    `exhausted` names phases whose space holds no further trial; `known` are the classes of trials
    by number, as far as they were worked out before.
    """
    by_phase = _by_phase(spec, trials)
    before: list[Trial] = []
    over: list[Over] = []
    skipped: dict[str, str] = {}
    for phase in spec.course:
        mine = by_phase[phase.name]
        if phase.when and not mine and not phase.when.holds(facts(spec, before, known)):
            skipped[phase.name] = phase.when.text
            continue
        room = _room(spec, phase, mine, before)
        if not room and not mine:
            continue
        flat = "" if _looks_around(spec, phase) else plateau.reached(spec, mine)
        full = not room or bool(flat) or phase.name in exhausted
        if not full or any(trial.state is TrialState.RUNNING for trial in mine):
            room = 0 if full else room
            return Place(phase=phase, room=room, over=tuple(over), skipped=skipped)
        missed = _missed(spec, phase, mine, known)
        ended = Over(phase, counted(mine), flat, phase.name in exhausted, missed)
        over.append(ended)
        if ended.missed and phase.gate and phase.gate.on_failure is OnFailure.STOP:
            return Place(phase=None, over=tuple(over), skipped=skipped, failed=ended.missed)
        before += mine
    return Place(phase=None, over=tuple(over), skipped=skipped)


def space(spec: StudySpec, phase: Phase, trials: Iterable[Trial]) -> Space:
    """What a phase draws from: its space, shrunk around the best of the phases before it."""
    if phase.narrow is None:
        return phase.space
    names = [item.name for item in spec.course]
    earlier = set(names[: names.index(phase.name)])
    found = [trial for trial in search(trials) if _phase_name(spec, trial) in earlier]
    leaders = ranking.leaders(spec, found, phase.narrow.around_top)
    used = [{name: trial.parameters[name] for name in trial.active} for trial in leaders]
    return narrowing.narrowed(phase.space, used, phase.narrow.shrink)


def own_parameters(spec: StudySpec, phase: Phase) -> tuple[Parameter, ...]:
    """The parameters that a phase adds to the study's, or has in their place."""
    known = set(map(_meaning, spec.space.parameters))
    return tuple(item for item in phase.space.parameters if _meaning(item) not in known)


def search(trials: Iterable[Trial]) -> Iterable[Trial]:
    """The trials of the search itself, without finalists' runs."""
    return (trial for trial in trials if trial.stage is Stage.SEARCH)


def facts(
    spec: StudySpec, trials: Sequence[Trial], known: classes.Known = NOTHING
) -> dict[str, Any]:
    """What gates and conditions of phases are asked over."""
    states = Counter(trial.state for trial in trials)
    best = ranking.best(spec, trials)
    baseline = next((trial for trial in trials if trial.baseline), None)
    return {
        "trials": {
            "total": len(trials),
            "complete": states[TrialState.COMPLETE],
            "pruned": states[TrialState.PRUNED],
            "failed": states[TrialState.FAILED],
            "infeasible": states[TrialState.INFEASIBLE],
        },
        "outcomes": classes.count(spec, trials, known),
        "best": _metrics(spec, best),
        "baseline": _metrics(spec, baseline),
    }


def counted(trials: Iterable[Trial]) -> int:
    """How many trials count against a budget: all but those imported with known metrics.

    How a trial ended makes no difference: each was drawn or given, and had its run.
    """
    return sum(1 for trial in search(trials) if not imported(trial))


def imported(trial: Trial) -> bool:
    """Whether a trial's result was known before the study and never run."""
    return trial.outcome is not None and trial.outcome.reason is TrialReason.IMPORTED


def _meaning(parameter: Parameter) -> tuple[Parameter, str, Value | None]:
    """A parameter, whatever other names its condition might have spoken of."""
    condition = parameter.condition
    if condition is None:
        return parameter, "", None
    return replace(parameter, condition=None), condition.when.text, condition.otherwise


def _looks_around(spec: StudySpec, phase: Phase) -> bool:
    return bool(spec.phases) and phase is not spec.phases[-1] and not phase.sampler.learns


def _by_phase(spec: StudySpec, trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {phase.name: [] for phase in spec.course}
    for trial in search(trials):
        found[_phase_name(spec, trial)].append(trial)
    return found


def _phase_name(spec: StudySpec, trial: Trial) -> str:
    return spec.phase(trial.phase).name


def _room(spec: StudySpec, phase: Phase, mine: list[Trial], before: list[Trial]) -> int:
    used = counted(mine)
    left = spec.trials.max - counted(before) - used
    return max(0, left if phase.trials is None else min(left, phase.trials - used))


def _missed(spec: StudySpec, phase: Phase, mine: Sequence[Trial], known: classes.Known) -> str:
    gate = phase.gate
    if gate is None:
        return ""
    found = facts(spec, mine, known)
    if gate.require.holds(found):
        return ""
    return (
        f"phase {phase.name} was to show {gate.require.text}; it had {counts(gate.require, found)}"
    )


def counts(expression: Expression, found: Mapping[str, Any]) -> str:
    """What an expression names, with what was counted: `outcomes.usable 5, trials.failed 2`."""
    named = sorted(expression.fields) or [("trials", "total")]
    return ", ".join(
        f"{group}.{key} {value:.6g}"
        if (value := found[group].get(key)) is not None
        else f"no {group}.{key}"
        for group, key in named
        if group in found
    )


def _metrics(spec: StudySpec, trial: Trial | None) -> dict[str, float]:
    if trial is None or trial.outcome is None:
        return {}
    named = zip((item.metric for item in spec.objectives), trial.outcome.values, strict=False)
    return {**trial.outcome.metrics, **dict(named)}
