"""What Optuna's samplers see of a study's trials: never less than all axes, never a stale trial."""

import math
from dataclasses import replace

import pytest
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.study import Study
from optuna.trial import TrialState as OptunaState

from kubetune.adapters.optuna.mirror import NAME, Mirror
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import (
    Direction,
    Objective,
    OutcomeConstraint,
    SamplerAlgorithm,
    StudySpec,
)
from kubetune.domain.trial import Point, TrialState
from tests.builders import ACCURACY, make_outcome, make_points
from tests.unit.adapters.optuna.studies import MIXED, drawn, end, failed, pruned, scored, study

SPEC = study()


def _mirror(history: list[Record], spec: StudySpec = SPEC) -> Mirror:
    mirror = Mirror(spec, Coordinates(spec.space))
    mirror.sync(history)
    return mirror


def _states(mirror: Mirror) -> list[OptunaState]:
    return [trial.state for trial in mirror.shelf.get_all_trials(0)]


def _infeasible(amounts: tuple[float, ...]) -> object:
    reason = TrialReason.OUTCOME_CONSTRAINT_BROKEN
    return make_outcome(0.9, state=TrialState.INFEASIBLE, reason=reason, constraints=amounts)


@pytest.fixture(scope="module")
def running() -> list[Record]:
    """Eight trials that are running."""
    return drawn(SPEC, 8, parallel=8)


def test_keeps_the_joint_model(running: list[Record]) -> None:
    """Pruned, failed, imported and infeasible trials leave every axis in the joint space.

    Optuna drops a parameter for good once one counted trial lacks it or has another range.
    """
    imported = replace(scored(running[5].trial), reason=TrialReason.IMPORTED)
    history = [
        end(running[0], scored(running[0].trial)),
        end(running[1], pruned(), curve=make_points(0.1, 0.2)),
        end(running[2], pruned()),
        end(running[3], failed(TrialReason.DIVERGED)),
        end(running[4], failed(TrialReason.DISRUPTED)),
        end(running[5], imported),
        end(running[6], make_outcome(0.9, state=TrialState.INFEASIBLE)),
        running[7],
    ]
    mirror = _mirror(history)
    sampler = TPESampler(multivariate=True)
    frozen = mirror.shelf.get_trial(7)
    mirrored = Study(study_name=NAME, storage=mirror.shelf, sampler=sampler)
    space = sampler.infer_relative_search_space(mirrored, frozen)
    assert set(space) == {axis.name for axis in Coordinates(MIXED).axes}


def test_counts_each_end_for_what_it_teaches(running: list[Record]) -> None:
    """Own failures are pruned trials without a curve, others are not counted at all."""
    mirror = _mirror(
        [
            running[0],
            end(running[1], scored(running[1].trial)),
            end(running[2], pruned(), curve=make_points(0.1, 0.2)),
            end(running[3], failed(TrialReason.OUT_OF_MEMORY), curve=make_points(0.9)),
            end(running[4], failed(TrialReason.DISRUPTED)),
        ]
    )
    expected = [
        OptunaState.RUNNING,
        OptunaState.COMPLETE,
        OptunaState.PRUNED,
        OptunaState.PRUNED,
        OptunaState.FAIL,
    ]
    assert _states(mirror) == expected
    curves = [trial.intermediate_values for trial in mirror.shelf.get_all_trials(0)]
    assert curves == [{}, {}, {2: 0.2}, {}, {}]


def test_ranks_cuts_by_fractional_steps(running: list[Record]) -> None:
    """Steps between whole numbers say which of two cut trials came further."""
    curve = (Point(0.25, {"accuracy": 0.1}), Point(0.5, {"accuracy": math.nan}))
    mirror = _mirror([end(running[0], pruned(), curve=curve)])
    (step,) = mirror.shelf.get_trial(0).intermediate_values
    assert step == 0.5


