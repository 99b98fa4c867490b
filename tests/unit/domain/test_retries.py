"""Retries after an out-of-memory: what is adjusted, and when there is no next attempt."""

import pytest

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.retries import NoRetry, adjust
from kubetune.domain.space import Constraint, Derived, Integer, Space
from kubetune.domain.study import Adjustment, TrialPolicy
from tests.builders import SPACE, make_study, make_trial

SCOPE = {
    "batch": Kind.INT,
    "steps": Kind.INT,
    "rate": Kind.DOUBLE,
    "optimiser": Kind.STRING,
    "eager": Kind.BOOL,
}
VALUES = {"batch": 8, "steps": 2, "rate": 0.5, "optimiser": "adam", "eager": True}


def rule(name, text):
    return Adjustment(name=name, value=compile_expression(text, SCOPE))


HALVE, DOUBLE = rule("batch", "batch / 2"), rule("steps", "steps * 2")


def retry(*rules, out_of_memory=0, retries=2, space=SPACE, **values):
    policy = TrialPolicy(max=1, out_of_memory_retries=retries, on_out_of_memory=rules)
    trial = make_trial(parameters=VALUES | values, out_of_memory=out_of_memory)
    return adjust(make_study(trials=policy, space=space), trial)


def test_rules_are_applied():
    """The other values stay as they were."""
    assert retry(HALVE, DOUBLE) == VALUES | {"batch": 4, "steps": 4}


UNDEFINED = compile_expression("batch % (steps - 4) == 0", SCOPE)
NEEDED = compile_expression("batch < 5", SCOPE)


def test_arithmetic_without_an_answer_forbids():
    """The same rule as in a draw: nothing unknown is ever launched."""
    parameters = (Integer(name="batch", low=1, high=64), Integer(name="steps", low=1, high=8))
    for forbid, text in ((UNDEFINED, "odd"), (NEEDED, "small")):
        space = Space(parameters=parameters, constraints=(Constraint(name=text, forbid=forbid),))
        found = retry(HALVE, DOUBLE, space=space)
        assert found == NoRetry(f"the adjusted values break constraint {text}")


def test_a_constraint_on_a_value_that_is_not_there_does_not_apply():
    """As in a draw: an inactive parameter breaks nothing."""
    scope = SCOPE | {"warmup": Kind.INT}
    forbid = compile_expression("batch < 5 && warmup > 0", scope)
    parameters = (Integer(name="batch", low=1, high=64), Integer(name="warmup", low=1, high=8))
    space = Space(parameters=parameters, constraints=(Constraint(name="rule", forbid=forbid),))
    assert retry(HALVE, space=space) == VALUES | {"batch": 4}


def test_rules_see_the_values_before():
    """Their order does not matter."""
    rules = HALVE, rule("steps", "batch * steps")
    assert retry(*rules) == retry(*reversed(rules)) == VALUES | {"batch": 4, "steps": 16}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("batch", "double(batch) * 0.45", 3),
        ("batch", "3", 3),
        ("rate", "rate / 2.0", 0.25),
        ("rate", "1", 1.0),
        ("optimiser", "'sgd'", "sgd"),
        ("eager", "!eager", False),
    ],
)
def test_a_value_keeps_its_kind(name, text, value):
    """Whole numbers stay whole, cut towards zero; numbers stay numbers."""
    found = retry(rule(name, text))
    assert not isinstance(found, NoRetry)
    assert found[name] == value
    assert type(found[name]) is type(VALUES[name])


@pytest.mark.parametrize(
    ("rules", "changes", "why"),
    [
        ((), {}, "no retry is asked for"),
        ((HALVE,), {"retries": 0}, "no retry is asked for"),
        ((HALVE,), {"out_of_memory": 2}, "all 2 retries are used"),
        ((HALVE,), {"batch": 1}, "batch would be 0, below 1"),
        ((rule("batch", "double(batch) * 0.1"),), {}, "batch would be 0.8, below 1"),
        (
            (rule("batch", "batch / (steps - 2)"),),
            {},
            "batch = batch / (steps - 2) has no value here",
        ),
        ((rule("rate", "rate / 0.0"),), {}, "rate would be inf"),
        ((rule("batch", "'small'"),), {}, "batch would be 'small', of another kind than 8"),
        ((rule("optimiser", "1"),), {}, "optimiser would be 1, of another kind than 'adam'"),
        ((rule("batch", "batch"),), {}, "the rules change nothing"),
    ],
)
def test_some_attempts_are_not_worth_making(rules, changes, why):
    """The sentence says why there is no next attempt."""
    assert retry(*rules, **changes) == NoRetry(why)


def test_derived_values_follow():
    """What is computed from an adjusted value is computed anew, unless a rule sets it."""
    total = Derived("total", compile_expression("batch * steps", SCOPE))
    space = Space(parameters=SPACE.parameters, derived=(total,))
    assert retry(HALVE, space=space, total=16) == VALUES | {"batch": 4, "total": 8}
    scope_rule = Adjustment(name="total", value=compile_expression("batch", SCOPE))
    assert retry(HALVE, scope_rule, space=space, total=16) == VALUES | {"batch": 4, "total": 8}


def test_a_forbidden_combination_is_never_launched():
    """An adjustment that a hard constraint forbids ends the trial; a soft one does not."""
    forbid = compile_expression("batch < 6", SCOPE)
    hard = Constraint(name="large-batches", forbid=forbid)
    soft = Constraint(name="large-batches", forbid=forbid, accept_probability=0.5)
    space = Space(parameters=SPACE.parameters, constraints=(hard,))
    assert retry(HALVE, space=space) == NoRetry(
        "the adjusted values break constraint large-batches"
    )
    space = Space(parameters=SPACE.parameters, constraints=(soft,))
    assert retry(HALVE, space=space) == VALUES | {"batch": 4}
