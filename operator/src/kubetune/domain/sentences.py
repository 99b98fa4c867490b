"""Events as people read them: one sentence each, with the figures that matter."""

from collections import Counter
from collections.abc import Mapping, Sequence

from kubetune.domain import ranking
from kubetune.domain.events import Event
from kubetune.domain.finalists import Finals
from kubetune.domain.ranking import Standing
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import ConditionType, Counts, StudyStatus, Truth
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Value

_SHOWN = 8
"""At most so many parameters in one sentence."""

_BEGINS = {
    "finalists": "the search is over, the best are run again",
    "heldout": "the winner is run on held-out data",
}

_REASONS = 2
"""At most so many reasons to wait in one sentence."""

_ENDS = {
    TrialState.COMPLETE: EventReason.TRIAL_COMPLETED,
    TrialState.PRUNED: EventReason.TRIAL_PRUNED,
    TrialState.FAILED: EventReason.TRIAL_FAILED,
    TrialState.INFEASIBLE: EventReason.TRIAL_INFEASIBLE,
}


def number(value: float) -> str:
    """A figure as short as it can be read: `0.9812`, `12345.7`, `6e-05`."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.6g}"  # noqa: PLR2004 - digits shown


def percent(share: float) -> str:
    """A relative change with its sign, `+2.5 %`; never a negative nought."""
    return f"{round(share, 3) + 0.0:+.1%}".replace("%", " %")


def launched(spec: StudySpec, trial: Trial) -> Event:
    """A trial's attempt was started."""
    if trial.stage is not Stage.SEARCH and trial.attempt == 1:
        text = f"trial {trial.number} launched: {_again(trial)}"
    elif trial.attempt > 1:
        text = f"trial {trial.number} launched again (attempt {trial.attempt})"
    else:
        space = spec.phase(trial.phase).space
        drawn = [parameter.name for parameter in space.parameters]
        shown = [
            f"{name}={_spell(trial.parameters[name])}" for name in drawn if name in trial.active
        ]
        more = "" if len(shown) <= _SHOWN else f", and {len(shown) - _SHOWN} more"
        text = f"trial {trial.number} launched: {', '.join(shown[:_SHOWN])}{more}"
    return Event(EventReason.TRIAL_LAUNCHED, text, trial.number)


def _again(trial: Trial) -> str:
    """What a run of the finals is."""
    if trial.stage is Stage.HELD_OUT:
        return f"trial {trial.repeats} on held-out data, seed {trial.seed}"
    return f"trial {trial.repeats} again, seed {trial.seed}"


def ended(spec: StudySpec, trial: Trial, *, best: Trial | None, baseline: Trial | None) -> Event:
    """A trial has its result; `best` is the best before it, `baseline` may still run."""
    assert trial.outcome
    before = tuple(other for other in (best, baseline) if other is not None)
    if trial.outcome.reason is TrialReason.CANCELLED:
        text = f"trial {trial.number} cancelled: {trial.outcome.message}"
        return Event(EventReason.TRIAL_STOPPED, text, trial.number)
    reason = _ENDS[trial.state]
    if trial.state is TrialState.COMPLETE:
        return Event(reason, _completed(spec, trial, before), trial.number)
    text = f"trial {trial.number} {trial.state.value}"
    if trial.state is TrialState.PRUNED and trial.curve:
        text += f" at step {number(trial.curve[-1].step)}"
    elif trial.state is not TrialState.PRUNED:
        text += f", {trial.outcome.reason.value}"
    text += f": {trial.outcome.message or trial.outcome.reason.value}"
    return Event(reason, text, trial.number, warning=trial.state is TrialState.FAILED)


def _completed(spec: StudySpec, trial: Trial, before: Sequence[Trial]) -> str:
    assert trial.outcome
    pairs = zip(spec.objectives, trial.outcome.values, strict=False)
    told = [f"{objective.metric} {number(value)}" for objective, value in pairs]
    if trial.stage is not Stage.SEARCH:
        return f"trial {trial.number} Complete ({_again(trial)}): {_final(spec, trial, told)}"
    values = ", ".join(told)
    word = "imported" if trial.outcome.reason is TrialReason.IMPORTED else "Complete"
    text = f"trial {trial.number} {word}: {values}"
    standing = ranking.standing(spec, trial, before)
    if standing is not Standing.NONE:
        text += f", {standing.value}"
    baseline = next((other.value for other in before if other.baseline), None)
    if baseline is not None and trial.value is not None and len(spec.objectives) == 1:
        gain = percent(ranking.improvement(spec, trial.value, baseline))
        text += f" (baseline {number(baseline)}, {gain})"
    return text


def _final(spec: StudySpec, trial: Trial, told: list[str]) -> str:
    """What a run of the finals showed; the held-out metric first."""
    metric = spec.finalists and spec.finalists.held_out_metric
    if trial.stage is Stage.HELD_OUT and metric and trial.outcome:
        value = trial.outcome.metrics.get(metric)
        shown = f"no {metric} was reported" if value is None else f"{metric} {number(value)}"
        told = [shown, *told]
    return ", ".join(told)


def retried(trial: Trial, reason: TrialReason, message: str) -> Event:
    """A trial's attempt ended without a result; there will be another."""
    text = f"trial {trial.number}, attempt {trial.attempt}: {reason.value}"
    text += f", {message}; it is tried again" if message else "; it is tried again"
    return Event(EventReason.TRIAL_RETRIED, text, trial.number, warning=True)


