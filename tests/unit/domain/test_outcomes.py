"""Outcomes: how a run's end becomes a trial's end, or its next attempt."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.domain import outcomes
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.outcomes import Again, Final
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import (
    Adjustment,
    Direction,
    Finalists,
    InitialTrial,
    Objective,
    OutcomeConstraint,
    Summary,
    TrialPolicy,
)
from kubetune.domain.trial import Point, Stage, TrialState
from kubetune.domain.verdict import Verdict
from tests.builders import ACCURACY, make_exit, make_points, make_run, make_study, make_trial

HALVE = Adjustment(name="batch", value=compile_expression("batch / 2", {"batch": Kind.INT}))
LAST = Objective(metric="accuracy", direction=Direction.MAXIMIZE, summary=Summary.LAST)
LIMIT = OutcomeConstraint(metric="black", max=0.05)
LEAST = OutcomeConstraint(metric="speed", min=10.0)


def say(state="Complete", **fields):
    return json.dumps({"schema": 1, "state": state} | fields).encode()


def judge(code=0, message=b"", trial=None, spec=None, **flags):
    run = make_run(exit=make_exit(code, message, **flags))
    return outcomes.judge(spec or make_study(), trial or make_trial(), run)


def end(*args, **kwargs):
    ending = judge(*args, **kwargs)
    assert isinstance(ending, Final)
    return ending.outcome


def test_a_complete_trial_has_its_value():
    """Exit 0 with a finite objective: Complete, no reason, the metrics it said."""
    outcome = end(message=say(metrics={"accuracy": 0.8, "loss": 0.3}))
    assert (outcome.state, outcome.reason) == (TrialState.COMPLETE, TrialReason.NONE)
    assert outcome.values == (0.8,)
    assert outcome.metrics == {"accuracy": 0.8, "loss": 0.3}


@pytest.mark.parametrize(
    ("objective", "stored", "fields", "value"),
    [
        (ACCURACY, (0.9, 0.7), {"metrics": {"accuracy": 0.8}}, 0.9),
        (ACCURACY, (0.6,), {"metrics": {"accuracy": 0.8}}, 0.8),
        (ACCURACY, (0.6,), {"curve": [[2, 0.95]], "metrics": {"accuracy": 0.8}}, 0.95),
        (LAST, (0.9,), {"metrics": {"accuracy": 0.8}}, 0.8),
        (LAST, (0.9,), {"curve": [[2, 0.7]]}, 0.7),
        (LAST, (0.9, 0.6), {}, 0.6),
        (ACCURACY, (0.9, 0.6), {}, 0.9),
    ],
)
def test_the_summary_makes_the_value(objective, stored, fields, value):
    """Best looks over stored curve, message's curve and final metric; Last trusts the final."""
    spec = make_study(objectives=(objective,))
    trial = make_trial(curve=make_points(*stored))
    assert end(message=say(**fields), trial=trial, spec=spec).values == (value,)


def test_a_stored_step_gains_the_objective_that_came_with_the_end():
    """The last scrape saw the training loss of a step, not yet its evaluation."""
    trial = make_trial(curve=(Point(1, {"accuracy": 0.4, "loss": 2.0}), Point(2, {"loss": 1.0})))
    ending = judge(0, say(step=2, curve=[[1, 0.4], [2, 0.6]], metrics={"accuracy": 0.6}), trial)
    assert ending.points == (Point(2, {"accuracy": 0.6}),)
    assert ending.outcome.values == (0.6,)


def test_exit_zero_without_a_word_is_complete_by_its_curve():
    """A program that knows nothing of the contract completes with what it showed."""
    assert end(trial=make_trial(curve=make_points(0.4, 0.5))).values == (0.5,)


def test_no_value_at_all_is_a_failure():
    """A complete trial without a value fails at once, never hangs; what it did report is named."""
    outcome = end(message=say(metrics={"loss": 0.1, "acc": 0.9}))
    assert (outcome.state, outcome.reason) == (TrialState.FAILED, TrialReason.METRICS_MISSING)
    assert outcome.message == "no value of accuracy was reported, only of acc, loss"


