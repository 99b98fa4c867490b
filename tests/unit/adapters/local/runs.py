"""Launches and waits, for tests of real processes."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubetune.adapters.local.executor import LocalExecutor
from kubetune.adapters.local.processes import family
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.runs import Run, RunState
from tests.builders import make_study, make_trial

PROGRAMS = Path(__file__).parents[3] / "programs"

WAIT_SECONDS = 60
"""A test that waits longer than this has found a hang."""


def make_template(command: Sequence[str], **container: Any) -> dict[str, Any]:
    """A pod template whose trainer runs this command."""
    trainer = {"name": "trainer", "command": list(command), **container}
    return {"spec": {"containers": [trainer]}}


def make_order(
    number: int,
    *command: str,
    attempt: int = 1,
    container: Mapping[str, Any] | None = None,
    **trial: Any,
) -> LaunchOrder:
    """An order to run this command."""
    return LaunchOrder(
        spec=make_study(template=make_template(command, **(container or {}))),
        study_uid="study-uid",
        trial=make_trial(number, attempt=attempt, **trial),
    )


@asynccontextmanager
async def running(
    folder: Path, *, grace_seconds: float = 30, parallelism: int = 2
) -> AsyncIterator[LocalExecutor]:
    """An executor that is closed at the end; nothing of its runs may then be left."""
    executor = LocalExecutor(folder, folder, parallelism=parallelism, grace_seconds=grace_seconds)
    try:
        yield executor
    finally:
        await executor.close()
        for run in await executor.runs():
            assert not family(run.uid, None, ""), f"trial {run.number} left processes behind"


async def ended(executor: LocalExecutor, number: int = 0) -> Run:
    """The run of this trial, once it has ended."""
    return await _wait(executor, number, lambda run: run.state is RunState.ENDED)


async def said_ready(executor: LocalExecutor, folder: Path, number: int = 0) -> Run:
    """The run of this trial, once it has printed "ready" on a line of its own."""
    log = folder / "trials" / str(number) / "stdout.log"
    return await _wait(
        executor, number, lambda _: log.exists() and b"\nready\n" in log.read_bytes()
    )


async def _wait(executor: LocalExecutor, number: int, holds: Any) -> Run:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            run = next(run for run in await executor.runs() if run.number == number)
            if holds(run):
                return run
            await executor.changed(0.02)
