"""The pod of a trial, in whatever resource Katib launches: a Job's, or that of a job of one pod."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, shown
from kubetune.domain.faults import Path

PATH: Path = ("spec", "trialTemplate", "trialSpec")
_AT: Path = ("spec", "trialTemplate")
_QUEUE = "kueue.x-k8s.io/"

_ONE_PROCESS = {"MASTER_ADDR": "localhost", "MASTER_PORT": "23456", "WORLD_SIZE": "1", "RANK": "0"}
"""What the training operator tells the only pod of a job."""

_REPLICAS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "PyTorchJob": ("pytorchReplicaSpecs", _ONE_PROCESS),
    "TFJob": ("tfReplicaSpecs", {}),
    "XGBoostJob": ("xgbReplicaSpecs", _ONE_PROCESS),
}
"""Kubeflow's jobs of several pods: where their pods are, and what is told to a single one."""

_ONE_POD = "a trial is one pod: write a Job (batch/v1) with"
_INSTEAD = {
    "TrainJob": f"its pod is in a runtime of the cluster: {_ONE_POD} that image and command",
    "MPIJob": f"{_ONE_POD} mpirun and all its processes in one container",
    "Workflow": f"{_ONE_POD} the step that trains; what comes before it goes into initContainers",
    "PipelineRun": f"{_ONE_POD} the task that trains; what comes before it goes into "
    "initContainers",
}


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template, where it stands, the variables to add, and how long it may run."""

    template: Mapping[str, Any]
    path: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int | None = None


def find(experiment: Experiment, draft: Draft) -> Pod | None:
    """The pod of a trial; None where there is no single one, which is a fault."""
    if not experiment.mapping(PATH):
        draft.findings.refuse(PATH, "missing: write a Job (batch/v1)")
        return None
    kind = experiment.text((*PATH, "kind"), needed="Job")
    version = experiment.text((*PATH, "apiVersion"), needed="batch/v1")
    if kind is None or version is None:
        return None
    _metadata(experiment, draft)
    if (kind, version) == ("Job", "batch/v1"):
        return _of_job(experiment, draft)
    if kind in _REPLICAS and version == "kubeflow.org/v1":
        return _of_replicas(experiment, draft, kind)
    instead = _INSTEAD.get(kind, f"{_ONE_POD} its pod template")
    draft.findings.refuse((*PATH, "kind"), f"{kind} ({version}) has no counterpart: {instead}")
    return None


def _of_job(experiment: Experiment, draft: Draft) -> Pod | None:
    path = (*PATH, "spec")
    spec = experiment.mapping(path)
    for name in ("completions", "parallelism"):
        if (experiment.whole((*path, name)) or 1) > 1:
            message = (
                f"{shown(spec[name])}: a trial is one pod: write 1, or tune a smaller training"
            )
            draft.findings.refuse((*path, name), message)
    for name, value in spec.items():
        _job_field(draft, (*path, name), value)
    return _pod(experiment, draft, (*path, "template"), (*path, "activeDeadlineSeconds"))


def _job_field(draft: Draft, path: Path, value: Any) -> None:
    name = path[-1]
    if name in {"template", "activeDeadlineSeconds", "completions", "parallelism"}:
        return
    if name == "ttlSecondsAfterFinished":
        message = f"{shown(value)}: a trial's Job is removed when its result is stored"
        draft.note(Kind.NOT_NEEDED, path, message)
    elif name == "backoffLimit" and value != 0:
        message = (
            f"{shown(value)}: a trial that fails is not started again; one whose node or pod was "
            "taken away is: trials.retries.disruption"
        )
        draft.note(Kind.LEFT_OUT, path, message, ("spec", "trials"))
    elif value not in (0, False, None):
        message = f"{shown(value)}: the Job is the study's own: nothing to do"
        draft.note(Kind.LEFT_OUT, path, message, _AT)


def _of_replicas(experiment: Experiment, draft: Draft, kind: str) -> Pod | None:
    name, variables = _REPLICAS[kind]
    path = (*PATH, "spec", name)
    counts = {
        role: experiment.whole((*path, role, "replicas"), least=0) or 1
        for role in experiment.mapping(path)
        if experiment.at((*path, role, "replicas")) != 0
    }
    if sum(counts.values()) != 1:
        found = ", ".join(f"{role} {count}" for role, count in counts.items()) or "none"
        message = (
            f"{found}: a trial is one pod: write a single Master or Worker, or one pod that "
            "starts all processes, such as torchrun --nproc-per-node"
        )
        draft.findings.refuse(path, message)
        return None
    (role,) = counts
    message = f"{kind}: of its one {role} the pod is taken; what its operator adds is not there"
    if variables:
        message += f" but for {', '.join(variables)}"
    draft.note(Kind.APPROXIMATED, (*PATH, "kind"), message, _AT)
    for other, value in experiment.mapping((*PATH, "spec")).items():
        if other not in {name, "runPolicy"}:
            message = f"{shown(value)}: a trial is a Job of one pod: nothing to do"
            draft.note(Kind.LEFT_OUT, (*PATH, "spec", other), message, _AT)
    policy = (*PATH, "spec", "runPolicy")
    for field_name, value in experiment.mapping(policy).items():
        if field_name != "cleanPodPolicy":
            _job_field(draft, (*policy, field_name), value)
    limit = (*policy, "activeDeadlineSeconds")
    return _pod(experiment, draft, (*path, role, "template"), limit, variables)


def _pod(
    experiment: Experiment,
    draft: Draft,
    path: Path,
    limit: Path,
    variables: Mapping[str, str] | None = None,
) -> Pod | None:
    if not experiment.mapping((*path, "spec")):
        draft.findings.refuse((*path, "spec"), "missing: write the pod's containers")
        return None
    timeout_seconds = experiment.whole(limit, least=1)
    return Pod(experiment.mapping(path), path, variables or {}, timeout_seconds)


def _metadata(experiment: Experiment, draft: Draft) -> None:
    """Labels of a queue become the study's; a Job has no others of its own."""
    path = (*PATH, "metadata")
    for name, value in experiment.mapping(path).items():
        if name == "labels" and isinstance(value, Mapping):
            queue = {key: one for key, one in value.items() if key.startswith(_QUEUE)}
            if queue:
                draft.metadata["labels"] = {**draft.metadata.get("labels", {}), **queue}
            if len(queue) == len(value):
                continue
        elif value in (None, {}):
            continue
        message = (
            f"{shown(value)}: a trial's Job is named and labelled by its study: what its pod "
            "should carry goes into trialTemplate.metadata"
        )
        draft.note(Kind.LEFT_OUT, (*path, name), message, _AT)
