"""Trials as processes: what they are given, how they end, and what hostile ones cannot do."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from kubetune.adapters.local import executor as module
from kubetune.adapters.local import logs
from kubetune.adapters.local.executor import LocalExecutor
from kubetune.adapters.local.files import RunFiles, read_record
from kubetune.adapters.local.processes import birth, family
from kubetune.domain.runs import Exit, RunState
from tests.unit.adapters.local.runs import PROGRAMS, ended, make_order, running, said_ready


def program(name: str, *args: str) -> list[str]:
    interpreter = [sys.executable, "-IS"] if name.endswith(".py") else ["sh"]
    return [*interpreter, str(PROGRAMS / name), *args]


async def run_once(folder: Path, *command: str, **order: object) -> Exit:
    """How a trial of this command ends."""
    async with running(folder) as executor:
        await executor.launch(make_order(0, *command, **order))  # type: ignore[arg-type]
        run = await ended(executor)
        assert run.exit is not None
        return run.exit


async def output(folder: Path, *command: str, **order: object) -> str:
    """What a trial of this command prints, without the header."""
    await run_once(folder, *command, **order)
    return (folder / "trials" / "0" / "stdout.log").read_text().partition("\n")[2]


async def test_exit_code_and_message_are_reported(tmp_path: Path) -> None:
    """The code is the program's own, the message is what it wrote."""
    script = 'printf "{}" > "$KUBETUNE_TERMINATION_LOG"; exit 64'
    assert await run_once(tmp_path, "sh", "-c", script) == Exit(code=64, message=b"{}")


@pytest.mark.parametrize(("name", "code"), [("KILL", 137), ("TERM", 143), ("SEGV", 139)])
async def test_a_signal_is_128_and_its_number(tmp_path: Path, name: str, code: int) -> None:
    """A trial that a signal killed shows the code that a shell would."""
    assert await run_once(tmp_path, "sh", "-c", f"kill -{name} $$$$") == Exit(code=code)


async def test_both_streams_are_kept(tmp_path: Path) -> None:
    """Standard output and standard error share the log, in order."""
    assert (
        await output(tmp_path, "sh", "-c", "echo out; echo err >&2; echo out") == "out\nerr\nout\n"
    )


async def test_standard_input_is_empty(tmp_path: Path) -> None:
    """A trial that reads its input meets its end instead of waiting for ever."""
    assert await output(tmp_path, "sh", "-c", "cat; echo over") == "over\n"


async def test_the_command_runs_in_the_manifests_folder(tmp_path: Path) -> None:
    """Relative paths of the command mean the manifest's neighbours."""
    (tmp_path / "hello.sh").write_text("echo hello\n")
    assert await output(tmp_path, "sh", "hello.sh") == "hello\n"


async def test_args_are_filled_in(tmp_path: Path) -> None:
    """`$(KUBETUNE_PARAM_x)` in the args needs no template language."""
    words = await output(tmp_path, "echo", container={"args": ["$(KUBETUNE_PARAM_x)", "$(HOME)"]})
    assert words == "0.5 $(HOME)\n"


async def test_the_contracts_variables_are_there(tmp_path: Path) -> None:
    """The process sees its parameters, its place, its port and the container's own variables."""
    names = "$KUBETUNE_PARAM_x $KUBETUNE_METRICS_HOST $MINE $KUBETUNE_RUN_ID"
    async with running(tmp_path) as executor:
        order = make_order(
            0,
            "sh",
            "-c",
            f'echo "{names}"; test -d "$KUBETUNE_CHECKPOINT_DIR"',
            container={"env": [{"name": "MINE", "value": "mine"}]},
        )
        await executor.launch(order)
        run = await ended(executor)
    log = (tmp_path / "trials" / "0" / "stdout.log").read_text()
    assert log.splitlines()[1] == f"0.5 127.0.0.1 mine {run.uid}"
    assert run.exit == Exit(code=0)


