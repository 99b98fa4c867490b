"""The status: a bounded projection of everything that was seen and decided."""

from collections import Counter
from collections.abc import Sequence

from kubetune.domain import budget, classes, conditions, ranking, sentences, shortfalls
from kubetune.domain.draft import Draft
from kubetune.domain.limits import LIST_LIMIT, TOP
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import clean
from kubetune.domain.runs import Run, RunState
from kubetune.domain.status import Counts, StudyStatus, Wait
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.usage import usage

FINALISTS = "finalists"
HELD_OUT = "heldout"


def summarise(draft: Draft) -> StudyStatus:
    """What the study stands at, as it will once the draft's actions are done."""
    spec, seen = draft.spec, draft.seen
    trials = tuple(draft.trials.values())
    totals = count(trials)
    winner = draft.finals.winner
    best, baseline = winner.trial if winner else draft.best, draft.baseline
    improvement = None
    if best and best.value is not None and baseline and baseline.value is not None:
        improvement = ranking.improvement(spec, best.value, baseline.value)
    waiting = _waiting(draft)
    front = ranking.pareto_front(spec, trials)
    standing = (
        sentences.counts(totals),
        sentences.best(spec, best, improvement),
        sentences.finals(spec, draft.finals),
        shortfalls.sentence(spec, draft.finals, ended=draft.end is not None),
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
        pareto_front=front,
        top=front[:TOP] or ranking.leaders(spec, trials, TOP),
        active=draft.running()[:LIST_LIMIT],
        progress={
            number: reading.progress
            for number, reading in seen.readings.items()
            if number in draft.runs and not draft.trials[number].state.ended
        },
        waiting=dict(list(waiting.items())[:LIST_LIMIT]),
        waits=_waits(draft),
        recent=_recent(trials),
        place=draft.place,
        current_phase=_current_phase(draft),
        finals=draft.finals,
        gpu_hours=budget.gpu_hours(spec, _ended(trials), seen.now) if spec.gpus else None,
        usage=usage(
            spec,
            trials,
            seen.runs,
            seen.now,
            ended=draft.end is not None,
        ),
        outcomes=classes.count(spec, trials, seen.classified),
        ends=ends(trials),
        ended=draft.end is not None,
        end=draft.end,
        reason=conditions.reason(seen, draft.end),
        message=message,
    )


def _current_phase(draft: Draft) -> str:
    """What trials are made for now; empty once the study has ended."""
    if draft.end:
        return ""
    if draft.search_end:
        held_out = draft.finals.held_out or any(
            each.stage is Stage.HELD_OUT for each in draft.finals.missing
        )
        return HELD_OUT if held_out else FINALISTS
    if draft.place and draft.place.phase:
        return draft.place.phase.name
    return draft.spec.course[0].name


def _ended(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    return tuple(trial for trial in trials if trial.state.ended)


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


def ends(trials: Sequence[Trial]) -> dict[tuple[TrialState, TrialReason], int]:
    """Ended trials by state and reason."""
    return dict(Counter((each.state, each.outcome.reason) for each in trials if each.outcome))


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


def _waits(draft: Draft) -> dict[str, int]:
    """All active trials that do not start, counted by what they wait for."""
    found: Counter[str] = Counter()
    for trial in draft.running():
        run = draft.runs.get(trial.number)
        if run is None:
            found[Wait.NOT_LAUNCHED.value] += 1
        elif run.state is RunState.PENDING:
            found[_wait(run)] += 1
    return dict(found)


def _wait(run: Run) -> str:
    if run.starting:
        return Wait.STARTING.value
    return run.stuck.value or Wait.QUEUED.value


def _recent(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """The trials that ended last, the latest first."""
    ended = [(trial.ended_at or 0.0, trial.number, trial) for trial in trials if trial.state.ended]
    ended.sort(key=lambda entry: entry[:2], reverse=True)
    return tuple(trial for _, _, trial in ended[:LIST_LIMIT])
