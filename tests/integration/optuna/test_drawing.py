"""A draw is a function of seed, number and history, for every algorithm, and never forbidden."""

from collections import Counter
from dataclasses import replace

import pytest

from kubetune.adapters.optuna import drawing
from kubetune.adapters.optuna.drawing import Drafter, Drawing
from kubetune.adapters.optuna.mirror import Asking
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.draw import NoFeasibleDraw
from kubetune.domain.expressions import compile_expression
from kubetune.domain.faults import InvalidSpec
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Condition, Constraint, Double, Integer, Space
from kubetune.domain.study import Sampler, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Outcome, Trial
from tests.builders import make_outcome, make_study
from tests.unit.adapters.optuna.studies import HERE, MIXED, SCOPE, drawn, failed, study

GRIDS = (SamplerAlgorithm.GRID, SamplerAlgorithm.BRUTE_FORCE)


def _drafter(spec: StudySpec) -> Drafter:
    return Drafter(spec, Coordinates(spec.space))


def _points(records: list[Record]) -> list[dict[str, float | int]]:
    return [dict(record.point) for record in records]


def _small(*constraints: Constraint, condition: Condition | None = None) -> StudySpec:
    """A grid of twelve combinations."""
    space = Space(
        parameters=(
            Choice(name="kind", values=("a", "b", "c")),
            Integer(name="n", low=1, high=4, condition=condition),
        ),
        constraints=constraints,
    )
    return study(SamplerAlgorithm.GRID, space=space)


@pytest.mark.parametrize("algorithm", HERE)
def test_draws_nothing_forbidden(algorithm: SamplerAlgorithm) -> None:
    """No algorithm's trial breaks a hard constraint."""
    for record in drawn(study(algorithm), 24, parallel=3):
        parameters = record.trial.parameters
        assert parameters["n"] != 5
        assert parameters["kind"] != "a" or parameters["x"] <= 0.8  # type: ignore[operator]


@pytest.mark.parametrize("algorithm", HERE)
def test_draws_the_same_after_a_restart(algorithm: SamplerAlgorithm) -> None:
    """A study whose every draw is made by a new process draws what one process would.

    The samplers' own state (CMA-ES its distribution, NSGA its generations) goes on as well.
    """
    spec = study(algorithm)
    through = drawn(spec, 24, parallel=3)
    restarted = drawn(spec, 24, parallel=3, drafter=lambda: _drafter(spec))
    assert _points(restarted) == _points(through)


@pytest.mark.parametrize("algorithm", HERE)
def test_draws_differ(algorithm: SamplerAlgorithm) -> None:
    """No draw repeats another: a restart must not begin the start-up draws again."""
    keys = [tuple(record.point.items()) for record in drawn(study(algorithm), 12, parallel=12)]
    assert len(set(keys)) == 12


def test_another_seed_draws_otherwise() -> None:
    """The study's seed decides."""
    spec = study()
    other = replace(spec, sampler=replace(spec.sampler, seed=8))
    assert _points(drawn(spec, 3)) != _points(drawn(other, 3))


@pytest.mark.parametrize("algorithm", [SamplerAlgorithm.NSGAII, SamplerAlgorithm.NSGAIII])
def test_generations_go_on(algorithm: SamplerAlgorithm) -> None:
    """The genetic samplers advance through generations, and their parents are noted."""
    records = drawn(study(algorithm), 24, parallel=3)
    generations = [
        value
        for record in records
        for key, value in record.memory["trial"].items()
        if key.endswith(":generation")
    ]
    assert generations == sorted(generations)
    assert generations[-1] >= 3
    assert any(record.memory["study"] for record in records)


def test_the_model_keeps_away_from_failures() -> None:
    """TPE draws where configurations failed by their own fault far less than anywhere else.

    Failures that were not their own keep nobody away.
    """
    spec = make_study(
        space=Space(parameters=(Double(name="x", low=0.0, high=1.0),)),
        sampler=Sampler(algorithm=SamplerAlgorithm.TPE, seed=1, startup_trials=5),
    )

    def late_in_upper_half(reason: TrialReason) -> int:
        def outcome(trial: Trial) -> Outcome:
            return failed(reason) if float(trial.parameters["x"]) > 0.5 else make_outcome(0.5)

        late = drawn(spec, 60, outcome=outcome)[20:]
        return sum(float(record.trial.parameters["x"]) > 0.5 for record in late)

    assert late_in_upper_half(TrialReason.DIVERGED) < late_in_upper_half(TrialReason.DISRUPTED) / 2


