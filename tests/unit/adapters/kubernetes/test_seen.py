"""What is kept of Jobs and pods."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubetune.adapters.kubernetes.runs import families, run_of
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import RunState
from tests.builders import NOW
from tests.unit.adapters.kubernetes.bodies import (
    JOB_UID,
    STUDY_UID,
    condition,
    deleted,
    job_body,
    pod_body,
    terminated,
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def _spoil(body: Any, places: list[int], value: Any) -> Any:
    """The body with something else at one place in it."""
    if not places or not isinstance(body, dict | list) or not body:
        return value
    keys = list(body) if isinstance(body, dict) else list(range(len(body)))
    key = keys[places[0] % len(keys)]
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[key] = _spoil(body[key], places[1:], value)
    return copy


@given(places=st.lists(st.integers(0, 9), max_size=6), value=anything)
def test_no_object_is_too_odd(places: list[int], value: Any) -> None:
    """Whatever stands where in a Job or pod, it is seen, and its run is some run."""
    job = JobSeen.of(_spoil(job_body(conditions=[condition("Failed")]), places, value))
    pod = PodSeen.of(_spoil(pod_body(terminated(1), phase="Failed"), places, value))
    for family in families([job], [pod]):
        assert run_of(family, NOW).state in RunState


def test_a_job_is_told_by_its_labels_and_its_owner() -> None:
    """A run is found by study, trial and attempt, and whether the study really owns it."""
    seen = JobSeen.of(job_body(number=12, attempt=3))
    assert (seen.study_uid, seen.owner_uid) == (STUDY_UID, STUDY_UID)
    assert (seen.number, seen.attempt, seen.uid) == (12, 3, JOB_UID)


def test_an_owner_that_does_not_control_is_none() -> None:
    """Only the controlling reference says whose an object is."""
    meta = {"ownerReferences": [{"uid": STUDY_UID}, {"uid": "x", "controller": "yes"}]}
    assert JobSeen.of(job_body(meta=meta)).owner_uid == ""


def test_a_label_that_is_no_number_is_none() -> None:
    """Nobody's label makes a trial of minus one, or of a number that takes long to read."""
    for label in ("-1", "1.5", "²", "", "9" * 5000):
        labels = {"kubetune.io/trial": label, "kubetune.io/attempt": "1"}
        assert JobSeen.of(job_body(meta={"labels": labels})).number is None


def test_a_deletion_is_dated_by_when_it_was_asked_for() -> None:
    """A pod's timestamp says when its grace is over; what counts is when it was told to go."""
    pod = PodSeen.of(pod_body(meta=deleted(-5, grace=30)))
    assert (pod.deleted_at, pod.due_at) == (NOW - 5, NOW + 25)


def test_a_message_is_kept_to_one_byte_too_long() -> None:
    """A message beyond its limit is seen to be too long, and takes no more memory than that."""
    pod = PodSeen.of(pod_body(terminated(0, message="é" * 5000)))
    assert len(pod.trainer.message) == 4097


def test_the_epoch_is_no_time() -> None:
    """A runtime that never started a container dates its start 1970."""
    pod = PodSeen.of(pod_body(terminated(128, startedAt="1970-01-01T00:00:00Z")))
    assert pod.trainer.started_at is None
