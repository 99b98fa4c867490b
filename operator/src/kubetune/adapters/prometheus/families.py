"""Every metric of the operator, declared once: name, help, labels. All are bounded by studies.

Of trials only the five best are labels: a study of ten thousand has as many series as one of ten.
"""

from dataclasses import dataclass

STUDY = ("namespace", "study")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `kind` is Prometheus' word: gauge, counter or histogram."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BUILD = Family("kubetune_build_info", "gauge", "1; the version that runs.", ("version",))
WATCHING = Family(
    "kubetune_operator_watching",
    "gauge",
    "1 while this operator watches studies, 0 while it stands by or waits for something.",
)
STUDIES = Family("kubetune_studies", "gauge", "Studies by phase.", ("phase",))
PHASE = Family(
    "kubetune_study_phase", "gauge", "1 for the phase that a study is in.", (*STUDY, "phase")
)
TRIALS = Family(
    "kubetune_study_trials",
    "gauge",
    "Trials of a study by state: Active, Complete, Pruned, Failed, Infeasible.",
    (*STUDY, "state"),
)
ENDED = Family(
    "kubetune_study_ended_trials",
    "gauge",
    "Ended trials by state and reason; the reason of a plain completion is empty.",
    (*STUDY, "state", "reason"),
)
REJECTED = Family(
    "kubetune_study_rejected_draws_total",
    "counter",
    "Draws that a constraint turned down; they never became trials.",
    (*STUDY, "constraint"),
)
OUTCOMES = Family(
    "kubetune_study_outcome_trials",
    "gauge",
    "Ended trials in each of the study's own outcome classes.",
    (*STUDY, "outcome"),
)
BEST = Family(
    "kubetune_study_best_value",
    "gauge",
    "The best trial's value of the first objective; absent without one.",
    (*STUDY, "metric"),
)
LAST = Family(
    "kubetune_study_last_value",
    "gauge",
    "The value of the trial that ended last with one.",
    (*STUDY, "metric"),
)
BASELINE = Family(
    "kubetune_study_baseline_value",
    "gauge",
    "The baseline trial's value, what others are compared with.",
    (*STUDY, "metric"),
)
IMPROVEMENT = Family(
    "kubetune_study_improvement_ratio",
    "gauge",
    "How much better the best is than the baseline: 0.1 is ten percent.",
    (*STUDY, "metric"),
)
TOP_VALUE = Family(
    "kubetune_study_top_value",
    "gauge",
    "The first objective's value of the five best trials; rank 1 is the best.",
    (*STUDY, "rank", "trial"),
)
TOP_PARAMETER = Family(
    "kubetune_study_top_parameter",
    "gauge",
    "1; what was drawn for the five best trials, 16 parameters at most.",
    (*STUDY, "rank", "trial", "parameter", "value"),
)
GPUS = Family(
    "kubetune_study_gpus",
    "gauge",
    "GPUs that running trials hold; absent where trials ask for none.",
    STUDY,
)
GPU_HOURS = Family(
    "kubetune_study_gpu_hours",
    "gauge",
    "GPU hours that a study's trials have used until now; absent where trials ask for none.",
    STUDY,
)
BUDGET_USED = Family(
    "kubetune_study_budget_used_ratio",
    "gauge",
    "How much of a limit is used, 1 is all of it: trials, gpuHours, wallClockSeconds.",
    (*STUDY, "budget"),
)
WAITING = Family(
    "kubetune_study_waiting_trials",
    "gauge",
    "Active trials that do not start: no node, no image, a queue.",
    STUDY,
)
WAITS = Family(
    "kubetune_study_waits",
    "gauge",
    "Those trials by what they wait for: NotLaunched, Queued, Starting (a pod, an image that is"
    " pulled), or the reason that they fail with if it goes on.",
    (*STUDY, "reason"),
)
STORAGE_REACHABLE = Family(
    "kubetune_study_storage_reachable",
    "gauge",
    "1 while the database answers, 0 while it does not.",
    STUDY,
)
METRICS_REACHABLE = Family(
    "kubetune_study_metrics_reachable",
    "gauge",
    "1 while live values can be read, 0 while nothing is pruned for want of them.",
    STUDY,
)
EVENTS = Family(
    "kubetune_events_total",
    "counter",
    "What happened to trials and studies, by reason: TrialLaunched, TrialPruned, StudyFailed ...",
    ("reason",),
)
RECONCILES = Family(
    "kubetune_reconciles_total",
    "counter",
    "Passes of a study's loop: result is success or error.",
    (*STUDY, "result"),
)
RECONCILE_SECONDS = Family(
    "kubetune_reconcile_duration_seconds",
    "histogram",
    "How long one pass took, all studies together.",
    buckets=_FAST,
)
WAKE_SECONDS = Family(
    "kubetune_wake_latency_seconds",
    "histogram",
    "From a Job's or pod's change to the start of the pass that saw it.",
    buckets=_FAST,
)
DRAW_SECONDS = Family(
    "kubetune_draw_duration_seconds",
    "histogram",
    "How long a draw of new trials took, storing them included.",
    buckets=_FAST,
)
QUEUE_SECONDS = Family(
    "kubetune_queue_duration_seconds",
    "histogram",
    "From a Job's creation to the start of its trial: queue, scheduling and image.",
    buckets=(
        1.0,
        2.0,
        5.0,
        10.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        1800.0,
        3600.0,
        14400.0,
        86400.0,
    ),
)
LAUNCHES = Family("kubetune_launches_total", "counter", "Jobs that the API server accepted.")
API_REQUESTS = Family(
    "kubetune_api_requests_total",
    "counter",
    "Requests to the API server; code is 0 when no answer came.",
    ("verb", "resource", "code"),
)
API_SECONDS = Family(
    "kubetune_api_request_duration_seconds",
    "histogram",
    "How long requests to the API server took.",
    ("verb", "resource"),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)

FAMILIES = tuple(value for value in globals().copy().values() if isinstance(value, Family))
