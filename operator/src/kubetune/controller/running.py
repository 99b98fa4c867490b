"""Runs the operator until it is told to stop."""

import asyncio
import logging

import kopf

from kubetune.controller.handlers import registry
from kubetune.controller.operator import Operator
from kubetune.controller.options import Options

log = logging.getLogger(__name__)


async def run(options: Options, *, ready: asyncio.Event | None = None) -> None:
    """Watches and tunes until SIGTERM or SIGINT; trials go on without it.

    `ready` is set once everything that exists has been seen for the first time.
    """
    await kopf.operator(
        registry=registry(Operator(options)),
        standalone=True,
        clusterwide=not options.namespaces,
        namespaces=options.namespaces,
        liveness_endpoint=f"http://{options.health_address}/healthz",
        ready_flag=ready,
    )
