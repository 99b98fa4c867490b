"""Every reason that a trial, a study, a condition or an event can carry. Declared here alone."""

from enum import StrEnum


class TrialReason(StrEnum):
    """Why a trial ended as it did; empty for a plain completion."""

    NONE = ""
    PRUNED = "Pruned"  # the pruner's rung, median, percentile ... verdict
    PATIENCE_EXHAUSTED = "PatienceExhausted"  # its own curve stopped improving
    GUARD_TRIPPED = "GuardTripped"
    DIVERGED = "Diverged"  # a non-finite objective
    GRADIENT_EXPLOSION = "GradientExplosion"
    OUT_OF_MEMORY = "OutOfMemory"
    TIMED_OUT = "TimedOut"
    CRASHED = "Crashed"
    DISRUPTED = "Disrupted"  # killed from outside: node, preemption, kill -9
    BAD_CONFIGURATION = "BadConfiguration"  # exit code 64: never retried
    METRICS_MISSING = "MetricsMissing"
    BAD_REPORT = "BadReport"  # the result was not what the trial contract says
    OUTCOME_CONSTRAINT_BROKEN = "OutcomeConstraintBroken"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    UNSCHEDULABLE = "Unschedulable"
    LAUNCH_FAILED = "LaunchFailed"  # the command does not exist, no permission ...
    CANCELLED = "Cancelled"  # the study ended while it ran
    SUSPENDED = "Suspended"  # stopped with its study: it goes on later, and nothing is counted
    IMPORTED = "Imported"  # an initial trial with known metrics


class StudyReason(StrEnum):
    """Why a study stands where it stands: reasons of its conditions."""

    RUNNING = "Running"
    SUSPENDED = "Suspended"
    INTERRUPTED = "Interrupted"  # a local run stopped by its user; resumes
    TARGET_REACHED = "TargetReached"
    TRIALS_EXHAUSTED = "TrialsExhausted"
    SPACE_EXHAUSTED = "SpaceExhausted"
    PLATEAU_REACHED = "PlateauReached"
    BUDGET_EXHAUSTED = "BudgetExhausted"
    GATE_FAILED = "GateFailed"
    TOO_MANY_FAILURES = "TooManyFailures"
    NO_SUCCESSFUL_TRIAL = "NoSuccessfulTrial"
    INVALID_SPEC = "InvalidSpec"
    STORAGE_UNREACHABLE = "StorageUnreachable"
    METRICS_UNREACHABLE = "MetricsUnreachable"
    AS_EXPECTED = "AsExpected"


class EventReason(StrEnum):
    """What happened, for logs and Kubernetes events."""

    TRIAL_LAUNCHED = "TrialLaunched"
    TRIAL_COMPLETED = "TrialCompleted"
    TRIAL_PRUNED = "TrialPruned"
    TRIAL_FAILED = "TrialFailed"
    TRIAL_INFEASIBLE = "TrialInfeasible"
    TRIAL_RETRIED = "TrialRetried"
    TRIAL_STOPPED = "TrialStopped"
    DRAW_REJECTED = "DrawRejected"
    PHASE_ADVANCED = "PhaseAdvanced"
    PHASE_SKIPPED = "PhaseSkipped"
    GATE_FAILED = "GateFailed"
    STUDY_SUCCEEDED = "StudySucceeded"
    STUDY_FAILED = "StudyFailed"
    STUDY_SUSPENDED = "StudySuspended"
    INVALID_SPEC = "InvalidSpec"
    RESULTS_NOT_WRITTEN = "ResultsNotWritten"  # the ConfigMap; the study goes on all the same