def test_models_are_not_loaded_for_startup() -> None:
    """Before the model would be asked, none is made: the first launch must not wait for it."""
    spec = study()
    drafter = _drafter(spec)
    draft = drafter.draft([])
    assert draft is not None
    assert drafter._mirror is None


def test_uniform_draws_follow_a_model_without_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that proposes only what is turned down does not stop the study."""
    unwanted = Constraint(
        name="unwanted", forbid=compile_expression("kind == 'a'", SCOPE), accept_probability=1e-9
    )
    spec = study(space=replace(MIXED, constraints=(unwanted,)))
    records = drawn(spec, 8)
    asked = []

    def stuck(_: Asking) -> dict[str, float | int]:
        asked.append(1)
        return {"x": 0.5, "rate": 0.1, "n": 5, "kind": 0, "extra": 0}

    monkeypatch.setattr(Asking, "propose", stuck)
    draft = _drafter(spec).draft(records)
    assert draft is not None
    assert draft.candidate.parameters["kind"] != "a"
    assert len(asked) == drawing.PATIENCE
    assert draft.proposals > drawing.PATIENCE


@pytest.mark.parametrize("algorithm", GRIDS)
def test_a_grid_ends(algorithm: SamplerAlgorithm) -> None:
    """A grid draws each combination once, then no more, also after a restart."""
    spec = _small()
    spec = replace(spec, sampler=replace(spec.sampler, algorithm=algorithm))
    records = drawn(spec, 12, drafter=lambda: _drafter(spec))
    assert len({tuple(record.drawn.items()) for record in records}) == 12
    assert _drafter(spec).draft(records) is None


def test_a_grid_skips_what_means_the_same() -> None:
    """Combinations that differ in an inactive parameter alone are one trial."""
    only_b = Condition(compile_expression("kind == 'b'", SCOPE), 1)
    spec = _small(condition=only_b)
    records = drawn(spec, 6)
    assert sorted(Counter(record.drawn["kind"] for record in records).items()) == [
        ("a", 1),
        ("b", 4),
        ("c", 1),
    ]
    assert _drafter(spec).draft(records) is None


def test_a_grid_skips_what_was_tried_first() -> None:
    """The combination of an initial trial is not drawn again."""
    spec = _small()
    first = drawn(spec, 1)[0]
    initial = replace(first, proposals=0)
    drafter = _drafter(spec)
    draft = drafter.draft([initial])
    assert draft is not None
    assert draft.candidate.parameters != first.drawn


def test_a_grid_keeps_a_share_of_what_is_unwanted() -> None:
    """A soft constraint thins a grid out: its combinations are kept by chance, once for all."""
    forbid = compile_expression("n > 0", SCOPE)
    space = Space(
        parameters=(Integer(name="n", low=1, high=400),),
        constraints=(Constraint(name="thin", forbid=forbid, accept_probability=0.25),),
    )
    spec = study(SamplerAlgorithm.GRID, space=space)
    drafter, records = _drafter(spec), drawn(spec, 1)
    while (draft := drafter.draft(records)) is not None:
        records.append(draft.record(records[0].trial))
    assert 60 <= len(records) <= 140
    assert sum(record.proposals for record in records) <= 400


def test_says_when_nothing_is_feasible() -> None:
    """A space that is forbidden everywhere is given up with the constraints that bite.

    A grid has then simply come to its end.
    """
    everything = Constraint(name="all", forbid=compile_expression("n > 0", SCOPE))
    spec = replace(_small(everything), sampler=Sampler(algorithm=SamplerAlgorithm.RANDOM))
    with pytest.raises(NoFeasibleDraw, match="all"):
        _drafter(spec).draft([])
    assert _drafter(_small(everything)).draft([]) is None


def test_gp_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch, GP is refused at once with the package to install."""
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    with pytest.raises(InvalidSpec, match=r"sampler GP needs torch: install kubetune\[gp\]"):
        _drafter(study(SamplerAlgorithm.GP))


def test_drawing_to_look_at_goes_on() -> None:
    """Draws without a database follow one another like those of a study that runs them all."""
    spec = study()
    shown = Drawing(spec)
    draws = [shown.draw() for _ in range(6)]
    stored = drawn(spec, 6, parallel=6)
    assert [draw and draw.candidate.parameters for draw in draws] == [
        record.drawn for record in stored
    ]


def test_drawing_to_look_at_continues_a_history() -> None:
    """Given the trials of a study, draws continue it."""
    spec = study()
    records = drawn(spec, 6)
    history = [record.trial for record in records]
    draw = Drawing(spec, history).draw()
    draft = _drafter(spec).draft(records)
    assert draw is not None
    assert draft is not None
    assert draw.candidate.parameters == pytest.approx(draft.candidate.parameters)
