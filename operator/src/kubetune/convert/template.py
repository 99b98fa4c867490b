"""The pod template of a study: Katib's, with the container that trains named trainer."""

import copy
from collections.abc import Mapping
from typing import Any

from kubetune.api.wording import show
from kubetune.convert import placeholders, pods
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, shown
from kubetune.convert.parameters import Givens
from kubetune.convert.placeholders import FIELDS, Placeholders, variable
from kubetune.convert.pods import Pod
from kubetune.domain.contract import TRAINER
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path

AT: Path = ("spec", "trialTemplate")
_PATH: Path = ("spec", "trialTemplate")
_KNOWN = (
    "retain", "trialSpec", "configMap", "trialParameters", "primaryPodLabels",
    "primaryContainerName", "successCondition", "failureCondition",
)  # fmt: skip
_EXPANDED = frozenset({"command", "args"})
_CONDITIONS = ('type=="Complete"', 'type=="Failed"', 'type=="Succeeded"')
"""Katib's conditions for a Job that ended, and for Kubeflow's jobs."""


def convert(experiment: Experiment, draft: Draft, givens: Givens) -> Pod | None:
    """Writes the template; the pod that it was made of, None after a fault."""
    if not experiment.mapping(_PATH, _KNOWN):
        draft.findings.refuse(_PATH, "missing: write trialSpec, a Job (batch/v1)")
        return None
    if experiment.at((*_PATH, "configMap")) is not None:
        message = "the template is in the cluster: write it here, as trialSpec"
        draft.findings.refuse((*_PATH, "configMap"), message)
        return None
    pod = pods.find(experiment, draft)
    filled = placeholders.read(experiment, draft, givens)
    if pod is None:
        return None
    index = _primary(experiment, draft, pod)
    if index is None:
        return None
    draft.put("trialTemplate", _template(draft, pod, filled, index), pod.path)
    for name in filled.unmet():
        message = (
            f"{name}: nothing in trialSpec uses it; the trial finds its value in its environment"
        )
        draft.note(Kind.NOT_NEEDED, (*_PATH, "trialParameters"), message)
    _rest(experiment, draft)
    return pod


def _primary(experiment: Experiment, draft: Draft, pod: Pod) -> int | None:
    """Which container is the trial."""
    path = (*pod.path, "spec", "containers")
    names = []
    for index, item in enumerate(experiment.items(path)):
        if not isinstance(item, Mapping):
            draft.findings.refuse((*path, index), f"{show(item)} is no container: write a map")
        names.append(experiment.text((*path, index, "name"), needed="the container's name"))
    if not names:
        draft.findings.refuse(path, "missing: write the container that trains")
        return None
    where = (*_PATH, "primaryContainerName")
    primary = experiment.text(where, needed="the name of the container that trains")
    known = [name for name in names if name is not None]
    if primary is None or len(known) < len(names):
        return None
    if primary not in names:
        message = f"{show(primary)} is no container of the template{suggest(primary, known)}"
        draft.findings.refuse(where, message)
        return None
    return names.index(primary)


def _template(draft: Draft, pod: Pod, filled: Placeholders, index: int) -> dict[str, Any]:
    spec = dict(pod.template["spec"])
    path = (*pod.path, "spec")
    containers = spec.pop("containers")
    policy = spec.pop("restartPolicy", None)
    if policy not in (None, "Never"):
        message = f"{show(policy)}: a trial's pod is never restarted: nothing to do"
        draft.note(Kind.LEFT_OUT, (*path, "restartPolicy"), message, AT)
    rest = filled.fill(spec, path, expanded=False)
    made = [
        _trainer(one, (*path, "containers", place), pod, filled)
        if place == index
        else _beside(draft, filled.fill(one, (*path, "containers", place), expanded=False), path)
        for place, one in enumerate(containers)
    ]
    _note_token(draft, rest, path)
    metadata = _metadata(draft, pod, filled)
    return {**metadata, "spec": {"containers": made, **copy.deepcopy(rest)}}


