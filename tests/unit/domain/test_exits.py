"""Causes: what an exit code, the executor's knowledge and the trial's words come to."""

import itertools

import pytest

from kubetune.domain.exits import Cause, classify
from kubetune.domain.result import Garbage, ResultState, TrialResult
from tests.builders import make_exit, make_run

COMPLETE = TrialResult(state=ResultState.COMPLETE)
FAILED = TrialResult(state=ResultState.FAILED)
NO_MEMORY = TrialResult(state=ResultState.FAILED, reason="OutOfMemory")
PRUNED = TrialResult(state=ResultState.PRUNED)
STOPPED = TrialResult(state=ResultState.STOPPED)
GARBAGE = Garbage("the result is not JSON")

TABLE = [
    # code, said, flags, cause
    (0, COMPLETE, {}, Cause.REPORTED),
    (0, PRUNED, {}, Cause.REPORTED),
    (0, FAILED, {}, Cause.REPORTED),
    (0, STOPPED, {}, Cause.DISRUPTED),
    (0, None, {}, Cause.SILENT),
    (0, GARBAGE, {}, Cause.GARBAGE),
    (0, None, {"disrupted": True}, Cause.DISRUPTED),
    (0, COMPLETE, {"disrupted": True}, Cause.REPORTED),
    (1, None, {}, Cause.CRASHED),
    (1, COMPLETE, {}, Cause.CRASHED),
    (1, GARBAGE, {}, Cause.CRASHED),
    (1, FAILED, {"disrupted": True}, Cause.DISRUPTED),
    (139, None, {}, Cause.CRASHED),
    (64, None, {}, Cause.BAD_CONFIGURATION),
    (64, None, {"disrupted": True}, Cause.BAD_CONFIGURATION),
    (70, None, {}, Cause.OUT_OF_MEMORY),
    (75, None, {}, Cause.DISRUPTED),
    (75, COMPLETE, {}, Cause.DISRUPTED),
    (137, None, {}, Cause.DISRUPTED),
    (137, GARBAGE, {}, Cause.DISRUPTED),
    (137, COMPLETE, {}, Cause.REPORTED),
    (137, FAILED, {}, Cause.REPORTED),
    (137, None, {"out_of_memory": True}, Cause.OUT_OF_MEMORY),
    (137, COMPLETE, {"out_of_memory": True}, Cause.REPORTED),
    (137, None, {"timed_out": True}, Cause.TIMED_OUT),
    (143, None, {}, Cause.DISRUPTED),
    (143, STOPPED, {}, Cause.DISRUPTED),
    (130, None, {}, Cause.DISRUPTED),
    (129, None, {}, Cause.DISRUPTED),
    (None, None, {}, Cause.DISRUPTED),
    (None, GARBAGE, {}, Cause.DISRUPTED),
    (None, COMPLETE, {}, Cause.REPORTED),
    (None, FAILED, {}, Cause.REPORTED),
    (1, NO_MEMORY, {}, Cause.OUT_OF_MEMORY),
    (None, None, {"launch_error": "no such command"}, Cause.LAUNCH_FAILED),
    (0, COMPLETE, {"timed_out": True}, Cause.TIMED_OUT),
]


@pytest.mark.parametrize(("code", "said", "flags", "cause"), TABLE)
def test_the_first_rule_that_fits_decides(code, said, flags, cause):
    """One row a case; later rules are not reached."""
    assert classify(make_run(exit=make_exit(code, **flags)), said) is cause


def test_a_run_that_was_asked_to_stop_is_no_silent_success():
    """A program that ends with 0 on SIGTERM and says nothing has not completed."""
    run = make_run(exit=make_exit(0), stopping=True)
    assert classify(run, None) is Cause.DISRUPTED


def test_a_run_without_an_exit_was_lost():
    """An executor that knows nothing of the end has lost the run."""
    assert classify(make_run(), None) is Cause.DISRUPTED


def test_every_combination_has_a_cause():
    """The rules are total."""
    for code, said, oom, disrupted, timed_out in itertools.product(
        (None, 0, 1, 64, 70, 75, 137, 139, 143, 255),
        (None, COMPLETE, FAILED, NO_MEMORY, PRUNED, STOPPED, GARBAGE),
        *[(False, True)] * 3,
    ):
        end = make_exit(code, out_of_memory=oom, disrupted=disrupted, timed_out=timed_out)
        assert isinstance(classify(make_run(exit=end), said), Cause)
