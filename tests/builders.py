"""Values with valid defaults: a test names only what it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kubetune.domain.observation import Observation
from kubetune.domain.pruners.field import Field
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit, Run, RunState
from kubetune.domain.space import Double, Space
from kubetune.domain.study import (
    Direction,
    Objective,
    Pruner,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
    TrialPolicy,
)
from kubetune.domain.trial import Outcome, Point, Trial, TrialState

NOW = 1_000_000.0
"""The time at which tests take place, in Unix seconds."""

ACCURACY = Objective(metric="accuracy", direction=Direction.MAXIMIZE)
SPACE = Space(parameters=(Double(name="x", low=0.0, high=1.0),))


def make_study(
    *, max_trials: int = 10, parallelism: int = 2, trials: TrialPolicy | None = None, **changes: Any
) -> StudySpec:
    """A study of one Double `x` in [0, 1] that maximises `accuracy`, drawn at random."""
    values: dict[str, Any] = {
        "name": "study",
        "namespace": "default",
        "objectives": (ACCURACY,),
        "space": SPACE,
        "sampler": Sampler(algorithm=SamplerAlgorithm.RANDOM, seed=1),
        "pruner": Pruner(),
        "trials": trials or TrialPolicy(max=max_trials, parallelism=parallelism),
    }
    return StudySpec(**(values | changes))


def make_outcome(value: float | None = 0.5, **changes: Any) -> Outcome:
    """A plain completion with this value of `accuracy`; without values when it is None."""
    values: dict[str, Any] = {
        "state": TrialState.COMPLETE,
        "reason": TrialReason.NONE,
        "values": () if value is None else (value,),
        "metrics": {} if value is None else {"accuracy": value},
    }
    return Outcome(**(values | changes))


def make_trial(number: int = 0, value: float | None = None, **changes: Any) -> Trial:
    """A Running trial; with a `value`, or an `outcome`, one that has ended."""
    outcome = changes.pop("outcome", None) or (None if value is None else make_outcome(value))
    values: dict[str, Any] = {
        "number": number,
        "state": outcome.state if outcome else TrialState.RUNNING,
        "parameters": {"x": 0.5},
        "active": frozenset({"x"}),
        "created_at": NOW - 100,
        "outcome": outcome,
    }
    if outcome:
        values |= {"started_at": NOW - 90, "ended_at": NOW - 10}
    return Trial(**(values | changes))


def make_points(*values: float, metric: str = "accuracy", start: float = 1) -> tuple[Point, ...]:
    """A curve: one point a value, at steps start, start + 1, ..."""
    return tuple(Point(start + index, {metric: value}) for index, value in enumerate(values))


def make_field(spec: StudySpec, trial: Trial, peers: Iterable[Trial]) -> Field:
    """What a running trial is compared with; of its own number it is the only one."""
    others = (peer for peer in peers if peer.number != trial.number)
    return Field(spec, (*others, replace(trial, state=TrialState.RUNNING, outcome=None)))


def make_run(number: int = 0, attempt: int = 1, **changes: Any) -> Run:
    """A run that has been going for ten seconds; with an `exit`, one that has ended now."""
    values: dict[str, Any] = {
        "number": number,
        "attempt": attempt,
        "uid": f"run-{number}-{attempt}",
        "state": RunState.ENDED if changes.get("exit") else RunState.RUNNING,
        "started_at": NOW - 10,
    }
    if changes.get("exit"):
        values["ended_at"] = NOW
    return Run(**(values | changes))


def make_exit(code: int | None = 0, message: bytes = b"", **changes: Any) -> Exit:
    """How a run ended."""
    return Exit(code=code, message=message, **changes)


def make_result(value: float, *, metric: str = "accuracy", step: int = 3) -> bytes:
    """The termination message of a trial that completed with this value."""
    text = f'{{"schema": 1, "state": "Complete", "reason": "", "step": {step}, '
    return (text + f'"metrics": {{"{metric}": {value}}}}}').encode()


def make_observation(
    *trials: Trial,
    runs: tuple[Run, ...] = (),
    spec: StudySpec | None = None,
    now: float = NOW,
    readings: Mapping[int, Any] | None = None,
    **changes: Any,
) -> Observation:
    """What a pass sees: these trials and runs of the default study."""
    return Observation(
        spec=spec or make_study(),
        trials=trials,
        runs=runs,
        now=now,
        readings=readings or {},
        **changes,
    )
