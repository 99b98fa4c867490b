"""Who may be run again in the finals, and with which values."""

from dataclasses import replace

from kubetune.domain import candidates
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Constraint, Derived, Double, Space
from kubetune.domain.study import Adjustment, Finalists, TrialPolicy
from kubetune.domain.trial import Stage
from tests.builders import make_study, make_trial

NUMBERS = {"x": Kind.DOUBLE, "epochs": Kind.INT, "batch": Kind.INT}
SEARCH = [make_trial(number, value) for number, value in enumerate((0.5, 0.9, 0.8, 0.7))]
X = (Double(name="x", low=0.0, high=1.0),)


def study(**changes):
    return make_study(finalists=Finalists(**{"top": 2, "seeds": (1, 2, 3), **changes}))


def asks(text, *kinds):
    return compile_expression(text, NUMBERS, kinds or (Kind.BOOL,))


def test_a_finalist_may_train_longer():
    """`fixed` replaces values, and what is derived from them follows."""
    steps = Derived("steps", asks("epochs * 10", Kind.INT))
    space = Space(parameters=X, derived=(steps,), fixed={"epochs": 3})
    spec = replace(study(fixed={"epochs": 20}), space=space)
    trial = replace(SEARCH[1], parameters={"x": 0.5, "epochs": 3, "steps": 30})
    assert candidates.parameters(spec, trial) == {"x": 0.5, "epochs": 20, "steps": 200}


def test_what_a_constraint_forbids_then_is_no_finalist():
    """The next best takes its place; it is told who was passed over, and by which rule."""
    rule = Constraint(name="short", forbid=asks("x > 0.6 && epochs > 5"))
    space = Space(parameters=X, fixed={"epochs": 3}, constraints=(rule,))
    spec = replace(study(top=1, fixed={"epochs": 20}), space=space)
    trials = [
        replace(trial, parameters={"x": x, "epochs": 3})
        for trial, x in zip(SEARCH, (0.1, 0.7, 0.2, 0.9), strict=True)
    ]
    found, passed_over = candidates.leaders(spec, trials)
    assert [trial.number for trial in found] == [2]
    assert passed_over == {1: ("short",)}


def test_seeds_after_an_out_of_memory_begin_with_what_fitted():
    """The values that the rules changed, of the run that needed most; derived ones follow."""
    halve = Adjustment(name="batch", value=asks("batch / 2", Kind.INT))
    tokens = Derived("tokens", asks("batch * 100", Kind.INT))
    space = Space(parameters=X, derived=(tokens,), fixed={"batch": 8, "epochs": 3})
    policy = TrialPolicy(max=4, out_of_memory_retries=2, on_out_of_memory=(halve,))
    spec = replace(study(fixed={"epochs": 9}), space=space, trials=policy)
    trial = replace(SEARCH[1], parameters={"x": 0.5, "epochs": 3, "batch": 8, "tokens": 800})

    def run(number, seed, batch, times):
        values = {"x": 0.5, "epochs": 9, "batch": batch, "tokens": 100 * batch}
        return make_trial(
            number,
            0.5,
            stage=Stage.FINALIST,
            repeats=1,
            seed=seed,
            parameters=values,
            out_of_memory=times,
        )

    began = {"x": 0.5, "epochs": 9, "batch": 8, "tokens": 800}
    assert candidates.parameters(spec, trial, [*SEARCH, run(10, 1, 8, 0)]) == began
    ran = [run(10, 1, 8, 0), run(11, 2, 2, 2), run(12, 3, 4, 1)]
    fitted = {**began, "batch": 2, "tokens": 200}
    assert candidates.parameters(spec, trial, [*SEARCH, *ran]) == fitted
    other = replace(SEARCH[2], parameters=trial.parameters)
    assert candidates.parameters(spec, other, ran) == began
