"""Studies of tiny trials on a real cluster, followed by one operator process."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubetune.adapters.optuna.history import read_trials
from kubetune.domain.trial import Trial
from tests.cluster.cluster import Cluster
from tests.cluster.operators import OperatorProcess, grant, running
from tests.cluster.requests import Refused, wait_until

SECONDS = 150.0
"""For anything that a test waits for: many times what it takes on an idle machine."""

LOSS = {"metric": "loss", "direction": "Minimize"}
X = {"name": "x", "type": "Double", "min": 0, "max": 1}

STEPS = """
import pathlib, time
from kubetune_trainer import Trial

def note(text):
    with open(f"/lab/record-{number}", "a") as file:
        file.write(f"{trial.attempt} {text}\\n")

with Trial.from_environment() as trial:
    number = trial._order.trial
    for step in trial.steps(6):
        trial.report(loss=1 / step)
        trial.save(lambda folder: (folder / "weights").write_text(str(step)))
        note(f"{step} saved")
        while step == 3 and not pathlib.Path("/lab/go").exists() and not trial.should_stop:
            time.sleep(0.05)
    note("stopped" if trial.should_stop else "done")
"""
"""A trial of six steps that writes down what it does and waits in its third one for /lab/go."""

ROOT = {"securityContext": {"runAsUser": 0}}
"""For a trainer with checkpoints: the kubelet makes its folder of a claim for root alone."""

GOES_ON = [
    *("1 1 saved", "1 2 saved", "1 3 saved", "1 stopped"),
    *("2 4 saved", "2 5 saved", "2 6 saved", "2 done"),
]
"""The record of such a trial that was stopped in its third step and went on."""


def complete(value: object = "$KUBETUNE_PARAM_x", metric: str = "loss") -> str:
    """Shell that writes a result with one metric; the value is the shell's to fill in."""
    result = json.dumps({"schema": 1, "state": "Complete", "metrics": {metric: 0}})
    words = result.replace('"', '\\"').replace(": 0}", f": {value}}}")
    return f'echo "{words}" > /dev/termination-log'


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A trainer container that is a shell script."""
    return {"image": "busybox:latest", "command": ["sh", "-c", script], **more}


def python(script: str, **more: Any) -> dict[str, Any]:
    """A trainer container that is a Python program; `kubetune_trainer` can be imported."""
    return {"image": "kubetune-trainer:latest", "command": ["python", "-c", script], **more}


class Study:
    """One study's resource, and what belongs to it.

    `folder` is what its trials see as /lab.
    """

    def __init__(self, lab: "Lab", name: str) -> None:
        self.lab, self.name, self.namespace = lab, name, lab.namespace
        self.plane = lab.cluster.plane
        self.folder = lab.folder / name
        self._path = f"{lab.path}/{name}"

    @property
    def resource(self) -> dict[str, Any]:
        """The whole object."""
        return dict(self.plane.request("GET", self._path))

    @property
    def uid(self) -> str:
        """Its identity."""
        return str(self.resource["metadata"]["uid"])

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty before the first one."""
        return dict(self.resource.get("status") or {})

    @property
    def active(self) -> dict[int, dict[str, Any]]:
        """The trials that run or wait, by number."""
        return {trial["number"]: trial for trial in self.status.get("active", ())}

    @property
    def trials(self) -> dict[int, Trial]:
        """All its trials as the database has them, by number."""
        name = f"{self.namespace}/{self.name}/{self.uid}"
        try:
            return {trial.number: trial for trial in read_trials(self.lab.operator.storage, name)}
        except KeyError:
            return {}

    @property
    def ended(self) -> bool:
        """Whether the status says that it has ended."""
        return "completionTime" in self.status

    @property
    def pods(self) -> list[dict[str, Any]]:
        """Its trials' pods, the oldest first."""
        return sorted(self._items("/api/v1", "pods"), key=lambda pod: pod["metadata"]["name"])

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """Its trials' Jobs."""
        return self._items("/apis/batch/v1", "jobs")

    @property
    def events(self) -> list[str]:
        """`Reason: message` of everything that was announced about it."""
        found = self.plane.request("GET", f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return [
            f"{each['reason']}: {each['message']}"
            for each in found
            if each["involvedObject"].get("uid") == self.uid
        ]

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition; two empty words without it."""
        found = {each["type"]: each for each in self.status.get("conditions", ())}
        return found.get(kind, {}).get("status", ""), found.get(kind, {}).get("reason", "")

    def patch(self, **spec: Any) -> None:
        """Changes its spec as `kubectl patch` does."""
        kind = "application/merge-patch+json"
        self.plane.request("PATCH", self._path, {"spec": spec}, kind)

    def running_pod(self, number: int = 0, attempt: int = 1) -> dict[str, Any] | None:
        """The pod of an attempt while its container runs."""
        for pod in self.pods:
            labels = pod["metadata"]["labels"]
            if (labels["kubetune.io/trial"], labels["kubetune.io/attempt"]) == (
                str(number),
                str(attempt),
            ):
                states = pod["status"].get("containerStatuses", ())
                if any("running" in each["state"] for each in states):
                    return pod
        return None

    def record(self, number: int = 0) -> list[str]:
        """The lines that a trial has written into /lab/record-NUMBER, over all its attempts."""
        return self.lines(f"record-{number}")

    def lines(self, name: str) -> list[str]:
        """What is in /lab/NAME; nothing as long as it is not there."""
        file = self.folder / name
        return file.read_text(errors="replace").splitlines() if file.exists() else []

    def signal(self, name: str) -> None:
        """Lets trials go on that wait for /lab/NAME."""
        (self.folder / name).touch()

    def evict(self, pod: Mapping[str, Any]) -> None:
        """Asks for a pod's eviction, as a drain does."""
        meta = {"name": pod["metadata"]["name"], "namespace": self.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{meta['name']}/eviction"
        self.plane.request("POST", path, body)

    def queue(self, *, held: bool) -> None:
        """Holds its only Job back, or lets it go, as a queue such as Kueue does."""
        (job,) = self.jobs
        path = f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{job['metadata']['name']}"
        kind = "application/merge-patch+json"
        self.plane.request("PATCH", path, {"spec": {"suspend": held}}, kind)

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Waits; in vain, it says where the study stands and what the operator logged."""
        try:
            wait_until(holds, what, SECONDS)
        except TimeoutError as error:
            error.add_note(json.dumps(self.status, indent=1)[-3000:])
            error.add_note(json.dumps([pod["status"] for pod in self.pods], indent=1)[-3000:])
            error.add_note(self.lab.operator.log[-3000:])
            raise

    def finish(self) -> dict[int, Trial]:
        """Waits for the study's end; its trials by number."""
        self.until(lambda: self.ended, f"study {self.name} to end")
        return self.trials

    def delete(self) -> None:
        """Lets the study go, and with it its Jobs."""
        self.plane.request("DELETE", self._path)

    def _items(self, group: str, kind: str) -> list[dict[str, Any]]:
        query = f"labelSelector=kubetune.io/study-uid%3D{self.uid}"
        path = f"{group}/namespaces/{self.namespace}/{kind}?{query}"
        return list(self.plane.request("GET", path)["items"])


class Lab:
    """A cluster with an operator that follows the studies of one namespace."""

    def __init__(
        self, cluster: Cluster, operator: OperatorProcess, namespace: str, folder: Path
    ) -> None:
        self.cluster, self.operator, self.namespace = cluster, operator, namespace
        self.folder = folder
        self.path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies"
        self._count = 0
        self._volumes: list[str] = []

    def study(
        self,
        container: Mapping[str, Any],
        *,
        pod: Mapping[str, Any] | None = None,
        beside: Sequence[Mapping[str, Any]] = (),
        trials: Mapping[str, Any] | None = None,
        mounted: bool = True,
        **spec: Any,
    ) -> Study:
        """Creates a study of one trial of x, but for what is said otherwise.

        Its pods have a second of grace, and metrics are looked at twice a second. Unless it is not
        `mounted`, each trial sees the study's own folder of this machine as /lab.
        """
        self._count += 1
        study = Study(self, f"study-{self._count}")
        study.folder.mkdir()
        study.folder.chmod(0o777)  # a trial is another user there
        trainer = {"name": "trainer", "imagePullPolicy": "IfNotPresent", **container}
        template: dict[str, Any] = {"terminationGracePeriodSeconds": 1, **(pod or {})}
        if mounted:
            trainer["volumeMounts"] = [{"name": "lab", "mountPath": "/lab"}]
            template["volumes"] = [{"name": "lab", "hostPath": {"path": str(study.folder)}}]
        template["containers"] = [trainer, *beside]
        body = {
            "apiVersion": "kubetune.io/v1alpha1",
            "kind": "TuningStudy",
            "metadata": {"name": study.name},
            "spec": {
                "objectives": [LOSS],
                "parameters": [X],
                "sampler": {"algorithm": "Random"},
                "metrics": {"intervalSeconds": 0.5},
                "trials": {"max": 1, **(trials or {})},
                "trialTemplate": {"spec": template},
                **spec,
            },
        }
        self.cluster.plane.request("POST", self.path, body)
        return study

    def claim(self) -> tuple[str, Path]:
        """The name of a new claim, and the folder of this machine that it is."""
        self._count += 1
        name = f"{self.namespace}-{self._count}"
        folder = self.folder / name
        folder.mkdir()
        size = {"storage": "1Gi"}
        about = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {**about, "capacity": size, "hostPath": {"path": str(folder)}},
        }
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {**about, "volumeName": name, "resources": {"requests": size}},
        }
        self.cluster.plane.apply(volume)
        self.cluster.plane.apply(claim, self.namespace)
        self._volumes.append(name)
        return name, folder

    def refusal(self, template: Mapping[str, Any], standard: str) -> str:
        """Why a namespace of this pod security standard would not take such a pod; empty if it did.

        The folder that `study` mounts stands aside.
        """
        pod = copy.deepcopy(dict(template))
        pod["spec"]["volumes"] = [v for v in pod["spec"]["volumes"] if v["name"] != "lab"]
        for container in pod["spec"]["containers"]:
            mounts = container.get("volumeMounts", ())
            container["volumeMounts"] = [mount for mount in mounts if mount["name"] != "lab"]
        plane = self.cluster.plane
        namespace = plane.create_namespace(standard)
        label = {"pod-security.kubernetes.io/enforce": standard}
        kind = "application/merge-patch+json"
        meta = {"metadata": {"labels": label}}
        plane.request("PATCH", f"/api/v1/namespaces/{namespace}", meta, kind)
        pod["metadata"] = {**pod["metadata"], "name": "asked-for"}
        try:
            plane.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
        except Refused as refused:
            return str(refused)
        finally:
            plane.delete_namespace(namespace)
        return ""

    def close(self) -> None:
        """Removes the volumes, which belong to no namespace."""
        for name in self._volumes:
            self.cluster.plane.request("DELETE", f"/api/v1/persistentvolumes/{name}")


@contextmanager
def opened(cluster: Cluster, folder: Path) -> Iterator[Lab]:
    """A lab in a namespace of its own; nothing of it is left afterwards."""
    plane = cluster.plane
    grant(plane)
    namespace = plane.create_namespace("lab")
    operator = OperatorProcess(
        plane, folder, namespaces=[namespace], prometheus=cluster.prometheus.url
    )
    lab = Lab(cluster, operator, namespace, folder)
    try:
        with running(operator):
            yield lab
    finally:
        plane.delete_namespace(namespace)
        lab.close()
        pods = f"/api/v1/namespaces/{namespace}/pods"
        wait_until(lambda: not plane.request("GET", pods)["items"], "its pods to be gone")