def stopped(trial: Trial) -> Event:
    """A trial was stopped with its study and will go on with it."""
    text = f"trial {trial.number} stopped; it goes on when the study does"
    return Event(EventReason.TRIAL_STOPPED, text, trial.number)


def rejected(spec: StudySpec, trial: int | None, counts: Mapping[str, int]) -> tuple[Event, ...]:
    """Draws were turned down on the way to a trial: one sentence a constraint."""
    messages = {constraint.name: constraint.message for constraint in spec.space.constraints}
    events = []
    for name, count in counts.items():
        draws = "1 draw" if count == 1 else f"{count} draws"
        on_the_way = "" if trial is None else f" before trial {trial}"
        rule = f": {messages[name]}" if messages.get(name) else ""
        text = f"{draws} turned down by constraint '{name}'{on_the_way}{rule}"
        events.append(Event(EventReason.DRAW_REJECTED, text, trial))
    return tuple(events)


def study(before: StudyStatus | None, after: StudyStatus) -> tuple[Event, ...]:
    """What became of the study between two statuses; nothing when there was none before."""
    if before is None:
        return ()
    course = _course(before, after)
    if after.ended and not before.ended:
        failed = _failed(after)
        reason = EventReason.STUDY_FAILED if failed else EventReason.STUDY_SUCCEEDED
        end = Event(reason, f"{after.reason.value}: {after.message}", warning=failed)
        return (*course, end)
    pauses = {StudyReason.SUSPENDED, StudyReason.INTERRUPTED}
    if after.reason in pauses and before.reason not in pauses:
        text = f"{after.reason.value}: {after.message}"
        return (*course, Event(EventReason.STUDY_SUSPENDED, text))
    return course


def _failed(status: StudyStatus) -> bool:
    return any(
        each.type is ConditionType.SUCCEEDED and each.status is Truth.FALSE
        for each in status.conditions
    )


def _course(before: StudyStatus, after: StudyStatus) -> tuple[Event, ...]:
    """Which phases are over, were left out, or begin."""
    told = before.place
    if after.place is None or told is None:
        return ()
    events = []
    for over in after.place.over[len(told.over) :]:
        if over.missed and not after.place.failed:
            text = f"{over.missed}; the study goes on all the same"
            events.append(Event(EventReason.GATE_FAILED, text, warning=True))
    for name, wanted in after.place.skipped.items():
        if name not in told.skipped:
            text = f"phase {name} is left out: {wanted} does not hold"
            events.append(Event(EventReason.PHASE_SKIPPED, text))
    if after.current_phase and after.current_phase != before.current_phase:
        text = _BEGINS.get(after.current_phase, f"phase {after.current_phase} begins")
        if after.place.over[len(told.over) :]:
            over = after.place.over[-1]
            text += f"; phase {over.phase.name} had {over.trials} trials"
            text += f", {over.plateau}" if over.plateau else ""
        events.append(Event(EventReason.PHASE_ADVANCED, text))
    return tuple(events)


def counts(these: Counts) -> str:
    """How many trials stand where: `20 trials: 12 Complete, 5 Pruned, 3 active`."""
    named = {
        "Complete": these.complete,
        "Pruned": these.pruned,
        "Failed": these.failed,
        "Infeasible": these.infeasible,
        "active": these.active,
    }
    parts = ", ".join(f"{count} {word}" for word, count in named.items() if count)
    trials = "1 trial" if these.total == 1 else f"{these.total} trials"
    return f"{trials}: {parts}" if parts else trials


def best(spec: StudySpec, trial: Trial | None, improvement: float | None) -> str:
    """The best trial so far: `best accuracy 0.981 (trial 7), +2.5 % on the baseline`."""
    if trial is None or trial.value is None:
        return ""
    text = f"best {spec.objective.metric} {number(trial.value)} (trial {trial.number})"
    if improvement is not None and not trial.baseline:
        text += f", {percent(improvement)} on the baseline"
    return text


def finals(spec: StudySpec, these: Finals) -> str:
    """What the finals showed: `2 seeds: accuracy 0.976 (0.97 to 0.98), test_accuracy 0.972`."""
    winner, wanted = these.winner, spec.finalists
    if winner is None or wanted is None or winner.score is None:
        return ""
    name = spec.objective.metric
    seeds = "1 seed" if len(winner.values) == 1 else f"{len(winner.values)} seeds"
    text = f"{wanted.rank_by.value.lower()} {name} of {seeds}"
    text += f" {number(winner.score)}"
    if winner.low is not None and winner.high is not None:
        text += f" (95 % interval of the mean {number(winner.low)} to {number(winner.high)})"
    value = held_out(spec, these)
    if value is not None:
        text += f", {wanted.held_out_metric} {number(value)} on held-out data"
    return text


def held_out(spec: StudySpec, these: Finals) -> float | None:
    """What the winner showed on held-out data, once it has."""
    run = these.held_out
    if run is None or run.outcome is None or spec.finalists is None:
        return None
    return run.outcome.metrics.get(spec.finalists.held_out_metric or "")


def waiting(reasons: Sequence[str]) -> str:
    """Why trials do not start, the commonest reasons: `3 trials wait: no node has a free GPU`."""
    common = Counter(reasons).most_common(_REASONS)
    return "; ".join(
        f"{'1 trial waits' if count == 1 else f'{count} trials wait'}: {why}"
        for why, count in common
    )


def _spell(value: Value) -> str:
    return number(value) if isinstance(value, float) else str(value)
