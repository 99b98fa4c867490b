"""Who belongs to a run, on machines with and without /proc."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from kubetune.adapters.local import processes
from kubetune.adapters.local.environment import RUN_MARK
from kubetune.adapters.local.processes import birth, family, first_of


@pytest.fixture(params=["proc", "portable"], autouse=True)
def _table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "portable":
        monkeypatch.setattr(processes, "_has_proc", lambda: False)


MARK = f"mark-of-{os.getpid()}"
"""No other test that runs at the same time has it."""


@pytest.fixture
def run() -> Iterator[subprocess.Popen[bytes]]:
    """A run of three: a shell, its child, and a child without environment in another session."""
    script = "sleep 1000 & env -i setsid sleep 1000 & echo $!; wait"
    with subprocess.Popen(
        ["sh", "-c", script],
        env=os.environ | {RUN_MARK: MARK},
        start_new_session=True,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        for pid in family(MARK, process.pid, birth(process.pid) or ""):
            os.kill(pid, 9)


def test_a_family_is_found(run: subprocess.Popen[bytes]) -> None:
    """Session, mark and descent together find all three."""
    found = family(MARK, run.pid, birth(run.pid) or "")
    assert run.pid in found
    assert len(found) == 3


def test_the_mark_alone_finds_a_family(run: subprocess.Popen[bytes]) -> None:
    """Without a known pid the mark and descent find them as well."""
    assert len(family(MARK, None, "")) == 3


def test_another_mark_finds_nobody() -> None:
    """Who is not of the run is not found; least of all the tuner itself."""
    assert family("nobody", None, "") == set()


def test_a_reused_pid_is_a_stranger(run: subprocess.Popen[bytes]) -> None:
    """The session counts only while its number belongs to the process that began the run."""
    assert family("nobody", run.pid, "an earlier birth") == set()


def test_the_first_process_is_found_by_its_mark(run: subprocess.Popen[bytes]) -> None:
    """Of all that carry the mark, the leader of the session is the one that was started."""
    assert first_of(MARK) == run.pid
    assert first_of("nobody") is None


def test_a_birth_is_of_a_live_process() -> None:
    """A process keeps its birth; one that ended, reaped or not, has none."""
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert birth(process.pid) is None
    assert birth(process.pid) is None
    assert birth(os.getpid()) == birth(os.getpid()) is not None
