"""What an earlier study's results are worth in another one."""

from dataclasses import replace

import pytest

from kubetune.domain import warm_start
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Choice, Constraint, Double, Space
from kubetune.domain.study import Direction, EarlierStudy
from kubetune.domain.trial import Stage
from kubetune.domain.warm_start import Earlier
from tests.builders import make_study, make_trial

SAME = (("accuracy", Direction.MAXIMIZE),)
OLD = EarlierStudy(name="old")


def earlier(*points, **changes):
    """A study whose trials had these parameters, each better than the one before."""
    trials = [
        make_trial(number, 0.1 * number, parameters=parameters, active=frozenset(parameters))
        for number, parameters in enumerate(points)
    ]
    return Earlier(**{"objectives": SAME, "trials": tuple(trials), **changes})


def study(*parameters, **changes):
    space = Space(parameters=(Double(name="x", low=0.0, high=1.0), *parameters), **changes)
    return make_study(space=space)


def taken(spec, found, wanted=OLD, top=10):
    return warm_start.take_over(spec, wanted, found, top)


def test_the_best_come_over_as_known_results():
    """Under the earlier study's name and number, with all their metrics."""
    found = taken(study(), earlier({"x": 0.1}, {"x": 0.2}, {"x": 0.3}), top=2)
    assert [(trial.name, trial.parameters, trial.metrics) for trial in found.trials] == [
        ("old.2", {"x": 0.3}, {"accuracy": pytest.approx(0.2)}),
        ("old.1", {"x": 0.2}, {"accuracy": pytest.approx(0.1)}),
    ]
    assert found.message == "2 trials of old are taken over"


def test_what_lies_outside_is_left_out_by_name():
    """Others take its place."""
    narrow = study(Choice(name="kind", values=("a", "b")))
    found = taken(
        narrow,
        earlier({"x": 0.5, "kind": "a"}, {"x": 1.5, "kind": "a"}, {"x": 0.5, "kind": "c"}),
    )
    assert [trial.name for trial in found.trials] == ["old.0"]
    assert found.message == (
        "1 trials of old are taken over;"
        " left out: kind outside its range here (1), x outside its range here (1)"
    )


def test_a_new_parameter_needs_the_value_that_they_had():
    """Nobody guesses what it was."""
    wider = study(Double(name="dropout", low=0.0, high=0.5))
    found = taken(wider, earlier({"x": 0.5}))
    assert (found.trials, found.message) == (
        (),
        "0 trials of old are taken over; left out: no value of dropout (1)",
    )
    told = EarlierStudy(name="old", parameters={"dropout": 0.0})
    assert taken(wider, earlier({"x": 0.5}), told).trials[0].parameters == {
        "x": 0.5,
        "dropout": 0.0,
    }


def test_what_is_forbidden_here_is_left_out():
    """By the constraint's name."""
    rule = Constraint(
        name="low", forbid=compile_expression("x > 0.4", {"x": Kind.DOUBLE}, (Kind.BOOL,))
    )
    found = taken(study(constraints=(rule,)), earlier({"x": 0.5}))
    assert found.message.endswith("left out: constraint low (1)")


def test_only_the_search_s_complete_trials_count():
    """Runs of finalists are repetitions."""
    found = earlier({"x": 0.5}, {"x": 0.6})
    again = replace(found.trials[1], stage=Stage.FINALIST, repeats=0)
    running = make_trial(2, parameters={"x": 0.7}, active=frozenset({"x"}))
    found = replace(found, trials=(found.trials[0], again, running))
    assert [trial.name for trial in taken(study(), found).trials] == ["old.0"]


def test_other_fixed_values_are_named():
    """They may make the results worthless: the person is to know."""
    found = taken(study(fixed={"epochs": 3}), earlier({"x": 0.5, "epochs": 20}))
    assert found.message.endswith("it had other fixed values: epochs 20")


def test_other_objectives_are_told_apart():
    """By metric and direction."""
    spec = make_study()
    assert warm_start.differing_objectives(spec, earlier()) == ""
    other = earlier(objectives=(("loss", Direction.MINIMIZE),))
    assert warm_start.differing_objectives(spec, other) == (
        "Minimize loss there, Maximize accuracy here"
    )
