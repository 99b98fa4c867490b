"""What an executor did, before and after its view shows it."""

from typing import Any

from kubetune.adapters.kubernetes.memory import CENSUS_SECONDS, HIDDEN_SECONDS, LATE_SECONDS, Memory
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import Exit, Run, RunState
from tests.builders import NOW
from tests.unit.adapters.kubernetes.bodies import (
    JOB_UID,
    deleted,
    job_body,
    pod_body,
    running,
    terminated,
)
from tests.unit.adapters.kubernetes.orders import STUDY

JOB = job_body()
POD = pod_body(running(), phase="Running")


def look(memory: Memory, *bodies: dict[str, Any], now: float = NOW) -> tuple[Run, ...]:
    """What the memory shows over a view of these Jobs and pods."""
    jobs = [JobSeen.of(body) for body in bodies if "containerStatuses" not in body["status"]]
    pods = [PodSeen.of(body) for body in bodies if "containerStatuses" in body["status"]]
    return memory.look(jobs, pods, now)


def test_a_created_job_is_there_before_the_view_has_it() -> None:
    """What was just launched is not launched again."""
    memory = Memory(STUDY)
    memory.created(JobSeen.of(JOB), NOW)
    (run,) = look(memory)
    assert (run.uid, run.state) == (JOB_UID, RunState.PENDING)
    (run,) = look(memory, JOB, POD)
    assert run.state is RunState.RUNNING


def test_a_removed_run_is_hidden_while_the_view_has_it() -> None:
    """However long its pod takes to go, and though it comes into view once more."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    memory.removed(JOB_UID, NOW)
    assert look(memory, JOB, POD) == ()
    assert look(memory, POD, now=NOW + 2 * HIDDEN_SECONDS) == ()
    assert look(memory, now=NOW + 1) == ()


def test_a_removed_run_is_forgotten_in_the_end() -> None:
    """A memory does not grow with the trials of a study."""
    memory = Memory(STUDY)
    look(memory, JOB)
    memory.removed(JOB_UID, NOW)
    look(memory, now=NOW + HIDDEN_SECONDS + 1)
    assert not memory._removed


def test_a_stopped_run_is_stopping_before_the_view_says_so() -> None:
    """Nothing is stopped twice."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    memory.stopped(JOB_UID)
    (run,) = look(memory, JOB, POD)
    assert (run.stopping, run.state, memory.ending) == (True, RunState.RUNNING, True)


def test_a_run_that_vanished_has_ended() -> None:
    """Somebody deleted it: that is counted, and not simply done again, until it is removed."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    (run,) = look(memory, now=NOW + 7)
    assert (run.state, run.exit) == (RunState.ENDED, Exit(code=None, disrupted=True))
    assert run.ended_at == NOW + 7
    assert look(memory, now=NOW + 9) == (run,)
    memory.removed(JOB_UID, NOW)
    assert look(memory) == ()


def test_a_result_is_remembered_when_its_place_is_taken() -> None:
    """The pod goes with it, and the Job that waits again shows nothing of it."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    assert not memory.ending
    queued = job_body(spec={"suspend": True})
    (waits,) = look(memory, queued, POD)
    assert (waits.state, memory.ending) == (RunState.PENDING, True)
    said = '{"schema": 1, "state": "Complete"}'
    (ended,) = look(memory, queued, pod_body(terminated(0, message=said), phase="Succeeded"))
    assert ended.state is RunState.ENDED
    assert look(memory, queued) == (ended,)
    assert look(memory, job_body()) == (ended,)
    memory.removed(ended.uid, NOW)
    assert look(memory, queued) == ()


def test_a_refused_run_has_ended_until_it_is_removed() -> None:
    """A Job that the server does not take is a run that never began."""
    memory = Memory(STUDY)
    memory.refused(3, 1, "no such field", NOW)
    (run,) = look(memory)
    assert (run.state, run.exit) == (
        RunState.ENDED,
        Exit(code=None, launch_error="no such field"),
    )
    memory.removed(run.uid, NOW)
    assert look(memory) == ()


def test_labels_alone_make_no_run() -> None:
    """A Job in another namespace, or of another owner, is not the study's, whatever it says."""
    elsewhere = job_body(meta={"namespace": "kube-system"})
    forged = job_body(meta={"ownerReferences": [{"uid": "another", "controller": True}]})
    orphan = pod_body(running(), meta={"ownerReferences": []})
    assert look(Memory(STUDY), elsewhere, orphan) == ()
    assert look(Memory(STUDY), forged, POD) == ()