def test_of_many_metrics_only_some_are_named():
    """The sentence that says which metric is missing stays one."""
    outcome = end(message=say(metrics={f"loss_{number}": 0.1 for number in range(10)}))
    assert outcome.message.endswith(
        "only of " + ", ".join(f"loss_{n}" for n in range(8)) + " and 2 more"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"metrics": {"accuracy": "NaN"}},
        {"metrics": {"accuracy": "-Infinity"}},
        {"curve": [[1, "Infinity"]], "metrics": {"accuracy": 0.5}},
    ],
)
def test_a_non_finite_objective_is_a_failure(fields):
    """Anywhere in the curve or at the end: Failed, Diverged."""
    outcome = end(message=say(**fields))
    assert (outcome.state, outcome.reason) == (TrialState.FAILED, TrialReason.DIVERGED)


def test_the_messages_points_are_handed_on():
    """Only steps not stored yet; the last one with all the metrics of its step."""
    trial = make_trial(curve=make_points(0.1))
    message = say(
        step=3, curve=[[1, 0.1], [2, 0.2], [3, 0.3]], metrics={"accuracy": 0.3, "loss": 1}
    )
    ending = judge(message=message, trial=trial)
    assert ending.points == (
        Point(2, {"accuracy": 0.2}),
        Point(3, {"accuracy": 0.3, "loss": 1.0}),
    )


def test_a_stored_point_gains_the_objective_from_the_message():
    """A scrape that caught a step before its objective was known does not hide the value."""
    trial = make_trial(curve=(Point(1, {"loss": 2.0}),))
    assert end(message=say(curve=[[1, 0.9]]), trial=trial).values == (0.9,)


def test_several_objectives_have_several_values():
    """One value an objective, in the study's order, each by its own summary."""
    size = Objective(metric="size", direction=Direction.MINIMIZE)
    spec = make_study(objectives=(ACCURACY, size))
    trial = make_trial(curve=(Point(1, {"accuracy": 0.9, "size": 5.0}),))
    outcome = end(message=say(metrics={"accuracy": 0.8, "size": 4}), trial=trial, spec=spec)
    assert outcome.values == (0.9, 4.0)


def test_a_kept_outcome_constraint_is_measured():
    """Zero or less is kept; how far is told in the study's order."""
    spec = make_study(outcome_constraints=(LIMIT, LEAST))
    outcome = end(message=say(metrics={"accuracy": 0.8, "black": 0.05, "speed": 12}), spec=spec)
    assert outcome.state is TrialState.COMPLETE
    assert outcome.constraints == (0.0, -2.0)


def test_a_broken_outcome_constraint_is_infeasible():
    """Infeasible with its value, so that the sampler learns; the message has the figures."""
    spec = make_study(outcome_constraints=(LIMIT, LEAST))
    outcome = end(message=say(metrics={"accuracy": 0.8, "black": 0.3, "speed": 8}), spec=spec)
    assert outcome.state is TrialState.INFEASIBLE
    assert outcome.reason is TrialReason.OUTCOME_CONSTRAINT_BROKEN
    assert outcome.values == (0.8,)
    assert outcome.constraints == (0.25, 2.0)
    assert outcome.message == "black 0.3 is above 0.05; speed 8 is below 10"


@pytest.mark.parametrize("metrics", [{"accuracy": 0.8}, {"accuracy": 0.8, "black": "NaN"}])
def test_an_unmeasured_outcome_constraint_is_a_failure(metrics):
    """A limit that nobody measured is not kept: MetricsMissing, and which metric."""
    outcome = end(message=say(metrics=metrics), spec=make_study(outcome_constraints=(LIMIT,)))
    assert outcome.reason is TrialReason.METRICS_MISSING
    assert outcome.message == "outcome constraint on black: no finite value was reported"


