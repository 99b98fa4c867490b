"""The pod of a trial: the study's template, completed by what the trial contract promises."""

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

from kubetune.adapters.kubernetes.environment import environment
from kubetune.adapters.kubernetes.names import (
    CHECKPOINT_PATH,
    CHECKPOINT_VOLUME,
    METRICS,
    METRICS_PORT,
    PORT_ANNOTATION,
    SCRAPE_ANNOTATION,
)
from kubetune.domain.contract import TRAINER
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.study import TrialPolicy


def pod_template(order: LaunchOrder, labels: Mapping[str, str]) -> dict[str, Any]:
    """The template of the Job's pod. What the contract leaves open stays as the study has it.

    Nothing is refused here: what makes no pod, the API server refuses in its own words.
    """
    template = copy.deepcopy(dict(order.spec.template))
    pod = _mapping(template.get("spec"))
    containers = _list(pod.get("containers"))
    trainer = next((each for each in containers if each.get("name") == TRAINER), {})
    port = _complete(trainer, order)
    if order.spec.checkpoint_claim is not None:
        _add_checkpoints(pod, trainer, order)
    pod["restartPolicy"] = "Never"
    pod.setdefault("automountServiceAccountToken", False)
    pod.setdefault("enableServiceLinks", False)
    _limit_time(pod, order.spec.trials)
    for container in (*containers, *_list(pod.get("initContainers"))):
        _write_quantities_out(container)
    metadata = _mapping(template.get("metadata"))
    scraped = {SCRAPE_ANNOTATION: "true", PORT_ANNOTATION: str(port)}
    return {
        "metadata": {
            "labels": {**_mapping(metadata.get("labels")), **labels},
            "annotations": {**scraped, **_mapping(metadata.get("annotations"))},
        },
        "spec": pod,
    }


def _complete(trainer: dict[str, Any], order: LaunchOrder) -> int:
    """Gives the trainer its variables and its metrics port; returns the port."""
    ports = _list(trainer.get("ports"))
    named = next((port for port in ports if port.get("name") == METRICS), None)
    own = None if named is None else named.get("containerPort")
    number = own if isinstance(own, int) else METRICS_PORT
    if named is None:
        ports.append({"name": METRICS, "containerPort": METRICS_PORT})
    trainer["ports"] = ports
    cores = _mapping(_mapping(trainer.get("resources")).get("limits")).get("cpu")
    trainer["env"] = environment(order, _list(trainer.get("env")), number, cores=cores)
    trainer.setdefault("terminationMessagePolicy", "File")
    return number


def _add_checkpoints(pod: dict[str, Any], trainer: dict[str, Any], order: LaunchOrder) -> None:
    """Mounts the trial's own folder of the claim, and no other's.

    The kubelet makes the folder; a trainer that is not root needs `securityContext.fsGroup`.
    """
    claim = {"claimName": order.spec.checkpoint_claim}
    volume = {"name": CHECKPOINT_VOLUME, "persistentVolumeClaim": claim}
    folder = f"{order.study_uid}/{order.trial.number}"
    mount = {"name": CHECKPOINT_VOLUME, "mountPath": CHECKPOINT_PATH, "subPath": folder}
    pod["volumes"] = [*_list(pod.get("volumes")), volume]
    trainer["volumeMounts"] = [*_list(trainer.get("volumeMounts")), mount]


def _limit_time(pod: dict[str, Any], policy: TrialPolicy) -> None:
    """Lets the kubelet end a late trial while no operator does; of two limits the lower counts.

    In the pod and not in the Job, for waiting in a queue is no running. The kubelet counts the pull
    of an image too, which may take as long as a trial may wait: an operator that runs is exact.
    """
    if policy.timeout_seconds is None:
        return
    limit = max(1, math.ceil(policy.timeout_seconds + (policy.pending_timeout_seconds or 0)))
    own = pod.get("activeDeadlineSeconds")
    pod["activeDeadlineSeconds"] = min(own, limit) if isinstance(own, int) else limit


def _write_quantities_out(container: dict[str, Any]) -> None:
    resources = _mapping(container.get("resources"))
    for amounts in (_mapping(resources.get("limits")), _mapping(resources.get("requests"))):
        for name, amount in amounts.items():
            if isinstance(amount, int | float) and not isinstance(amount, bool):
                amounts[name] = str(amount)


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: Any) -> list[dict[str, Any]]:
    items: Iterable[Any] = found if isinstance(found, list) else ()
    return [item for item in items if isinstance(item, dict)]
