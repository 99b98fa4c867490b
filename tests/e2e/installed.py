"""The chart, installed by the real helm on a cluster that knows nothing of kubetune."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import cluster as whole
from tests.cluster import operator_image, users
from tests.cluster.cluster import Cluster
from tests.cluster.helm import CHART, helm
from tests.cluster.requests import wait_until

RELEASE = "kubetune"
_USER = 10001
"""Whom the operator runs as: a folder of the host belongs to whom it is told to."""


@contextmanager
def bare_cluster(name: str) -> Iterator[Cluster]:
    """A cluster of its own with a node, Prometheus and the operator's image; without the CRD."""
    archive = operator_image.build()
    with whole.running(name, os.getpid()) as cluster:
        cluster.node.load(archive)
        yield cluster


class Installed:
    """A release in a namespace of its own, with a volume for its database."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.plane = cluster.plane
        self.namespace = users.INSTALLED_IN
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.plane.apply(namespace)
        wait_until(lambda: self.plane.has_account(self.namespace), "its service account")
        folder.mkdir(exist_ok=True)
        folder.parent.chmod(0o755)
        os.chown(folder, _USER, _USER)
        self.plane.apply(self._volume(folder))

    def words(self, **values: Any) -> list[str]:
        """The options that fit the chart to this cluster: two trials leave no core for anything."""
        repository, _, tag = operator_image.NAME.rpartition(":")
        given: dict[str, Any] = {
            "image.repository": repository,
            "image.tag": tag,
            "image.pullPolicy": "Never",
            "operator.resyncSeconds": 5,
            "resources.requests.cpu": 0,
            **values,
        }
        return [f"--set-json={name}={json.dumps(value)}" for name, value in given.items()]

    def install(self, **values: Any) -> str:
        """`helm upgrade --install --wait`; what it printed, NOTES.txt with it."""
        given = self.words(**{"prometheus.url": self.cluster.node.prometheus_url, **values})
        return self.helm("upgrade", "--install", RELEASE, str(CHART), *given, "--wait")

    def helm(self, *words: str) -> str:
        """What helm says, of this namespace."""
        wait = ("--timeout=120s",) if words[0] in {"upgrade", "uninstall", "test"} else ()
        return helm(*words, *wait, f"--namespace={self.namespace}", plane=self.plane)

    def pods(self, component: str = "operator") -> list[dict[str, Any]]:
        """The release's pods."""
        label = f"app.kubernetes.io%2Fcomponent%3D{component}"
        path = f"/api/v1/namespaces/{self.namespace}/pods?labelSelector={label}"
        return list(self.plane.request("GET", path)["items"])

    def remove(self) -> None:
        """Takes away what tests of the same cluster would meet: the namespace and the volume."""
        self.plane.delete_namespace(self.namespace, wait=True)
        self.plane.request("DELETE", f"/api/v1/persistentvolumes/{self.namespace}")

    def log(self) -> str:
        """What the operator's pods have logged."""
        selector = "-lapp.kubernetes.io/component=operator"
        return self.plane.kubectl("logs", selector, "-n", self.namespace, "--tail=-1", check=False)

    def _volume(self, folder: Path) -> Mapping[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": self.namespace},
            "spec": {
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": str(folder)},
                "claimRef": {"name": RELEASE, "namespace": self.namespace},
            },
        }
