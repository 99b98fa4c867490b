"""How a run begins: its files, its environment, its words, its process."""

import os
import shlex
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from kubetune.adapters.local.attempt import Attempt
from kubetune.adapters.local.container import Container, LaunchRefused
from kubetune.adapters.local.environment import contract
from kubetune.adapters.local.gpus import VISIBLE
from kubetune.adapters.local.logs import open_log
from kubetune.domain.ports import LaunchOrder


def start(
    attempt: Attempt,
    order: LaunchOrder,
    container: Container,
    *,
    inherited: Mapping[str, str],
    workdir: Path,
) -> None:
    """Starts the process of an attempt.

    Raises:
        LaunchRefused: the machine does not start it; the message names what it tripped over.
    """
    files, record = attempt.files, attempt.record
    try:
        files.prepare()
        variables = container.variables(contract(order, files, record.uid, record.port))
        if record.gpus:
            variables[VISIBLE] = ",".join(record.gpus)
        words = container.words(variables)
        output = open_log(files.log, record.attempt, shlex.join(words), container.notes)
        try:
            environment = {**inherited, **variables}
            attempt.spawn(words, environment=environment, folder=workdir, output=output)
        finally:
            os.close(output)
    except (OSError, TypeError, ValueError) as error:
        raise LaunchRefused(_explain(error)) from error


def free_port(taken: Collection[int]) -> int:
    """A loopback port that nobody listens on now and that is not in `taken`."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def _explain(error: Exception) -> str:
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return f"the trial cannot be started: {what}{error.strerror or error}"
    return f"the trial cannot be started: {error}"
