"""What a cluster leaves behind, whichever way its test run ended: nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubetune.adapters.local.processes import birth
from tests.cluster import home, machine, processes
from tests.cluster.places import running_root
from tests.cluster.requests import wait_until

ROOT = Path(__file__).parents[3]

HELD = """
import os, sys, time
from tests.cluster import {module}, control_plane
if sys.argv[2] == "alone":
    import contextlib, subprocess
    control_plane.keep = lambda folder: subprocess.Popen(["sleep", "0"])
with {module}.running(sys.argv[1], os.getpid()):
    print("up", flush=True)
    time.sleep(600)
"""


def held(module: str, name: str, how: str) -> "subprocess.Popen[str]":
    """Another test run that holds a cluster; returns when the cluster is up."""
    process = subprocess.Popen(
        [sys.executable, "-c", HELD.format(module=module), name, how],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    """Kills a test run as the kernel does: no handler runs."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_killed_run_takes_its_cluster_along() -> None:
    """The keeper outlives the run and ends what the run can no longer end."""
    name = f"killed-{os.getpid()}"
    process = held("control_plane", name, "kept")
    records = processes.records(running_root() / name)
    assert len(records) == 4
    kill(process)
    wait_until(lambda: not (running_root() / name).exists(), "the keeper to clean up")
    assert not any(record.alive for record in records)


def test_leftovers_end_at_the_next_start() -> None:
    """Where the keeper died too, pid files name the processes, and the next start ends them."""
    name = f"alone-{os.getpid()}"
    process = held("control_plane", name, "alone")
    records = processes.records(running_root() / name)
    kill(process)
    assert all(record.alive for record in records)
    home.end_leftovers()
    assert not any(record.alive for record in records)
    assert not (running_root() / name).exists()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_a_killed_node_leaves_no_trace() -> None:
    """Pods, mounts, control groups and the bridge of a killed run go at the next start."""
    name = f"node-{os.getpid()}"
    process = held("cluster", name, "alone")
    folder = running_root() / name
    slot = home.Home(folder).slot
    kill(process)
    home.end_leftovers()
    assert not folder.exists()
    assert not (Path("/sys/class/net") / machine.bridge(slot)).exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{machine.cgroup(slot)}"))


def test_a_reused_pid_is_spared(tmp_path: Path) -> None:
    """A pid file names a process by its birth too: a stranger with the same pid lives on."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pids = tmp_path / "pids"
        pids.mkdir()
        record = {"pid": stranger.pid, "birth": "another boot-1"}
        (pids / "etcd.json").write_text(json.dumps(record))
        (tmp_path / "home.json").write_text(json.dumps({"slot": 0, "owner": None, "birth": None}))
        home.erase(tmp_path)
        assert birth(stranger.pid)
        stranger.kill()


def test_clusters_do_not_meet() -> None:
    """Two clusters at once have different ports."""
    homes = [home.claim(f"slot-{number}-{os.getpid()}", owner=os.getpid()) for number in (1, 2)]
    try:
        assert homes[0].port("etcd") != homes[1].port("etcd")
    finally:
        for each in homes:
            home.erase(each.folder)
