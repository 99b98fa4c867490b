"""How long runs waited: told once of each that was seen to wait."""

from kubetune.adapters.kubernetes.beginnings import Beginnings
from kubetune.adapters.kubernetes.seen import JobSeen
from kubetune.domain.runs import Run, RunState
from tests.builders import NOW, make_exit, make_run
from tests.unit.adapters.kubernetes.bodies import JOB_UID, job_body

JOB = JobSeen.of(job_body())
assert JOB.created_at is not None
CREATED = JOB.created_at


def waiting() -> Run:
    return make_run(uid=JOB_UID, state=RunState.PENDING, started_at=None)


def going(after: float) -> Run:
    return make_run(uid=JOB_UID, started_at=CREATED + after)


def told(*looks: Run, created: bool = False) -> list[float]:
    """What is told over these looks at one run."""
    found: list[float] = []
    beginnings = Beginnings(found.append)
    if created:
        beginnings.created(JOB)
    for run in looks:
        beginnings.look([JOB], [run])
    return found


def test_a_run_that_waited_is_told_of_once() -> None:
    """However often it is looked at, and though its queue takes it away and begins it again."""
    assert told(waiting(), waiting(), going(7), going(7)) == [7]
    assert told(waiting(), going(7), waiting(), going(900)) == [7]


def test_a_run_may_begin_before_it_is_looked_at() -> None:
    """Its creation was seen, which is enough; so is an end that came between two looks."""
    assert told(going(2), created=True) == [2]
    ended = make_run(uid=JOB_UID, started_at=CREATED + 3, exit=make_exit())
    assert told(waiting(), ended) == [3]


def test_what_had_begun_before_is_not_told_of() -> None:
    """Another operator has counted it; a run that never begins counts as nothing."""
    assert told(going(7)) == []
    vanished = make_run(uid=JOB_UID, started_at=None, exit=make_exit(None), ended_at=NOW)
    assert told(waiting(), vanished) == []


def test_clocks_may_differ() -> None:
    """A node whose clock is behind makes no negative time."""
    assert told(waiting(), going(-1)) == [0]


def test_what_is_gone_is_forgotten() -> None:
    """Nothing grows with the trials of a study."""
    beginnings = Beginnings(lambda _: None)
    beginnings.look([JOB], [waiting()])
    beginnings.look([JOB], [going(1)])
    beginnings.look([], [])
    assert not beginnings._begun
    assert not beginnings._waiting
