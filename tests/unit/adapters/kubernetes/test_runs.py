"""Runs, as Jobs and pods tell them."""

from typing import Any

import pytest

from kubetune.adapters.kubernetes.runs import LOST_SECONDS, SETTLE_SECONDS, families, run_of
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit, RunState
from tests.builders import NOW
from tests.unit.adapters.kubernetes.bodies import (
    at,
    condition,
    deleted,
    job_body,
    pod_body,
    running,
    see,
    terminated,
    waiting,
)

UNSCHEDULABLE = condition(
    "PodScheduled", "False", reason="Unschedulable", message="0/3 nodes have 1 nvidia.com/gpu"
)
GATED = condition("PodScheduled", "False", reason="SchedulingGated", message="by a gate")
SIDECAR = {"name": "sidecar", "state": running()}


@pytest.mark.parametrize(
    ("job", "pods", "words", "stuck", "since"),
    [
        pytest.param(
            job_body(spec={"suspend": True}), [], "queued", TrialReason.NONE, None, id="suspended"
        ),
        pytest.param(
            job_body(), [], "no pod yet", TrialReason.LAUNCH_FAILED, NOW - 59, id="no pod"
        ),
        pytest.param(
            job_body(),
            [pod_body(spec={"nodeName": ""}, conditions=[GATED])],
            "queued: by a gate",
            TrialReason.NONE,
            None,
            id="gated",
        ),
        pytest.param(
            job_body(),
            [pod_body(spec={"nodeName": ""}, conditions=[UNSCHEDULABLE])],
            "0/3 nodes have 1 nvidia.com/gpu",
            TrialReason.UNSCHEDULABLE,
            NOW,
            id="unschedulable",
        ),
        pytest.param(
            job_body(),
            [pod_body(spec={"nodeName": ""})],
            "not placed it yet",
            TrialReason.UNSCHEDULABLE,
            NOW - 58,
            id="no scheduler",
        ),
        pytest.param(
            job_body(),
            [pod_body(waiting("ImagePullBackOff", "no such image"))],
            "no such image",
            TrialReason.IMAGE_PULL_FAILED,
            NOW - 50,
            id="image",
        ),
        pytest.param(
            job_body(),
            [pod_body(waiting("PodInitializing"), beside=[
                {"name": "fetch", "state": waiting("ErrImagePull", "denied")}
            ])],
            "ErrImagePull: denied",
            TrialReason.IMAGE_PULL_FAILED,
            NOW - 50,
            id="another's image",
        ),
        pytest.param(
            job_body(),
            [pod_body(waiting("CreateContainerConfigError", 'secret "s" not found'))],
            'secret "s" not found',
            TrialReason.LAUNCH_FAILED,
            NOW - 50,
            id="secret",
        ),
        pytest.param(
            job_body(),
            [pod_body(waiting("ContainerCreating"))],
            "ContainerCreating",
            TrialReason.LAUNCH_FAILED,
            NOW - 50,
            id="creating",
        ),
    ],
)  # fmt: skip
def test_a_wait_says_what_for(
    job: dict[str, Any],
    pods: list[dict[str, Any]],
    words: str,
    stuck: TrialReason,
    since: float | None,
) -> None:
    """A Pending run says in the cluster's words why, and since when; a queue has no since."""
    run = see(job, *pods)
    assert run.state is RunState.PENDING
    assert words in run.waiting
    assert (run.stuck, run.stuck_since) == (stuck, since)


@pytest.mark.parametrize(
    ("pods", "starting"),
    [
        pytest.param([], True, id="no pod"),
        pytest.param([pod_body(waiting("ContainerCreating"))], True, id="creating"),
        pytest.param([pod_body(waiting("CreateContainerConfigError"))], False, id="secret"),
        pytest.param([pod_body(waiting("ImagePullBackOff"))], False, id="image"),
    ],
)
def test_what_nobody_complains_of_starts(pods: list[dict[str, Any]], *, starting: bool) -> None:
    """A large image is pulled for minutes: that is no failure to launch, unless it goes on."""
    run = see(job_body(), *pods)
    assert run.starting is starting
    assert run.stuck is not TrialReason.NONE


def test_a_run_begins_with_its_trainer() -> None:
    """It runs from its container's start, not from the Job's or the pod's."""
    run = see(job_body(active=1), pod_body(running(-40), phase="Running"))
    assert (run.state, run.started_at, run.exit) == (RunState.RUNNING, NOW - 40, None)