async def test_live_runs_have_different_ports(tmp_path: Path) -> None:
    """Two trials never get the same metrics port."""
    async with running(tmp_path) as executor:
        for number in range(8):
            await executor.launch(make_order(number, "sleep", "1000"))
        records = [read_record(RunFiles(tmp_path, number, 1).journal) for number in range(8)]
    assert len({record.port for record in records if record}) == 8


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-program"], "no-such-program: No such file or directory"),
        (["./no-such-program"], "./no-such-program: No such file or directory"),
        (["/"], "/: Permission denied"),
        (["echo", "a\0b"], "embedded null byte"),
        (["echo", "x" * 3_000_000], "Argument list too long"),
    ],
)
async def test_what_cannot_be_started_is_an_ended_run(
    tmp_path: Path, command: list[str], words: str
) -> None:
    """The engine hears of it as an end with a launch error that says what was missing."""
    end = await run_once(tmp_path, *command)
    assert end.code is None
    assert words in end.launch_error


async def test_a_template_without_trainer_is_an_ended_run(tmp_path: Path) -> None:
    """A template that says nothing to run is no exception either."""
    end = await run_once(tmp_path, "true", container={"name": "other"})
    assert 'no container named "trainer"' in end.launch_error


async def test_a_missing_workdir_is_an_ended_run(tmp_path: Path) -> None:
    """The message names the folder, not the command."""
    executor = LocalExecutor(tmp_path, tmp_path / "gone", parallelism=1, grace_seconds=1)
    await executor.launch(make_order(0, "true"))
    (run,) = await executor.runs()
    assert run.exit is not None
    assert f"{tmp_path}/gone: No such file" in run.exit.launch_error
    await executor.close()


async def test_a_stopped_trial_may_save(tmp_path: Path) -> None:
    """SIGTERM gives a trial the time to save a checkpoint and to write its result."""
    async with running(tmp_path) as executor:
        await executor.launch(make_order(0, *program("obedient.sh")))
        run = await said_ready(executor, tmp_path)
        await executor.stop(0, 1, run.uid, "a test")
        over = await ended(executor)
    assert over.exit == Exit(code=143, message=b'{"schema": 1, "state": "Stopped"}')
    assert (tmp_path / "trials" / "0" / "checkpoint" / "step").read_text() == "saved\n"


async def test_a_trial_behind_a_shell_may_save_too(tmp_path: Path) -> None:
    """A wrapper that SIGTERM kills does not take the program behind it down unsaved."""
    async with running(tmp_path) as executor:
        await executor.launch(make_order(0, *program("wrapper.sh")))
        run = await said_ready(executor, tmp_path)
        await executor.stop(0, 1, run.uid, "a test")
        over = await ended(executor)
    assert over.exit == Exit(code=143, message=b'{"schema": 1, "state": "Stopped"}')


async def test_helpers_of_a_trial_are_not_told_to_stop(tmp_path: Path) -> None:
    """As in a pod, SIGTERM goes to the first process: its helpers live until it has saved."""
    script = """
    sh -c 'trap "echo told > told; exit" TERM; while :; do sleep 0.02; done' &
    trap 'sleep 0.2; exit 0' TERM
    echo ready
    while :; do sleep 0.02; done
    """
    async with running(tmp_path) as executor:
        await executor.launch(make_order(0, "sh", "-c", script))
        run = await said_ready(executor, tmp_path)
        await executor.stop(0, 1, run.uid, "a test")
        assert (await ended(executor)).exit == Exit(code=0)
    assert not (tmp_path / "told").exists()


async def test_a_deaf_trial_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    """A trial that ignores SIGTERM ends by SIGKILL, with its children."""
    async with running(tmp_path, grace_seconds=0.1) as executor:
        await executor.launch(make_order(0, *program("deaf.sh")))
        run = await said_ready(executor, tmp_path)
        await executor.stop(0, 1, run.uid, "a test")
        assert (await ended(executor)).exit == Exit(code=137)
        assert not family(run.uid, None, "")