def _trainer(
    container: Mapping[str, Any], path: Path, pod: Pod, filled: Placeholders
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": TRAINER}
    for name, value in container.items():
        if name == "env":
            made[name] = []
        elif name != "name":
            made[name] = filled.fill(value, (*path, name), expanded=name in _EXPANDED)
    env = [_of_pod(entry) for entry in _env(container.get("env"), (*path, "env"), filled)]
    told = {str(entry.get("name")) for entry in env if isinstance(entry, dict)}
    used = f"{made}{env}"
    added = [
        _of_pod({"name": name, "value": variable(name)})
        for name in sorted(FIELDS)
        if variable(name) in used
    ]
    added += [{"name": k, "value": v} for k, v in pod.variables.items() if k not in told]
    made["env"] = [*added, *env]
    return copy.deepcopy({name: value for name, value in made.items() if value != []})


def _of_pod(entry: Any) -> Any:
    """A variable whose whole value the pod knows itself."""
    for name, field in FIELDS.items():
        if isinstance(entry, dict) and entry.get("value") == variable(name):
            return {"name": entry.get("name"), "valueFrom": {"fieldRef": {"fieldPath": field}}}
    return entry


def _env(entries: Any, path: Path, filled: Placeholders) -> list[Any]:
    if not isinstance(entries, list):
        return [] if entries is None else [entries]
    return [
        {
            name: filled.fill(value, (*path, index, name), expanded=name == "value")
            for name, value in entry.items()
        }
        if isinstance(entry, Mapping)
        else entry
        for index, entry in enumerate(entries)
    ]


def _beside(draft: Draft, container: Any, path: Path) -> Any:
    """Another container of the pod, which may not be named trainer."""
    if not isinstance(container, dict) or container.get("name") != TRAINER:
        return container
    message = f"a container beside the trial is named {TRAINER}: it is {TRAINER}-beside here"
    draft.note(Kind.APPROXIMATED, (*path, "containers"), message, AT)
    return {**container, "name": f"{TRAINER}-beside"}


def _metadata(draft: Draft, pod: Pod, filled: Placeholders) -> dict[str, Any]:
    found = pod.template.get("metadata")
    path = (*pod.path, "metadata")
    if not isinstance(found, Mapping):
        return {}
    kept = {
        name: filled.fill(value, (*path, name), expanded=False)
        for name, value in found.items()
        if name in {"labels", "annotations"} and value
    }
    for name, value in found.items():
        if name not in {"labels", "annotations", "creationTimestamp"}:
            message = f"{shown(value)}: a trial's pod has labels and annotations only"
            draft.note(Kind.LEFT_OUT, (*path, name), f"{message}: nothing to do", AT)
    return {"metadata": kept} if kept else {}


def _note_token(draft: Draft, spec: Mapping[str, Any], path: Path) -> None:
    if spec.get("serviceAccountName") and "automountServiceAccountToken" not in spec:
        message = (
            f"{show(spec['serviceAccountName'])}: a trial has no token of it unless you write "
            "automountServiceAccountToken: true beside it"
        )
        draft.note(Kind.TO_DO, (*path, "serviceAccountName"), message, AT)


def _rest(experiment: Experiment, draft: Draft) -> None:
    """What Katib needs to find and judge pods, and a study does not."""
    if experiment.at((*_PATH, "retain")) is True:
        message = (
            "true: a trial's pod goes when the trial ends: collect logs in the cluster, or write "
            "terminationMessagePolicy: FallbackToLogsOnError to keep the end of a failed one's"
        )
        draft.note(Kind.LEFT_OUT, (*_PATH, "retain"), message, AT)
    if experiment.mapping((*_PATH, "primaryPodLabels")):
        message = "a trial is one pod, and its container trainer reports"
        draft.note(Kind.NOT_NEEDED, (*_PATH, "primaryPodLabels"), message)
    for name in ("successCondition", "failureCondition"):
        condition = experiment.text((*_PATH, name))
        if condition is not None and not any(word in condition for word in _CONDITIONS):
            message = (
                f"{show(condition)}: exit code 0 is success here, any other a failure: "
                "let the program exit so"
            )
            draft.note(Kind.LEFT_OUT, (*_PATH, name), message, AT)