@pytest.mark.parametrize(
    ("pod", "end"),
    [
        pytest.param(
            pod_body(terminated(0, message="{}"), phase="Running"), Exit(code=0, message=b"{}"),
            id="before its pod",
        ),
        pytest.param(
            pod_body(terminated(0), phase="Running", beside=[SIDECAR]), Exit(code=0), id="sidecar"
        ),
        pytest.param(
            pod_body(terminated(64, message="no rate"), phase="Failed"),
            Exit(code=64, message=b"no rate"),
            id="bad configuration",
        ),
        pytest.param(
            pod_body(terminated(137, "OOMKilled"), phase="Failed"),
            Exit(code=137, out_of_memory=True),
            id="out of memory",
        ),
        pytest.param(
            pod_body(terminated(0, "OOMKilled"), phase="Succeeded"),
            Exit(code=0),
            id="only a child of it was out of memory",
        ),
        pytest.param(
            pod_body(terminated(128, "StartError", 'exec: "x": not found'), phase="Failed"),
            Exit(code=128, launch_error='exec: "x": not found'),
            id="no such command",
        ),
        pytest.param(
            pod_body(terminated(127, message="sh: x: not found"), phase="Failed"),
            Exit(code=127, message=b"sh: x: not found"),
            id="no such command, says its own shell",
        ),
        pytest.param(
            pod_body(waiting("InvalidImageName", 'bad "A:B:C"')),
            Exit(code=None, launch_error='InvalidImageName: bad "A:B:C"'),
            id="no image could be named so",
        ),
        pytest.param(
            pod_body(terminated(143), phase="Failed", conditions=[condition("DisruptionTarget")]),
            Exit(code=143, disrupted=True),
            id="disruption",
        ),
        pytest.param(
            pod_body(terminated(143), phase="Failed", meta=deleted(-12)),
            Exit(code=143, disrupted=True),
            id="deleted by somebody",
        ),
        pytest.param(
            pod_body(terminated(1), phase="Failed", meta=deleted(-5)),
            Exit(code=1),
            id="deleted after its end",
        ),
        pytest.param(
            pod_body(terminated(137, "ContainerStatusUnknown", "lost"), phase="Failed"),
            Exit(code=None, disrupted=True),
            id="the kubelet lost it",
        ),
        pytest.param(
            pod_body(running(), phase="Failed", conditions=[condition("DisruptionTarget")]),
            Exit(code=None, disrupted=True),
            id="its node is gone",
        ),
        pytest.param(
            pod_body(phase="Failed", reason="Evicted"),
            Exit(code=None, disrupted=True),
            id="evicted before it began",
        ),
        pytest.param(
            pod_body(terminated(143), phase="Failed", reason="DeadlineExceeded"),
            Exit(code=143, timed_out=True),
            id="out of time",
        ),
        pytest.param(
            pod_body(terminated(137), phase="Running", spec={"activeDeadlineSeconds": 40}),
            Exit(code=137, timed_out=True),
            id="out of time, its pod does not say so yet",
        ),
        pytest.param(
            pod_body(terminated(137), phase="Running", spec={"activeDeadlineSeconds": 400}),
            Exit(code=137),
            id="killed in time",
        ),
        pytest.param(
            pod_body(waiting("PodInitializing"), phase="Failed", beside=[
                {"name": "fetch", "state": terminated(3, message="no data")}
            ]),
            Exit(code=3, message=b"container fetch: no data"),
            id="what comes before the trainer failed",
        ),
    ],
)  # fmt: skip
def test_an_end_is_told_by_the_pod(pod: dict[str, Any], end: Exit) -> None:
    """A run has ended once its trainer has: with its code, its message and what else is known."""
    run = see(job_body(active=1), pod)
    assert run.state is RunState.ENDED
    assert run.exit == end


def test_an_end_has_the_times_of_its_container() -> None:
    """Neither the Job nor the moment of looking dates an end."""
    run = see(job_body(), pod_body(terminated(0), phase="Succeeded"))
    assert (run.started_at, run.ended_at) == (NOW - 40, NOW - 10)


def test_a_stopped_run_is_no_disruption() -> None:
    """A pod that goes because its Job was told to is not taken away by somebody."""
    job = job_body(meta={"deletionTimestamp": "2001-01-01T00:00:00Z"})
    run = see(job, pod_body(terminated(143), phase="Failed", meta=deleted(-12)))
    assert run.stopping
    assert run.exit == Exit(code=143)


@pytest.mark.parametrize(
    ("failed", "end"),
    [
        (condition("Complete"), Exit(code=0)),
        (condition("Failed", reason="BackoffLimitExceeded"), Exit(code=None, disrupted=True)),
        (condition("Failed", reason="DeadlineExceeded"), Exit(code=None, timed_out=True)),
        (
            condition(
                "Failed",
                reason="PodFailurePolicy",
                message="Container trainer for pod default/pod failed with exit code 64 matching "
                "FailJob rule at index 1",
            ),
            Exit(code=64),
        ),
    ],
)
def test_a_job_without_a_pod_tells_what_it_can(failed: dict[str, Any], end: Exit) -> None:
    """When the pod is gone its Job's end counts, with no exit code but one in its words."""
    run = see(job_body(conditions=[failed]), now=NOW + SETTLE_SECONDS)
    assert (run.state, run.exit, run.ended_at) == (RunState.ENDED, end, NOW)


