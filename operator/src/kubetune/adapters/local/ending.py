"""How a run ends: asked first, killed after the grace period, and never leaving anything behind."""

import asyncio
import time
from collections.abc import Iterable
from signal import SIGKILL, SIGTERM

from kubetune.adapters.local.attempt import Attempt
from kubetune.adapters.local.files import Record
from kubetune.adapters.local.logs import trim
from kubetune.adapters.local.processes import end_family, family, send

STOPPED = 128 + SIGTERM
"""The exit code of a process that SIGTERM ended."""

_POLL_SECONDS = 0.05


async def escalate(attempt: Attempt, grace_seconds: float) -> None:
    """After SIGTERM: the grace period, then SIGKILL to everything that belongs to the run."""
    try:
        await asyncio.wait_for(attempt.over.wait(), grace_seconds)
    except TimeoutError:
        record = attempt.record
        await end_family(record.uid, record.pid, record.birth)


async def finish(attempt: Attempt, grace_seconds: float) -> None:
    """The first process has ended: ends what is left of the run, then notes its end."""
    code = attempt.reap()
    record = attempt.record
    if record.stopping and code == STOPPED:
        await _let_linger(record, grace_seconds)
    await end_family(record.uid, record.pid, record.birth)
    trim(attempt.files.log)
    attempt.end(code)


def kill(attempts: Iterable[Attempt]) -> None:
    """Kills all that belongs to these runs, now."""
    for attempt in attempts:
        record = attempt.record
        for member in family(record.uid, record.pid, record.birth):
            send(member, SIGKILL)


async def _let_linger(record: Record, grace_seconds: float) -> None:
    """A first process that SIGTERM kills is a mere wrapper: those behind it may save too."""
    members = family(record.uid, record.pid, record.birth)
    for member in members:
        send(member, SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while members and time.monotonic() < deadline:
        await asyncio.sleep(min(_POLL_SECONDS, grace_seconds))
        members = family(record.uid, record.pid, record.birth)
