"""Studies and histories that the tests of this folder share."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Condition, Constraint, Double, Integer, Space
from kubetune.domain.study import Sampler, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Outcome, Trial, TrialState
from kubetune.domain.values import Assignment
from tests.builders import make_outcome, make_study

SCOPE = {"x": Kind.DOUBLE, "rate": Kind.DOUBLE, "n": Kind.INT, "kind": Kind.STRING}

MIXED = Space(
    parameters=(
        Double(name="x", low=0.0, high=1.0),
        Double(name="rate", low=1e-4, high=1.0, log=True),
        Integer(name="n", low=1, high=9),
        Choice(name="kind", values=("a", "b", "c")),
        Choice(
            name="extra",
            values=(1, 2, 4),
            ordered=True,
            condition=Condition(compile_expression("kind == 'b'", SCOPE), 0),
        ),
    ),
    constraints=(
        Constraint(name="cut", forbid=compile_expression("x > 0.8 && kind == 'a'", SCOPE)),
        Constraint(name="ring", forbid=compile_expression("n == 5", SCOPE)),
    ),
)

SETTINGS: Mapping[SamplerAlgorithm, Mapping[str, Any]] = {
    SamplerAlgorithm.CMAES: {"popsize": 4},
    SamplerAlgorithm.NSGAII: {"population_size": 4},
    SamplerAlgorithm.NSGAIII: {"population_size": 4},
    SamplerAlgorithm.GRID: {"points": 4},
    SamplerAlgorithm.BRUTE_FORCE: {"points": 4},
}

HERE = tuple(item for item in SamplerAlgorithm if item is not SamplerAlgorithm.GP)
"""The algorithms that need no package beyond those of the tests."""


def study(algorithm: SamplerAlgorithm = SamplerAlgorithm.TPE, **changes: Any) -> StudySpec:
    """A mixed space under a sampler that begins to model after four trials."""
    sampler = Sampler(
        algorithm=algorithm, seed=7, startup_trials=4, settings=SETTINGS.get(algorithm, {})
    )
    return make_study(**({"space": MIXED, "sampler": sampler} | changes))


def score(parameters: Assignment) -> float:
    """A smooth objective."""
    return float(parameters["n"]) / 9 - (float(parameters.get("x", 0)) - 0.3) ** 2


def scored(trial: Trial) -> Outcome:
    """A completion with the trial's score."""
    return make_outcome(score(trial.parameters))


def failed(reason: TrialReason) -> Outcome:
    """A failure."""
    return Outcome(TrialState.FAILED, reason)


def pruned() -> Outcome:
    """A cut by the pruner."""
    return Outcome(TrialState.PRUNED, TrialReason.PRUNED)


def end(record: Record, outcome: Outcome, **changes: Any) -> Record:
    """The record of an ended trial."""
    trial = replace(record.trial, state=outcome.state, outcome=outcome, **changes)
    return replace(record, trial=trial)


def drawn(
    spec: StudySpec,
    count: int,
    *,
    parallel: int = 1,
    drafter: Callable[[], Drafter] | None = None,
    outcome: Callable[[Trial], Outcome] = scored,
) -> list[Record]:
    """The records of a study of so many trials, `parallel` at a time, the last ones running.

    `drafter` gives the drafter of each draw: one for all unless it is given.
    """
    shared = Drafter(spec, Coordinates(spec.space))
    records: list[Record] = []
    for number in range(count):
        if number >= parallel:
            finished = records[number - parallel]
            records[number - parallel] = end(finished, outcome(finished.trial))
        draft = (drafter() if drafter else shared).draft(records)
        assert draft is not None
        candidate = draft.candidate
        trial = Trial(
            number=number,
            state=TrialState.RUNNING,
            parameters=candidate.parameters,
            active=candidate.active,
        )
        records.append(draft.record(trial))
    return records