@pytest.mark.parametrize(
    ("code", "message", "flags", "reason", "text"),
    [
        (0, b"hello", {}, TrialReason.BAD_REPORT, "the result is not JSON: 'hello'"),
        (0, say(trial=9), {}, TrialReason.BAD_REPORT, "the result is of trial 9, not of trial 0"),
        (64, b"", {}, TrialReason.BAD_CONFIGURATION, "exit code 64"),
        (
            64,
            say("Failed", message="lr must be a number"),
            {},
            TrialReason.BAD_CONFIGURATION,
            "exit code 64: lr must be a number",
        ),
        (1, b"", {}, TrialReason.CRASHED, "exit code 1"),
        (1, b"Traceback\n boom", {}, TrialReason.CRASHED, "exit code 1: Traceback boom"),
        (1, say(), {}, TrialReason.CRASHED, "exit code 1: the trial says Complete"),
        (139, b"", {}, TrialReason.CRASHED, "exit code 139 (SIGSEGV)"),
        (
            1,
            say("Failed", reason="GradientExplosion", message="norm 1e9"),
            {},
            TrialReason.GRADIENT_EXPLOSION,
            "exit code 1: GradientExplosion: norm 1e9",
        ),
        (
            1,
            say("Failed", reason="ValueError", message="no"),
            {},
            TrialReason.CRASHED,
            "exit code 1: ValueError: no",
        ),
        (0, say("Failed", reason="Diverged"), {}, TrialReason.DIVERGED, "exit code 0: Diverged"),
        (1, say("Failed", reason="Imported"), {}, TrialReason.CRASHED, "exit code 1: Imported"),
        (137, b"", {"timed_out": True}, TrialReason.TIMED_OUT, "exit code 137 (SIGKILL)"),
        (
            None,
            b"",
            {"launch_error": "no such command: train\x1b"},
            TrialReason.LAUNCH_FAILED,
            "not started: no such command: train",
        ),
        (
            70,
            b"",
            {},
            TrialReason.OUT_OF_MEMORY,
            "out of memory, exit code 70; no retry is asked for",
        ),
    ],
)
def test_failures_have_a_reason_and_words(code, message, flags, reason, text):
    """Every failure says what was seen; a trial chooses among a few reasons of its own."""
    outcome = end(code, message, **flags)
    assert (outcome.state, outcome.reason, outcome.message) == (TrialState.FAILED, reason, text)
    assert outcome.values == ()


def test_a_timeout_says_the_limit():
    """The study's own limit is in the sentence."""
    spec = make_study(trials=TrialPolicy(max=1, timeout_seconds=90))
    assert end(137, timed_out=True, spec=spec).message == "ran longer than 90 s"


def test_a_failed_trial_keeps_what_it_measured():
    """The last stored metrics, then what the message adds."""
    trial = make_trial(curve=make_points(0.4))
    outcome = end(message=say("Failed", metrics={"loss": 2}), trial=trial)
    assert outcome.metrics == {"accuracy": 0.4, "loss": 2.0}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", TrialReason.PRUNED),
        ("GuardTripped", TrialReason.GUARD_TRIPPED),
        ("whatever", TrialReason.PRUNED),
    ],
)
def test_a_trial_may_prune_itself(said, reason):
    """A result that says Pruned is taken at its word, without a value."""
    outcome = end(message=say("Pruned", reason=said))
    assert (outcome.state, outcome.reason, outcome.values) == (TrialState.PRUNED, reason, ())


@pytest.mark.parametrize(
    ("code", "message", "flags"),
    [
        (75, b"", {}),
        (137, b"", {}),
        (None, b"", {}),
        (143, say("Stopped"), {}),
        (1, b"", {"disrupted": True}),
    ],
)
def test_a_disruption_is_tried_again(code, message, flags):
    """As often as the study allows, with the same parameters; then the trial has failed."""
    spec = make_study(trials=TrialPolicy(max=1, disruption_retries=2))
    trial = make_trial(disruptions=1)
    ending = judge(code, message, trial, spec, **flags)
    assert isinstance(ending, Again)
    assert (ending.reason, ending.parameters) == (TrialReason.DISRUPTED, trial.parameters)
    outcome = end(code, message, make_trial(disruptions=2), spec, **flags)
    assert (outcome.state, outcome.reason) == (TrialState.FAILED, TrialReason.DISRUPTED)
    assert outcome.message.endswith("; all 2 retries are used")


def test_a_stopped_trials_points_are_kept():
    """The next attempt resumes from a checkpoint and will not report these steps again."""
    ending = judge(143, say("Stopped", curve=[[1, 0.5]]))
    assert ending.points == (Point(1, {"accuracy": 0.5}),)


def test_out_of_memory_is_tried_again_with_less():
    """The adjusted values go into the next attempt, and the message names the change."""
    spec = make_study(trials=TrialPolicy(max=1, out_of_memory_retries=1, on_out_of_memory=(HALVE,)))
    trial = make_trial(parameters={"x": 0.5, "batch": 8})
    ending = judge(137, trial=trial, spec=spec, out_of_memory=True)
    assert ending == Again(
        TrialReason.OUT_OF_MEMORY, {"x": 0.5, "batch": 4}, "out of memory: batch 8 -> 4"
    )


