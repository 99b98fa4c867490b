"""`kubetune operator`: studies of a cluster, until it is told to stop."""

import asyncio
import logging
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kubetune.adapters.optuna.urls import with_driver
from kubetune.cli.output import Exit, fail

LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

_QUIET = ("kopf", "aiohttp.access", "asyncio", "httpx")
"""Loggers that say little of use unless something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for."""

    storage: str
    prometheus: str | None
    namespaces: tuple[str, ...]
    own_namespace: str | None
    kubeconfig: Path | None
    health_address: str
    metrics_address: str
    resync_seconds: float
    lease: str | None
    lease_seconds: float
    verbose: bool


def operator(request: Request) -> None:
    """Runs the operator and ends the program with its exit code."""
    if find_spec("kopf") is None or find_spec("kubernetes") is None:
        fail("the operator needs more packages: install kubetune[operator]")
    if request.kubeconfig:
        os.environ["KUBECONFIG"] = str(request.kubeconfig)  # read once, by the next imports
    from kubetune.controller import running  # noqa: PLC0415 - packages that only it needs
    from kubetune.controller.operator import Unusable  # noqa: PLC0415 - as above
    from kubetune.controller.options import Options  # noqa: PLC0415 - as above

    _log(verbose=request.verbose)
    _check(request)
    options = Options(
        storage=request.storage,
        prometheus=request.prometheus,
        namespaces=request.namespaces,
        own_namespace=request.own_namespace,
        health_address=request.health_address,
        metrics_address=request.metrics_address,
        resync_seconds=request.resync_seconds,
        lease=_lease(request.lease) if request.lease else None,
        lease_seconds=request.lease_seconds,
    )
    try:
        asyncio.run(running.run(options))
    except Unusable as error:
        fail(str(error))
    raise SystemExit(int(Exit.DONE))


def _check(request: Request) -> None:
    """Refuses at once what would only fail later, deep inside."""
    try:
        with_driver(request.storage)
        if request.prometheus:
            from kubetune.adapters.prometheus.client import (  # noqa: PLC0415 - as above
                PrometheusClient,
            )

            PrometheusClient(request.prometheus)
    except ValueError as error:
        fail(str(error))
    if request.kubeconfig and not request.kubeconfig.is_file():
        fail(f"--kubeconfig {request.kubeconfig} is not a file")
    for option, address in (
        ("--health-address", request.health_address),
        ("--metrics-address", request.metrics_address),
    ):
        host, separator, port = address.rpartition(":")
        if not separator or not host or not port.isdecimal():
            fail(f"{option} {address} is no address: write HOST:PORT")


def _lease(text: str) -> tuple[str, str]:
    namespace, separator, name = text.partition("/")
    if not (namespace and separator and name) or "/" in name:
        fail(f"--lease {text} is no lease: write NAMESPACE/NAME")
    return namespace, name


def _log(*, verbose: bool) -> None:
    logging.basicConfig(format=LINE, level=logging.DEBUG if verbose else logging.INFO)
    if verbose:
        return
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    """Drops the tracebacks of Kopf's own insides: the message says what a watch met."""
    if record.name.startswith("kopf._"):
        record.exc_info = record.exc_text = None
    return True