@pytest.mark.parametrize("pods", [[], [pod_body(running(), phase="Running")]])
def test_a_finished_job_waits_for_its_pods_last_word(pods: list[dict[str, Any]]) -> None:
    """Two watches are not equally fast: a result is not lost to the one that came first."""
    job = job_body(conditions=[condition("Failed")])
    assert see(job, *pods, now=NOW + SETTLE_SECONDS - 1).state is not RunState.ENDED
    assert see(job, *pods, now=NOW + SETTLE_SECONDS).state is RunState.ENDED


def test_a_silent_node_is_lost_after_a_while() -> None:
    """A pod that should be gone for a minute, and still runs, is on a node that nobody hears."""
    pod = pod_body(running(), phase="Running", meta=deleted(-30, grace=30))
    assert see(job_body(active=1), pod, now=NOW + LOST_SECONDS).state is RunState.RUNNING
    lost = see(job_body(active=1), pod, now=NOW + LOST_SECONDS + 1)
    assert lost.exit == Exit(code=None, disrupted=True)


def test_a_job_deleted_before_its_pod_has_ended() -> None:
    """No pod will come any more."""
    run = see(job_body(meta={"deletionTimestamp": "2001-01-01T00:00:00Z"}))
    assert (run.state, run.stopping) == (RunState.ENDED, True)


def test_a_pod_outlives_its_job() -> None:
    """A Job that somebody deleted leaves a pod that still runs: its slot is not free yet."""
    run = see(None, pod_body(running(), phase="Running", meta=deleted(-5)))
    assert (run.state, run.number, run.stopping) == (RunState.RUNNING, 3, True)


def test_a_preempted_job_waits_again() -> None:
    """A queue that takes a Job's pod away ends no run: the Job gets another pod later."""
    gone = pod_body(terminated(143), phase="Failed", meta=deleted(-12))
    queued = see(job_body(spec={"suspend": True}), gone)
    assert (queued.state, queued.stuck) == (RunState.PENDING, TrialReason.NONE)
    resumed = job_body(conditions=[condition("Suspended", "False")])
    assert see(resumed, gone).state is RunState.PENDING
    newer = pod_body(
        running(-1), phase="Running", meta={"creationTimestamp": "2001-01-01T00:00:00Z"}
    )
    assert see(resumed, gone, newer).state is RunState.RUNNING


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ('{"schema": 1, "state": "Complete", "metrics": {"loss": 1}}', RunState.ENDED),
        ('{"schema": 1, "state": "Pruned"}', RunState.ENDED),
        ('{"schema": 1, "state": "Stopped"}', RunState.PENDING),
        ("", RunState.PENDING),
        ("{", RunState.PENDING),
    ],
)
def test_a_result_counts_whoever_takes_the_place(message: str, state: RunState) -> None:
    """A trial that came to its result in its grace period is not run again for a queue."""
    gone = pod_body(terminated(0, message=message), phase="Succeeded", meta=deleted(-12))
    assert see(job_body(spec={"suspend": True}), gone).state is state


def test_a_job_that_has_just_been_let_go_is_still_queued() -> None:
    """Until the Job controller has seen it nothing runs out, and its old pod ends nothing.

    The Job's times are from before it waited: an hour in the queue is no hour without a pod.
    """
    paused = condition("Suspended")
    long_ago = {"meta": {"creationTimestamp": at(-7200)}, "startTime": at(-7000)}
    released = job_body(conditions=[paused], **long_ago)
    gone = pod_body(terminated(143), phase="Failed", meta=deleted(-12))
    for run in (see(released), see(released, gone)):
        assert (run.state, run.stuck) == (RunState.PENDING, TrialReason.NONE)
        assert run.waiting == "its queue has let its Job go; it has no pod yet"


def test_a_queued_job_whose_pod_was_killed_ends() -> None:
    """Once the Job has failed for it, a deletion was no preemption."""
    gone = pod_body(terminated(143), phase="Failed", meta=deleted(-12))
    job = job_body(conditions=[condition("Suspended", "False"), condition("Failed")])
    assert see(job, gone).exit == Exit(code=143, disrupted=True)


def test_each_job_has_its_own_pods() -> None:
    """Two attempts of a trial, with a pod each, are two runs."""
    jobs = [job_body(attempt=2, uid="second"), job_body(attempt=1, uid="first")]
    pods = [
        pod_body(running(), attempt=2, job_uid="second"),
        pod_body(terminated(1), job_uid="first"),
    ]
    found = families([JobSeen.of(job) for job in jobs], [PodSeen.of(pod) for pod in pods])
    runs = [run_of(family, NOW) for family in found]
    assert [(run.uid, run.attempt, run.state) for run in runs] == [
        ("first", 1, RunState.ENDED),
        ("second", 2, RunState.RUNNING),
    ]
