"""Runs the operator until it is told to stop."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable
from importlib.metadata import version
from typing import Any

import kopf

from kubetune.adapters.optuna.urls import without_secrets
from kubetune.controller.handlers import registry
from kubetune.controller.operator import Operator
from kubetune.controller.options import Options
from kubetune.controller.settings import configure

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
"""How long after a watch that ended everything is looked at anew."""

LAST_SECONDS = 5
"""How long after `Options.exit_seconds` a process that still runs is ended by the system."""

_INTERRUPTED = 130


async def run(options: Options) -> None:
    """Watches and tunes until SIGTERM or SIGINT; trials go on without it.

    A second signal ends the process at once, and so does the end of the time that there is for last
    words: nothing is lost by it.

    Raises:
        Unusable: it cannot run like this.
    """
    stop = asyncio.Event()
    operator = Operator(options)
    _heed_signals(stop, options)
    log.info("%s", _greeting(options))
    try:
        await operator.open()
        if not await _unless(stop, operator.elected()):
            return
        while await _unless(stop, operator.grounded()):
            await _watch(operator, stop)
            if await _unless(stop, asyncio.sleep(AGAIN_SECONDS)):
                log.warning("watching begins anew")
    finally:
        await operator.close()


async def _watch(operator: Operator, stop: asyncio.Event) -> None:
    """Kopf's part. It ends with `stop`, or when a watch meets what it cannot wait for."""
    settings = kopf.OperatorSettings()
    configure(settings)
    others = asyncio.all_tasks()
    identity: Any = operator.identity  # Kopf's own asks for the user's name: a pod's user has none
    tasks = await kopf.spawn_tasks(
        registry=registry(operator),
        settings=settings,
        identity=identity,
        standalone=True,
        clusterwide=not operator.options.namespaces,
        namespaces=operator.options.namespaces,
        stop_flag=stop,
    )
    _heed_signals(stop, operator.options)
    try:
        await kopf.run_tasks(tasks, ignored=others)
    except Exception as error:  # noqa: BLE001 - what a watch met, of whatever kind
        log.error("a watch ended: %s", str(error.args[0] if error.args else error))  # noqa: TRY400 - one line


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Whether the work came to its end; False when it is time to stop, and it is cancelled."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    over = task.done() and not stop.is_set()
    for each in (task, stopped):
        each.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await each
    return over


def _heed_signals(stop: asyncio.Event, options: Options) -> None:
    """Takes the signals, from Kopf as well: a second one would break its own handler."""

    def heed() -> None:
        if stop.is_set():
            log.warning("told to stop again: ends at once")
            os._exit(_INTERRUPTED)
        log.info("told to stop; trials go on")
        stop.set()
        signal.alarm(int(options.exit_seconds) + LAST_SECONDS)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heed)


def _greeting(options: Options) -> str:
    where = ", ".join(options.namespaces) if options.namespaces else "all"
    storage = without_secrets(options.storage)
    metrics = without_secrets(options.prometheus) if options.prometheus else "nowhere"
    return (
        f"kubetune {version('kubetune')} watches namespaces: {where}; storage: {storage}; "
        f"live metrics from: {metrics}"
    )
