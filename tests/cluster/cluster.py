"""A whole cluster: control plane, one node and Prometheus; kwok's nodes when asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import control_plane
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kwok import Kwok
from tests.cluster.node import Node
from tests.cluster.prometheus import Prometheus


class Cluster:
    """The parts of one cluster; each is started by itself."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.node = Node(plane)
        self.prometheus = Prometheus(plane)
        self.kwok = Kwok(plane)


@contextmanager
def running(name: str, owner: int) -> Iterator[Cluster]:
    """A cluster with a node and Prometheus that ends with the block, or with this process.

    Raises:
        RuntimeError: the machine cannot be a node; the message says what is missing.
    """
    with control_plane.running(name, owner) as plane:
        cluster = Cluster(plane)
        cluster.node.start()
        cluster.prometheus.start()
        yield cluster