def test_a_pod_of_a_strangers_job_makes_no_run() -> None:
    """A Job without our labels gives its pods what labels it likes; that one is not in view."""
    memory = Memory(STUDY)
    forged = pod_body(terminated(0, "accuracy=99"), job_uid="strangers", phase="Succeeded")
    assert look(memory, forged) == ()
    (run,) = look(memory, JOB, POD, forged)
    assert (run.uid, run.state) == (JOB_UID, RunState.RUNNING)


def test_a_copy_of_a_runs_pod_is_not_believed() -> None:
    """It names the Job as its owner, and may live for a second: its name is not from that Job."""
    memory = Memory(STUDY)
    ours = job_body()["metadata"]["name"]
    end = terminated(0, message="accuracy=99")
    for name in ("copy", f"{ours}0-x7k2p", f"x-{ours}-x7k2p"):
        forged = pod_body(end, phase="Succeeded", meta={"name": name, "uid": name})
        (run,) = look(memory, JOB, POD, forged)
        assert run.state is RunState.RUNNING


def test_a_pod_that_claims_another_trial_is_not_believed() -> None:
    """Least of all once the Job is gone that tells which it is."""
    memory = Memory(STUDY)
    look(memory, JOB)
    forged = pod_body(terminated(0), phase="Succeeded", number=4)
    forged["metadata"]["name"] = POD["metadata"]["name"]
    (run,) = look(memory, forged)
    assert (run.number, run.exit) == (3, Exit(code=None, disrupted=True))


def test_a_job_of_another_name_makes_no_run() -> None:
    """An owner anybody can name; the names of a study's Jobs are given, and each is there once."""
    forged = job_body(uid="strangers", meta={"name": "mine"})
    assert look(Memory(STUDY), forged) == ()


def test_pods_of_a_job_that_is_gone_are_believed_while_they_are_there() -> None:
    """The last words of a run whose Job somebody deleted come after it; then it is forgotten."""
    memory = Memory(STUDY)
    look(memory, JOB)
    look(memory)
    (run,) = look(memory, pod_body(terminated(0), phase="Succeeded"))
    assert run.exit == Exit(code=0)
    memory.removed(JOB_UID, NOW)
    look(memory)
    look(memory)
    assert not memory._own


def test_what_the_view_does_not_show_in_time_is_asked_for() -> None:
    """A Job that was deleted before any watch saw it is found out."""
    memory = Memory(STUDY)
    look(memory)
    assert not memory.doubtful(NOW)
    memory.created(JobSeen.of(JOB), NOW)
    look(memory)
    assert memory.doubtful(NOW + LATE_SECONDS + 1)
    memory.counted(memory.known, frozenset(), NOW + LATE_SECONDS + 1)
    (run,) = look(memory)
    assert run.state is RunState.ENDED
    assert not memory.doubtful(NOW + LATE_SECONDS + 2)


def test_a_deletion_that_the_watch_missed_is_found_out() -> None:
    """A view that begins anew may keep what is gone: the server is asked now and then."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    assert not memory.doubtful(NOW)
    assert memory.doubtful(NOW + CENSUS_SECONDS + 1)
    memory.counted(memory.known, frozenset({JOB_UID, "pod-uid"}), NOW)
    assert look(memory, JOB, POD)[0].state is RunState.RUNNING
    memory.counted(memory.known, frozenset(), NOW)
    assert look(memory, JOB, POD)[0].state is RunState.ENDED


def test_what_came_after_the_question_is_not_gone() -> None:
    """An answer says nothing of a Job that was created after it was asked for."""
    memory = Memory(STUDY)
    look(memory)
    known = memory.known
    memory.created(JobSeen.of(JOB), NOW)
    memory.counted(known, frozenset(), NOW)
    assert look(memory)[0].state is RunState.PENDING


def test_time_alone_may_end_a_run() -> None:
    """Whoever waits for changes has to look again by itself when a pod is overdue."""
    memory = Memory(STUDY)
    look(memory, JOB, POD)
    assert not memory.unsettled
    look(memory, JOB, pod_body(running(), phase="Running", meta=deleted(-5)))
    assert memory.unsettled
