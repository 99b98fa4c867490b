"""How fast a trial is, and what it takes of its machine."""

from dashboards.frame import Drawn
from dashboards.panels import lines
from dashboards.queries import EACH, over_time, reported


def panels(trial: str) -> list[Drawn]:
    """Of the trial that has these labels; what others must tell is left out without them."""
    pods = f"group by (namespace, pod) (kubetune_trial_progress_ratio{{{trial}}})"
    memory = (
        'container_memory_working_set_bytes{namespace="$namespace",container="trainer"} '
        f"and on (namespace, pod) {pods}"
    )
    gpu = f'{{namespace="$namespace"}} * on (namespace, pod) group_left () {pods}'
    return [
        lines(
            "Throughput",
            "What the trial gets through in a second: tokens, images, samples.",
            "none",
            over_time(reported(trial, ".+_per_second"), EACH),
        ),
        lines(
            "Time",
            "How long a step, an epoch or an evaluation takes.",
            "s",
            over_time(reported(trial, "(.+_)?seconds"), EACH),
        ),
        lines(
            "Memory",
            "The most that the trial has held on its GPU, as it says. The container's memory needs "
            "the kubelet's cAdvisor, the GPU's DCGM's exporter (honorLabels).",
            "bytes",
            over_time(reported(trial, ".+_bytes"), EACH),
            over_time(f"max by (pod) ({memory})", "container {{pod}}"),
            over_time(f"max by (pod, gpu) (DCGM_FI_DEV_FB_USED{gpu}) * 1048576", "GPU {{gpu}}"),
        ),
        lines(
            "GPU utilisation",
            "How much of the time the trial's GPUs compute. Needs DCGM's exporter with the "
            "workload's own namespace and pod (honorLabels).",
            "percent",
            over_time(f"max by (pod, gpu) (DCGM_FI_DEV_GPU_UTIL{gpu})", "GPU {{gpu}}"),
        )
        .min(0)
        .max(100),
    ]
