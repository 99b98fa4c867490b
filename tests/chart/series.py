"""Every metric that dashboards and alerts may ask for, with its labels."""

import ast
from collections.abc import Iterator
from pathlib import Path

from kubetune.adapters.prometheus.families import FAMILIES
from kubetune.domain import samples

SCRAPED = {
    "namespace",
    "pod",
    "kubetune_io_study",
    "kubetune_io_study_uid",
    "kubetune_io_trial",
    "kubetune_io_attempt",
}
"""What the scrape of a trial puts on its series: docs/reference/metrics.md."""

OTHERS = {
    "kube_pod_status_phase": {"namespace", "pod", "phase"},
    "kube_pod_container_resource_requests": {"namespace", "pod", "node", "resource"},
    "kube_node_status_allocatable": {"node", "resource"},
    "container_memory_working_set_bytes": {"namespace", "pod", "container"},
    "DCGM_FI_DEV_GPU_UTIL": {"namespace", "pod", "gpu"},
    "DCGM_FI_DEV_FB_USED": {"namespace", "pod", "gpu"},
}
"""Of kube-state-metrics, the kubelet's cAdvisor and DCGM's exporter: lines that may be missing."""

_TRAINER = Path(__file__).parents[2] / "trainer-image" / "src"


def _operators() -> Iterator[tuple[str, set[str]]]:
    for family in FAMILIES:
        if family.kind == "histogram":
            yield f"{family.name}_bucket", {*family.labels, "le"}
        else:
            yield family.name, set(family.labels)


def _reported() -> Iterator[str]:
    """Every word in the trainer's source that may name a metric."""
    for path in _TRAINER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.keyword) and node.arg:
                yield node.arg
            elif isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "x"
                    for part in node.values
                )


KNOWN: dict[str, set[str]] = {
    **dict(_operators()),
    samples.METRIC: {*SCRAPED, "name"},
    samples.METRIC_STEP: {*SCRAPED, "name"},
    samples.STEP: SCRAPED,
    samples.PROGRESS: SCRAPED,
    **OTHERS,
}
REPORTED = frozenset(_reported())