def test_a_crash_is_taken_for_a_lack_of_memory_until_shown_otherwise():
    """Where the study says so: with less memory it is tried again, and then it is a crash."""
    policy = TrialPolicy(max=1, out_of_memory_retries=1, on_out_of_memory=(HALVE,))
    trial = make_trial(parameters={"batch": 8})
    assert end(139, trial=trial, spec=make_study(trials=policy)).reason is TrialReason.CRASHED
    spec = make_study(trials=replace(policy, crash_is_out_of_memory=True))
    words = "exit code 139 (SIGSEGV), taken for a lack of memory: batch 8 -> 4"
    again = Again(TrialReason.OUT_OF_MEMORY, {"batch": 4}, words)
    assert judge(139, trial=trial, spec=spec) == again
    found = end(139, trial=replace(trial, out_of_memory=1), spec=spec)
    assert found.reason is TrialReason.CRASHED
    assert "taken for a lack of memory before, all 1 retries are used" in found.message


def test_a_known_result_is_imported():
    """An initial trial with metrics is complete at once, or infeasible, or refused."""
    spec = make_study(outcome_constraints=(LIMIT,))

    def known(**metrics):
        return outcomes.initial_outcome(
            spec, InitialTrial(name="known", parameters={"x": 0.5}, metrics=metrics)
        )

    done, broken, missing = known(accuracy=0.5, black=0), known(accuracy=0.5, black=1), known()
    assert done
    assert broken
    assert missing
    assert (done.state, done.reason, done.values) == (
        TrialState.COMPLETE,
        TrialReason.IMPORTED,
        (0.5,),
    )
    assert (broken.state, broken.message) == (TrialState.INFEASIBLE, "black 1 is above 0.05")
    assert (missing.state, missing.message) == (
        TrialState.FAILED,
        "no value of accuracy was reported",
    )
    assert {broken.reason, missing.reason} == {TrialReason.IMPORTED}


def test_an_initial_trial_without_metrics_has_to_run():
    """Nothing is known of it yet."""
    initial = InitialTrial(name="first", parameters={"x": 0.5})
    assert outcomes.initial_outcome(make_study(), initial) is None


def test_a_verdict_becomes_an_outcome():
    """State, reason and sentence of the verdict, metrics of the last point, no value."""
    verdict = Verdict(TrialState.PRUNED, TrialReason.PRUNED, "too slow")
    outcome = outcomes.conclude(make_study(), make_trial(curve=make_points(0.1, 0.2)), verdict)
    assert (outcome.state, outcome.reason, outcome.message) == (
        TrialState.PRUNED,
        TrialReason.PRUNED,
        "too slow",
    )
    assert (outcome.values, outcome.metrics) == ((), {"accuracy": 0.2})


@given(
    st.none() | st.integers(0, 255),
    st.binary(max_size=60)
    | st.builds(
        say,
        st.sampled_from(["Complete", "Failed", "Pruned", "Stopped"]),
        metrics=st.dictionaries(
            st.sampled_from(["accuracy", "black"]),
            st.floats(-9, 9) | st.sampled_from(["NaN", "Infinity"]),
        ),
    ),
    st.booleans(),
    st.booleans(),
)
def test_every_end_is_judged(code, message, out_of_memory, disrupted):
    """No exit raises; a value is finite, and only Complete and Infeasible trials have one."""
    spec = make_study(outcome_constraints=(LIMIT,))
    ending = judge(code, message, spec=spec, out_of_memory=out_of_memory, disrupted=disrupted)
    if isinstance(ending, Final):
        outcome = ending.outcome
        assert outcome.state.ended
        assert all(map(math.isfinite, (*outcome.values, *outcome.constraints)))
        has_value = outcome.state in {TrialState.COMPLETE, TrialState.INFEASIBLE}
        assert bool(outcome.values) is has_value


def test_a_held_out_run_must_report_its_metric():
    """It was made for nothing else."""
    spec = make_study(finalists=Finalists(top=1, seeds=(1,), held_out_metric="test_accuracy"))
    trial = make_trial(stage=Stage.HELD_OUT)
    outcome = end(message=say(metrics={"accuracy": 0.8}), trial=trial, spec=spec)
    assert (outcome.state, outcome.reason) == (TrialState.FAILED, TrialReason.METRICS_MISSING)
    assert outcome.message.startswith("test_accuracy was never reported")
    both = say(metrics={"accuracy": 0.8, "test_accuracy": 0.7})
    assert end(message=both, trial=trial, spec=spec).state is TrialState.COMPLETE
