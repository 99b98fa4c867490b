"""A cluster by hand: `python -m tests.cluster up|down|status|binaries|tools`."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from tests.cluster import binaries, helm, home, images, operator_image, processes
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import COMPONENTS, ControlPlane
from tests.cluster.home import Home
from tests.cluster.places import running_root, say

_NAME = "by-hand"

_PACKAGES = {
    "openssl": "openssl",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "busybox": "busybox-static",
    "prometheus": "prometheus",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "pg_ctlcluster": "postgresql",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
}
"""Each program that the tests take from Debian, and its package."""


def up(arguments: argparse.Namespace) -> None:
    """Starts what is asked for and does not run; says how to go on."""
    say(binaries.describe())
    folder = running_root() / _NAME
    cluster = Cluster(ControlPlane(Home(folder) if folder.exists() else _claim()))
    say("Starting the control plane")
    cluster.plane.start()
    cluster.plane.apply_crds()
    if arguments.node:
        say("Starting a node and giving it the images: a minute or two on a busy machine")
        cluster.node.start()
    if arguments.prometheus:
        say("Starting Prometheus")
        cluster.prometheus.start()
    if arguments.kwok:
        if not cluster.kwok.healthy():
            cluster.kwok.start()
        cluster.kwok.add_nodes(arguments.kwok)
    status(arguments)
    say(f"\nexport KUBECONFIG={cluster.plane.kubeconfig}")
    say(f"alias kubectl={binaries.find()['kubectl'].path}")
    if arguments.prometheus:
        say(f"Prometheus: {cluster.prometheus.url}")
    say("\nThen: kubectl get nodes; kubectl apply -f STUDY; in the end: make cluster-down")


def down(_: argparse.Namespace) -> None:
    """Ends the cluster and takes its folder away; a no-op when there is none."""
    home.end_leftovers()
    home.erase(running_root() / _NAME)
    say("The cluster is gone.")


def status(_: argparse.Namespace) -> None:
    """Says of each program its process, port and health."""
    folder = running_root() / _NAME
    if not (folder / "home.json").exists():
        say("There is no cluster: make cluster-up")
        return
    cluster = Cluster(ControlPlane(Home(folder)))
    say(f"{'component':<26}{'pid':>8}{'port':>8}  health")
    for name, port, health in _rows(cluster):
        pid = record.pid if (record := processes.read(folder, name)) else ""
        say(f"{name:<26}{pid:>8}{port:>8}  {health}")


def tools(_: argparse.Namespace) -> None:
    """Installs and builds all that the tests need, where it is missing."""
    absent = {package for program, package in _PACKAGES.items() if not shutil.which(program)}
    if absent:
        words = ["apt-get", "install", "--yes", "--no-install-recommends", *sorted(absent)]
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            sys.exit(f"missing; as root: {' '.join(words)}")
        say(f"Installing {', '.join(sorted(absent))}")
        for command in (["apt-get", "update"], words):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    say(binaries.describe())
    helm.binary()
    helm.docs_binary()
    images.build()
    operator_image.build()


def build(_: argparse.Namespace) -> None:
    """Finds or builds Kubernetes."""
    say(binaries.describe())


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run in (("up", up), ("down", down), ("status", status)):
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        if run is up:
            command.add_argument("--node", action="store_true")
            command.add_argument("--prometheus", action="store_true")
            command.add_argument("--kwok", type=int, default=0, metavar="NODES")
    for name, run in (("binaries", build), ("tools", tools)):
        commands.add_parser(name, help=run.__doc__).set_defaults(run=run)
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        arguments.run(arguments)


def _claim() -> Home:
    return home.claim(_NAME, owner=None)


def _rows(cluster: Cluster) -> Iterator[tuple[str, int, str]]:
    plane = cluster.plane
    checks = {name: lambda name=name: plane.healthy(name) for name in COMPONENTS} | {
        "containerd": cluster.node.serving,
        "kubelet": cluster.node.healthy,
        "prometheus": cluster.prometheus.healthy,
        "kwok": cluster.kwok.healthy,
    }
    for name, check in checks.items():
        if processes.read(plane.home.folder, name):
            yield name, plane.home.port(name), "well" if check() else "not well"


if __name__ == "__main__":
    main()