@pytest.mark.parametrize("kind", ["marked", "marked stay"])
async def test_a_daemon_does_not_outlive_its_trial(tmp_path: Path, kind: str) -> None:
    """A process that left the session is found by its mark and killed."""
    async with running(tmp_path) as executor:
        await executor.launch(make_order(0, *program("daemons.py", *kind.split())))
        if "stay" in kind:
            run = await said_ready(executor, tmp_path)
            await executor.stop(0, 1, run.uid, "a test")
        run = await ended(executor)
        assert not family(run.uid, None, "")


async def test_children_do_not_outlive_their_trial(tmp_path: Path) -> None:
    """Whatever a trial leaves in its session ends with it, even without its environment."""
    script = "env -i sleep 1000 & echo $! > child; exit 0"
    assert await run_once(tmp_path, "sh", "-c", script) == Exit(code=0)
    assert birth(int((tmp_path / "child").read_text())) is None


async def test_a_flood_of_output_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 MiB of output leave a log of a few, with its first and its last line."""
    monkeypatch.setattr(module, "TEND_SECONDS", 0.01)
    await run_once(tmp_path, *program("flood.sh"))
    log = tmp_path / "trials" / "0" / "stdout.log"
    assert log.stat().st_size <= logs.LIMIT_BYTES
    text = log.read_bytes()
    assert b"\nfirst\n" in text[:1000]
    assert text.endswith(b"last\n")
    assert text.count(b" bytes left out\n") == 1


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("folder", b""),
        ("link", b""),
        ("pipe", b""),
        ("huge", b"x" * 4097),
        ("binary", bytes(range(256))),
    ],
)
async def test_a_strange_result_harms_nobody(tmp_path: Path, kind: str, message: bytes) -> None:
    """What is no message is empty or cut; the trial ends like any other."""
    assert await run_once(tmp_path, *program("result.py", kind)) == Exit(code=0, message=message)


async def test_a_killed_trial_leaves_the_others_alone(tmp_path: Path) -> None:
    """Kill -9 of one trial from outside is that trial's end and nobody else's."""
    async with running(tmp_path) as executor:
        await executor.launch(make_order(0, *program("obedient.sh")))
        await executor.launch(make_order(1, *program("obedient.sh")))
        record = read_record(RunFiles(tmp_path, 0, 1).journal)
        assert record is not None
        assert record.pid is not None
        os.kill(record.pid, signal.SIGKILL)
        assert (await ended(executor, 0)).exit == Exit(code=137)
        _, other = await executor.runs()
        assert other.state is RunState.RUNNING


async def test_a_trial_that_removes_its_own_folder_still_ends(tmp_path: Path) -> None:
    """A trial may not make the tuner fail by deleting what is kept of it."""
    script = 'rm -r "$(dirname "$KUBETUNE_CHECKPOINT_DIR")"'
    assert await run_once(tmp_path, "sh", "-c", script) == Exit(code=0)


async def test_removal_keeps_output_and_checkpoint(tmp_path: Path) -> None:
    """What a person or a later attempt may want stays; the run itself is forgotten for good."""
    async with running(tmp_path) as executor:
        await executor.launch(
            make_order(0, "sh", "-c", 'echo hello; touch "$KUBETUNE_CHECKPOINT_DIR/step"')
        )
        run = await ended(executor)
        await executor.remove(0, 1, run.uid)
    trial = tmp_path / "trials" / "0"
    assert "hello" in (trial / "stdout.log").read_text()
    assert (trial / "checkpoint" / "step").exists()
    async with running(tmp_path) as later:
        assert await later.runs() == ()


async def test_a_second_attempt_resumes(tmp_path: Path) -> None:
    """Attempts of a trial share its checkpoint folder, and the later one is told of it."""
    script = 'touch "$KUBETUNE_CHECKPOINT_DIR/step"; echo "$KUBETUNE_TRIAL" > description'
    async with running(tmp_path) as executor:
        resumes = []
        for attempt in (1, 2):
            await executor.launch(make_order(0, "sh", "-c", script, attempt=attempt))
            run = await ended(executor)
            await executor.remove(0, attempt, run.uid)
            resumes.append(json.loads((tmp_path / "description").read_text())["resume"])
    assert resumes == [False, True]


async def test_a_cancelled_close_kills_at_once(tmp_path: Path) -> None:
    """Whoever cannot wait for the grace period leaves nothing running either."""
    async with running(tmp_path, grace_seconds=1000) as executor:
        await executor.launch(make_order(0, *program("deaf.sh")))
        run = await said_ready(executor, tmp_path)
        closing = asyncio.create_task(executor.close())
        await asyncio.sleep(0.05)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        async with asyncio.timeout(60):
            while family(run.uid, None, ""):  # noqa: ASYNC110 - the executor is closed
                await asyncio.sleep(0.01)


async def test_close_kills_what_was_told_to_stop_before(tmp_path: Path) -> None:
    """Whoever closes after a stop does not wait for the grace period."""
    async with running(tmp_path, grace_seconds=1000) as executor:
        await executor.launch(make_order(0, *program("deaf.sh")))
        run = await said_ready(executor, tmp_path)
        await executor.stop(0, 1, run.uid, "a test")
        await executor.close()
        assert (await ended(executor)).exit == Exit(code=137)


async def test_nothing_is_launched_after_close(tmp_path: Path) -> None:
    """A closed executor starts nothing."""
    async with running(tmp_path) as executor:
        await executor.close()
        await executor.launch(make_order(0, "true"))
        assert await executor.runs() == ()


class TestGpus:
    """Trials that ask for GPUs, on a machine that is said to have two."""

    GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}  # noqa: RUF012 - never changed

    @pytest.fixture(autouse=True)
    def _two_gpus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")

    async def test_each_run_sees_its_own(self, tmp_path: Path) -> None:
        """`CUDA_VISIBLE_DEVICES` of live runs do not overlap, and limit how many there are."""
        script = f'echo "$CUDA_VISIBLE_DEVICES" >> seen; exec sh {PROGRAMS / "obedient.sh"}'
        async with running(tmp_path) as executor:
            assert executor.capacity is None
            for number in range(2):
                await executor.launch(make_order(number, "sh", "-c", script, container=self.GPU))
                await said_ready(executor, tmp_path, number)
            assert executor.capacity == 2
        assert sorted((tmp_path / "seen").read_text().split()) == ["3", "5"]

    async def test_a_third_waits_for_its_turn(self, tmp_path: Path) -> None:
        """A run for which no GPU is free is Pending, says why, and starts when one is."""
        async with running(tmp_path) as executor:
            for number in range(3):
                await executor.launch(
                    make_order(number, *program("obedient.sh"), container=self.GPU)
                )
            first, _, third = await executor.runs()
            assert (third.state, third.waiting) == (RunState.PENDING, "waits for 1 GPU")
            await executor.stop(0, 1, first.uid, "a test")
            await said_ready(executor, tmp_path, 2)

    async def test_a_waiting_run_can_be_stopped(self, tmp_path: Path) -> None:
        """A Pending run that is stopped ends without having run."""
        async with running(tmp_path) as executor:
            for number in range(3):
                await executor.launch(
                    make_order(number, *program("obedient.sh"), container=self.GPU)
                )
            third = (await executor.runs())[2]
            await executor.stop(2, 1, third.uid, "a test")
            over = await ended(executor, 2)
            assert (over.started_at, over.exit) == (None, Exit(code=143))

    async def test_more_than_there_are_is_refused(self, tmp_path: Path) -> None:
        """A trial that could never start says so instead of waiting for ever."""
        container = {"resources": {"limits": {"nvidia.com/gpu": 4}}}
        end = await run_once(tmp_path, "true", container=container)
        assert end.launch_error == "nvidia.com/gpu is 4, this machine has 2: ask for fewer"

    async def test_without_any_it_runs_and_says_so_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A machine without GPUs runs the trial without, with one warning for all trials."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        async with running(tmp_path) as executor:
            for number in range(3):
                await executor.launch(make_order(number, "true", container=self.GPU))
                assert (await ended(executor, number)).exit == Exit(code=0)
        assert caplog.messages == ["trials ask for 1 GPU, this machine has none: they run without"]
