"""GPUs: which are held by whom, which are idle, and whether those that are held do anything."""

from dashboards.frame import Drawn
from dashboards.panels import (
    lines,
    stacked,
)
from dashboards.queries import over_time

_ALIVE = 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)'
_ASKED = 'kube_pod_container_resource_requests{resource=~".+_gpu",node!=""}'
_USED = f"sum({_ASKED} * on (namespace, pod) group_left () {_ALIVE})"
_THERE = 'sum(kube_node_status_allocatable{resource=~".+_gpu"})'


def panels(space: str) -> list[Drawn]:
    """What needs kube-state-metrics or DCGM says so; without them its lines are left out."""
    held = f"max by (namespace, study) (kubetune_study_gpus{{{space}}})"
    everywhere = "sum(max by (namespace, study) (kubetune_study_gpus))"
    trial = (
        f"group by (namespace, pod, kubetune_io_study) (kubetune_trial_progress_ratio{{{space}}})"
    )
    named = f"on (namespace, pod) group_left (kubetune_io_study) {trial}"
    return [
        stacked(
            "GPUs held by study",
            "GPUs that running trials hold. Nothing where no study asks for any.",
            "none",
            over_time(held, "{{namespace}} / {{study}}"),
        ),
        stacked(
            "GPUs busy and idle",
            "GPUs that running trials of all namespaces hold; those that other pods hold and those "
            "that nobody has asked for are known where kube-state-metrics is.",
            "none",
            over_time(everywhere, "trials"),
            over_time(f"clamp_min({_USED} - ({everywhere} or vector(0)), 0)", "other pods"),
            over_time(f"clamp_min({_THERE} - ({_USED} or vector(0)), 0)", "idle"),
        ),
        lines(
            "Utilisation of held GPUs",
            "How much of the time the GPUs of running trials compute, a mean over each study's. "
            "Needs DCGM's exporter with the workload's own namespace and pod (honorLabels).",
            "percent",
            over_time(
                "avg by (namespace, kubetune_io_study) "
                f"(DCGM_FI_DEV_GPU_UTIL{{{space}}} * {named})",
                "{{namespace}} / {{kubetune_io_study}}",
            ),
        )
        .min(0)
        .max(100),
        lines(
            "GPU hours by study",
            "GPU hours that each study has used. Nothing where no study asks for any.",
            "none",
            over_time(
                f"max by (namespace, study) (kubetune_study_gpu_hours{{{space}}})",
                "{{namespace}} / {{study}}",
            ),
        ),
    ]
