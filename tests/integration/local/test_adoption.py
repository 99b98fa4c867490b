"""A tuner that is killed loses no run and doubles none."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kubetune.adapters.local.attempt import new_uid
from kubetune.adapters.local.environment import RUN_MARK
from kubetune.adapters.local.files import RunFiles, read_record
from kubetune.domain.runs import Exit, RunState
from tests.unit.adapters.local.runs import PROGRAMS, ended, make_order, running, said_ready

ROOT = PROGRAMS.parents[1]
UNTIL_TOLD = "while ! [ -e finish ]; do sleep 0.01; done; printf done > $KUBETUNE_TERMINATION_LOG"


@contextmanager
def killed_tuner(folder: Path, *commands: str) -> Iterator[None]:
    """A tuner that launched these commands and was then killed by SIGKILL."""
    with subprocess.Popen(
        [sys.executable, str(PROGRAMS / "tuner.py"), str(folder), *commands],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as tuner:
        assert tuner.stdout is not None
        assert tuner.stdout.readline() == b"launched\n"
        tuner.kill()
    yield


def sleeping(variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A process that no executor began."""
    return subprocess.Popen(
        ["sleep", "1000"], env={**os.environ, **variables}, start_new_session=True
    )


async def test_a_live_run_is_followed(tmp_path: Path) -> None:
    """A run that outlived its tuner is Running, is not started twice, and its end is seen."""
    with killed_tuner(tmp_path, UNTIL_TOLD):
        async with running(tmp_path) as executor:
            (run,) = await executor.runs()
            assert run.state is RunState.RUNNING
            await executor.launch(make_order(0, "true"))
            (tmp_path / "finish").touch()
            over = await ended(executor)
    assert (over.uid, over.started_at) == (run.uid, run.started_at)
    assert over.exit == Exit(code=None, message=b"done")


async def test_a_live_run_can_be_stopped(tmp_path: Path) -> None:
    """The stop of a run that is not our child works like any other."""
    with killed_tuner(tmp_path, f"exec sh {PROGRAMS / 'obedient.sh'}"):
        async with running(tmp_path) as executor:
            run = await said_ready(executor, tmp_path)
            await executor.stop(0, 1, run.uid, "a test")
            over = await ended(executor)
    assert over.exit == Exit(code=None, message=b'{"schema": 1, "state": "Stopped"}')


async def test_a_run_that_ended_unseen_has_its_message(tmp_path: Path) -> None:
    """A run that ended while no tuner was there is told by what it wrote."""
    with killed_tuner(tmp_path, UNTIL_TOLD):
        (tmp_path / "finish").touch()
        while not RunFiles(tmp_path, 0, 1).message():  # noqa: ASYNC110 - another's process
            await asyncio.sleep(0.01)
        async with running(tmp_path) as executor:
            over = await ended(executor)
    assert over.exit == Exit(code=None, message=b"done")


async def test_a_run_killed_with_its_tuner_has_ended(tmp_path: Path) -> None:
    """A run that died with its tuner is an end that nobody saw."""
    with killed_tuner(tmp_path, "sleep 1000 & wait"):
        record = read_record(RunFiles(tmp_path, 0, 1).journal)
        assert record is not None
        assert record.pid is not None
        os.killpg(record.pid, signal.SIGKILL)
        async with running(tmp_path) as executor:
            assert (await ended(executor)).exit == Exit(code=None)


async def test_an_end_that_was_seen_is_remembered(tmp_path: Path) -> None:
    """An end noted before the tuner died keeps its code and its message."""
    async with running(tmp_path) as executor:
        script = "printf m > $KUBETUNE_TERMINATION_LOG; exit 64"
        await executor.launch(make_order(0, "sh", "-c", script))
        over = await ended(executor)
    async with running(tmp_path) as later:
        assert await later.runs() == (over,)


async def test_an_intent_without_a_process_is_found_by_its_mark(tmp_path: Path) -> None:
    """A tuner killed between the start and its note finds the process, not a free slot."""
    mark = new_uid()
    files = RunFiles(tmp_path, 0, 1)
    files.prepare()
    files.append(number=0, attempt=1, uid=mark, port=5000, gpus=[])
    with sleeping({RUN_MARK: mark}) as process:
        async with running(tmp_path) as executor:
            (run,) = await executor.runs()
            assert (run.state, run.uid) == (RunState.RUNNING, mark)
            await executor.stop(0, 1, run.uid, "a test")
            await asyncio.to_thread(process.wait)
            assert (await ended(executor)).state is RunState.ENDED
    assert process.returncode == -signal.SIGTERM


async def test_an_intent_that_never_began_is_forgotten(tmp_path: Path) -> None:
    """A tuner killed before the start leaves a trial that is launched as if never tried."""
    files = RunFiles(tmp_path, 0, 1)
    files.prepare()
    files.append(number=0, attempt=1, uid="nobody", port=5000, gpus=[])
    async with running(tmp_path) as executor:
        assert await executor.runs() == ()
        await executor.launch(make_order(0, "true"))
        assert (await ended(executor)).exit == Exit(code=0)


async def test_an_intent_that_left_a_message_has_ended(tmp_path: Path) -> None:
    """A process that came and went before it was noted is not run again."""
    files = RunFiles(tmp_path, 0, 1)
    files.prepare()
    files.append(number=0, attempt=1, uid="nobody", port=5000, gpus=[])
    files.result.write_bytes(b"done")
    async with running(tmp_path) as executor:
        (run,) = await executor.runs()
    assert run.exit == Exit(code=None, message=b"done")


async def test_another_process_of_the_same_pid_is_not_taken(tmp_path: Path) -> None:
    """A pid that has passed to a stranger is neither adopted nor killed."""
    files = RunFiles(tmp_path, 0, 1)
    files.prepare()
    with sleeping({}) as stranger:
        files.append(number=0, attempt=1, uid="nobody", port=5000, gpus=[])
        files.append(pid=stranger.pid, birth="earlier", started_at=1.0)
        async with running(tmp_path) as executor:
            assert (await ended(executor)).exit == Exit(code=None)
        assert stranger.poll() is None
        stranger.kill()


async def test_a_torn_journal_is_forgotten(tmp_path: Path) -> None:
    """Half a first line means that nothing was started."""
    files = RunFiles(tmp_path, 0, 1)
    files.prepare()
    files.journal.write_text('{"number": 0, "att')
    async with running(tmp_path) as executor:
        assert await executor.runs() == ()
    assert not files.journal.exists()


async def test_a_stop_is_taken_up_again(tmp_path: Path) -> None:
    """A run that was being stopped when its tuner died is stopped to the end."""
    with killed_tuner(tmp_path, f"exec sh {PROGRAMS / 'deaf.sh'}"):
        RunFiles(tmp_path, 0, 1).append(stopping=True)
        async with running(tmp_path, grace_seconds=0.05) as executor:
            (run,) = await executor.runs()
            assert run.stopping
            assert (await ended(executor)).exit == Exit(code=None)
