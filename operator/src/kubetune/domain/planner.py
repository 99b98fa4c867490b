"""One pass: from everything that was seen to everything that is to be done.

    seen -> record points -> absorb ended runs -> guards, time limits, pruning -> the study's end
         -> pauses -> leftover runs and checkpoints -> launches -> new trials -> status

Each arrow is a pure step over a frozen draft. A plan is a function of its observation alone: made
again from the same observation it is the same, and made from one in which its actions are done it
holds nothing new. A crash between any two actions therefore loses and doubles nothing.
"""

from collections.abc import Callable

from kubetune.domain import budget
from kubetune.domain import draft as drafts
from kubetune.domain.actions import (
    Action,
    AddInitialTrial,
    AddRepeat,
    DrawTrials,
    DropCheckpoint,
    LaunchTrial,
    RecordPoints,
    RemoveRun,
    RetryTrial,
    StopRun,
    TellResult,
)
from kubetune.domain.draft import Draft
from kubetune.domain.observation import Observation
from kubetune.domain.plan import Plan
from kubetune.domain.runs import RunState
from kubetune.domain.steps.absorb_outcomes import absorb_outcomes
from kubetune.domain.steps.drop_checkpoints import drop_checkpoints
from kubetune.domain.steps.end_trials import (
    apply_guards,
    end_late_trials,
    end_stuck_trials,
    prune_trials,
    stuck_seconds,
)
from kubetune.domain.steps.look_where import look_where
from kubetune.domain.steps.record_points import record_points
from kubetune.domain.steps.start_trials import add_trials, launch_trials
from kubetune.domain.steps.stop_runs import clear_runs, pause_trials, stop_study
from kubetune.domain.steps.summarise import summarise

Step = Callable[[Draft], Draft]

STEPS: tuple[Step, ...] = (
    record_points,
    absorb_outcomes,
    apply_guards,
    end_late_trials,
    end_stuck_trials,
    prune_trials,
    look_where,
    stop_study,
    pause_trials,
    clear_runs,
    drop_checkpoints,
    launch_trials,
    add_trials,
)

_RESULT, _STOP, _LAUNCH, _ADD, _KEEP_HOUSE = range(5)


def plan(seen: Observation) -> Plan:
    """Decides what is to be done about a study. Total: it never raises on what it may see.

    Without storage nothing is told, drawn or launched: running trials go on, and what they report
    is seen again once it is back. Only a pause still stops them.
    """
    draft = drafts.begin(seen)
    if seen.storage_reachable:
        for step in STEPS:
            draft = step(draft)
    else:
        draft = pause_trials(look_where(draft))
    return Plan(
        actions=_in_order(draft.actions),
        status=summarise(draft),
        events=draft.events,
        wake_after_seconds=_wake_after_seconds(draft),
        awaited=frozenset(draft.awaited),
    )


def _in_order(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Results before draws, which learn from them; launches before draws, which take long.

    House-keeping comes last, and waits for the next pass when this one adds trials: theirs is the
    launch that a free slot waits for.
    """
    told = {action.number for action in actions if isinstance(action, TellResult | RetryTrial)}
    ranked = sorted(((_rank(action, told), action) for action in actions), key=lambda pair: pair[0])
    adds = any(rank == _ADD for rank, _ in ranked)
    return tuple(action for rank, action in ranked if rank != _KEEP_HOUSE or not adds)


def _rank(action: Action, told: set[int]) -> int:
    match action:
        case TellResult() | RetryTrial():
            return _RESULT
        case RecordPoints(number=number):
            return _RESULT if number in told else _KEEP_HOUSE
        case StopRun():
            return _STOP
        case LaunchTrial():
            return _LAUNCH
        case AddInitialTrial() | AddRepeat() | DrawTrials():
            return _ADD
        case RemoveRun() | DropCheckpoint():
            return _KEEP_HOUSE


def _wake_after_seconds(draft: Draft) -> float | None:
    """Until the next reading of metrics or the nearest time limit, while anything runs."""
    alive = [run for run in draft.runs.values() if run.state is not RunState.ENDED]
    if not alive and not draft.awaited:
        return None
    waits = [draft.spec.metrics_interval_seconds, *draft.awaited.values()]
    running = [run for run in alive if not draft.trials[run.number].state.ended]
    limit = draft.spec.trials.timeout_seconds
    if limit is not None:
        waits += [
            max(0.0, run.started_at + limit - draft.seen.now)
            for run in running
            if run.started_at is not None
        ]
    limit = draft.spec.trials.pending_timeout_seconds
    left = budget.seconds_left(draft.spec, draft.trials.values(), draft.seen.now)
    if left is not None:
        waits.append(left)
    if limit is not None:
        stuck = (stuck_seconds(draft, run) for run in running)
        waits += [max(0.0, limit - seconds) for seconds in stuck if seconds is not None]
    return min(waits)
