"""The status: a bounded projection of everything that was seen and decided."""

from collections import Counter
from dataclasses import replace

from kubetune.domain import classes, conditions, ranking, sentences
from kubetune.domain.draft import Draft
from kubetune.domain.result import clean
from kubetune.domain.runs import RunState
from kubetune.domain.status import LIST_LIMIT, Counts, StudyStatus
from kubetune.domain.trial import Trial, TrialState


def summarise(draft: Draft) -> StudyStatus:
    """What the study stands at, as it will once the draft's actions are done."""
    spec, seen = draft.spec, draft.seen
    trials = tuple(draft.trials.values())
    totals = count(trials)
    best, baseline = draft.best, draft.baseline
    improvement = None
    if best and best.value is not None and baseline and baseline.value is not None:
        improvement = ranking.improvement(spec, best.value, baseline.value)
    waiting = _waiting(draft)
    standing = (
        sentences.counts(totals),
        sentences.best(spec, best, improvement),
        sentences.waiting(tuple(waiting.values())),
    )
    message = "; ".join(text for text in standing if text)
    if draft.end:
        message = f"{draft.end.message}; {message}"
    return StudyStatus(
        phase=conditions.phase(seen, draft.end),
        conditions=conditions.conditions(seen, draft.end, message),
        counts=totals,
        best=best,
        baseline=baseline,
        improvement=improvement,
        pareto_front=ranking.pareto_front(spec, trials),
        active=_active(draft),
        progress={
            number: reading.progress
            for number, reading in seen.readings.items()
            if number in draft.runs and not draft.trials[number].state.ended
        },
        waiting=dict(list(waiting.items())[:LIST_LIMIT]),
        recent=_recent(trials),
        outcomes=classes.count(spec, trials, seen.classified),
        ended=draft.end is not None,
        reason=conditions.reason(seen, draft.end),
        message=message,
    )


def count(trials: tuple[Trial, ...]) -> Counts:
    """Trials by state, and rejected draws by constraint."""
    states = Counter(trial.state for trial in trials)
    rejected: dict[str, int] = {}
    for trial in trials:
        for name, times in trial.rejected.items():
            rejected[name] = rejected.get(name, 0) + times
    return Counts(
        total=len(trials),
        active=states[TrialState.RUNNING],
        complete=states[TrialState.COMPLETE],
        pruned=states[TrialState.PRUNED],
        failed=states[TrialState.FAILED],
        infeasible=states[TrialState.INFEASIBLE],
        rejected=rejected,
    )


def _active(draft: Draft) -> tuple[Trial, ...]:
    """Running trials, each with the start of its present run when none is stored yet."""
    shown = []
    for trial in draft.running()[:LIST_LIMIT]:
        run = draft.runs.get(trial.number)
        if trial.started_at is None and run and run.started_at is not None:
            shown.append(replace(trial, started_at=run.started_at))
        else:
            shown.append(trial)
    return tuple(shown)


def _waiting(draft: Draft) -> dict[int, str]:
    """Why trials do not start, as their executor says it, lowest number first."""
    waiting = {}
    for trial in draft.running():
        run = draft.runs.get(trial.number)
        if run is None and draft.seen.held:
            waiting[trial.number] = draft.seen.held
        elif run and run.state is RunState.PENDING and run.waiting:
            waiting[trial.number] = clean(run.waiting)
    return waiting


def _recent(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """The trials that ended last, the latest first."""
    ended = [(trial.ended_at or 0.0, trial.number, trial) for trial in trials if trial.state.ended]
    ended.sort(key=lambda entry: entry[:2], reverse=True)
    return tuple(trial for _, _, trial in ended[:LIST_LIMIT])