def test_follows_the_history(running: list[Record]) -> None:
    """A trial that ended is replaced, a history that was cut is cut."""
    mirror = _mirror(running[:3])
    ended = end(running[1], scored(running[1].trial))
    mirror.sync([running[0], ended, running[2]])
    assert _states(mirror)[1] is OptunaState.COMPLETE
    mirror.sync(running[:1])
    assert _states(mirror) == [OptunaState.RUNNING]


def test_has_the_same_constraints_on_every_trial(running: list[Record]) -> None:
    """Every valued trial has the same keys in the same order, measured or not.

    Models take constraints as columns; a missing or swapped key would mix them up.
    """
    limits = (OutcomeConstraint(metric="b", max=1), OutcomeConstraint(metric="a", max=1))
    spec = study(outcome_constraints=limits)
    history = [
        end(running[0], scored(running[0].trial)),
        end(running[1], _infeasible((0.4, -1.0))),  # type: ignore[arg-type] # an outcome
    ]
    found = [
        list(trial.constraints.items()) for trial in _mirror(history, spec).shelf.get_all_trials(0)
    ]
    assert found == [[("b", 0.0), ("a", 0.0)], [("b", 0.4), ("a", -1.0)]]


def test_leaves_nothing_of_a_draw(running: list[Record]) -> None:
    """After a draw, even one that failed, no trial is left running in its name."""
    history = [end(record, scored(record.trial)) for record in running]
    mirror = _mirror(history)

    def fail() -> None:
        with mirror.asking(history, 1) as asking:
            asking.propose()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _states(mirror) == [OptunaState.COMPLETE] * 8


def test_proposes_differently_each_time(running: list[Record]) -> None:
    """Proposals of one draw differ; another draw with the same seed repeats them."""
    history = [end(record, scored(record.trial)) for record in running]
    mirror = _mirror(history)
    found = []
    for _ in range(2):
        with mirror.asking(history, 1) as asking:
            found.append([asking.propose() for _ in range(3)])
    assert found[0] == found[1]
    assert found[0][0] != found[0][1] != found[0][2]


def test_fits_once_a_draw(running: list[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many proposals are turned down, the densities are fitted once."""
    fits = []
    fit = TPESampler._build_parzen_estimator

    def counted(self: BaseSampler, *arguments: object) -> object:
        fits.append(1)
        return fit(self, *arguments)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(TPESampler, "_build_parzen_estimator", counted)
    history = [end(record, scored(record.trial)) for record in running]
    with _mirror(history).asking(history, 1) as asking:
        for _ in range(20):
            asking.propose()
    assert len(fits) == 2


def test_learns_several_objectives(running: list[Record]) -> None:
    """With several objectives all values are learnt, and cut trials have no curve."""
    cost = Objective(metric="cost", direction=Direction.MINIMIZE)
    spec = study(objectives=(ACCURACY, cost))
    outcome = make_outcome(values=(0.5, 2.0))
    history = [end(record, outcome) for record in running[:6]]
    history.append(end(running[6], pruned(), curve=make_points(0.4)))
    mirror = _mirror(history, spec)
    assert mirror.shelf.get_trial(0).values == [0.5, 2.0]
    with mirror.asking(history, 1) as asking:
        assert set(asking.propose()) == {axis.name for axis in Coordinates(MIXED).axes}


def test_cmaes_notes_its_state() -> None:
    """After a generation, CMA-ES has noted its state with a trial."""
    records = drawn(study(SamplerAlgorithm.CMAES), 16)
    assert any("cma:optimizer:0" in record.memory["trial"] for record in records if record.memory)


def test_gp_would_see_every_axis(running: list[Record]) -> None:
    """The Gaussian process, too, finds all axes in the joint space."""
    history = [end(record, scored(record.trial)) for record in running]
    mirror = _mirror(history)
    mirrored = Study(study_name=NAME, storage=mirror.shelf, sampler=TPESampler())
    space = GPSampler().infer_relative_search_space(mirrored, mirror.shelf.get_trial(0))
    assert len(space) == len(MIXED.parameters)
