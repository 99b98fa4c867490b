"""Ports for servers that a test starts, stops and starts again."""

import socket
from itertools import islice
from random import SystemRandom

_RANGE = range(25000, 32000)
"""Above those of clusters (see `home`), below those that Linux gives to outgoing connections."""


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens; chosen by chance, so that two processes seldom meet."""
    order = SystemRandom().sample(_RANGE, len(_RANGE))
    return list(islice(filter(bindable, order), count))


def bindable(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
