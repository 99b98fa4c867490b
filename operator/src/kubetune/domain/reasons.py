"""Every reason that a trial, a study, a condition or an event can carry. Declared here alone."""

from kubetune.domain.words import Word


class TrialReason(Word):
    """Why a trial ended as it did; empty for a plain completion."""

    NONE = "", "the trial did what it was to do"
    PRUNED = "Pruned", "the pruner compared its curve with others', and it was not worth going on"
    PATIENCE_EXHAUSTED = (
        "PatienceExhausted",
        "its own curve stopped improving: `pruner.patience`",
    )
    GUARD_TRIPPED = (
        "GuardTripped",
        "a guard's `when` held; the message names the guard",
        "where good trials trip it, loosen it: guards may be changed while the study runs",
    )
    DIVERGED = (
        "Diverged",
        "the objective became NaN or infinite",
        "where it is common, lower the highest learning rate",
    )
    GRADIENT_EXPLOSION = (
        "GradientExplosion",
        "the trainer found gradients that are not finite, or far too large",
        "lower the highest rate, warm up for longer, or clip gradients",
    )
    OUT_OF_MEMORY = (
        "OutOfMemory",
        "memory of the GPU or of the container ran out, at every size that was tried",
        "say with `trials.onOutOfMemory` what is to be made smaller, or forbid what does not fit",
    )
    TIMED_OUT = (
        "TimedOut",
        "it ran longer than `trials.timeoutSeconds`",
        "raise the limit, or constrain what makes trials long",
    )
    CRASHED = (
        "Crashed",
        "its program ended with an error; the message has the exit code and last words",
        "for more words `terminationMessagePolicy: FallbackToLogsOnError` in the container",
    )
    DISRUPTED = (
        "Disrupted",
        "a node, a preemption or a kill ended it, more often than `trials.retries` allows",
        "raise that number, keep checkpoints so that attempts go on, or take nodes that stay",
    )
    BAD_CONFIGURATION = (
        "BadConfiguration",
        "the trainer refused its parameters with exit code 64; it is never tried again",
        "forbid the combination with a constraint, or correct the template's arguments",
    )
    METRICS_MISSING = (
        "MetricsMissing",
        "it ended well and no value of the objective was found",
        "write the objective's metric into the result, or name a query for it",
    )
    BAD_REPORT = (
        "BadReport",
        "its result was not what the trial contract says; the message has what is wrong",
        "correct what the trainer writes to its termination log",
    )
    OUTCOME_CONSTRAINT_BROKEN = (
        "OutcomeConstraintBroken",
        "a measured value broke one of `outcomeConstraints`; the sampler learns it",
    )
    IMAGE_PULL_FAILED = (
        "ImagePullFailed",
        "for `trials.pendingTimeoutSeconds` no node could pull its image",
        "correct the image's name, or give the pod the registry's `imagePullSecrets`",
    )
    UNSCHEDULABLE = (
        "Unschedulable",
        "for `trials.pendingTimeoutSeconds` no node had room for it; a queue's wait does not count",
        "ask for what nodes have, lower `trials.parallelism`, or let trials wait longer",
    )
    LAUNCH_FAILED = (
        "LaunchFailed",
        "it could not be started: no such command, no such Secret or claim, a policy",
        "the message has the words of whoever refused; correct `trialTemplate`",
    )
    CANCELLED = "Cancelled", "the study ended, or was deleted, while it ran"
    SUSPENDED = (
        "Suspended",
        "an attempt was stopped with its study; the trial goes on later and nothing is counted",
    )
    IMPORTED = "Imported", "an initial trial whose metrics the manifest gives; it was not run"


class StudyReason(Word):
    """Why a study stands where it stands: reasons of its conditions."""

    RUNNING = "Running", "it goes on"
    SUSPENDED = (
        "Suspended",
        "`spec.suspend` is true: its trials were stopped with a checkpoint",
        "set it to false to go on",
    )
    INTERRUPTED = (
        "Interrupted",
        "a local run was stopped by its user",
        "the same command goes on",
    )
    TARGET_REACHED = "TargetReached", "a trial reached the objective's `target`"
    TRIALS_EXHAUSTED = (
        "TrialsExhausted",
        "every trial of `trials.max`, or of all phases, has ended",
        "for more, raise `trials.max` or append a phase",
    )
    SPACE_EXHAUSTED = (
        "SpaceExhausted",
        "the space holds no further trial",
        "for more, make another study with finer steps or wider ranges",
    )
    PLATEAU_REACHED = (
        "PlateauReached",
        "the last trials brought less than `stopping.plateau` asks for",
    )
    BUDGET_EXHAUSTED = (
        "BudgetExhausted",
        "a budget of `stopping.budget` is used up, or holds no further trial",
        "for more, raise it",
    )
    GATE_FAILED = (
        "GateFailed",
        "a phase did not show what its gate requires, and the gate says Stop",
        "see what its trials show; another study may begin with them: `warmStart`",
    )
    TOO_MANY_FAILURES = (
        "TooManyFailures",
        "more trials failed than `trials.maxFailed` allows",
        "see the reasons of those trials; once they are dealt with, raise the number to go on",
    )
    NO_SUCCESSFUL_TRIAL = (
        "NoSuccessfulTrial",
        "every trial has ended, and none of them is Complete",
        "see the reasons of those trials",
    )
    INVALID_SPEC = (
        "InvalidSpec",
        "it cannot be run as written; the message of `Valid` has every fault",
        "apply a corrected manifest; nothing has to be deleted",
    )
    STORAGE_UNREACHABLE = (
        "StorageUnreachable",
        "the database does not answer, or is not the one that the study began with",
        "bring it back; trials that run go on, and are recorded then",
    )
    METRICS_UNREACHABLE = (
        "MetricsUnreachable",
        "live values cannot be read: nothing is pruned, results still arrive",
        "see that the operator's `--prometheus` answers it",
    )
    AS_EXPECTED = "AsExpected", "it is as it should be"


class EventReason(Word):
    """What happened, for logs and Kubernetes events."""

    TRIAL_LAUNCHED = "TrialLaunched", "a trial's attempt has a Job, or a process"
    TRIAL_COMPLETED = "TrialCompleted", "a trial is Complete"
    TRIAL_PRUNED = "TrialPruned", "a trial was ended early, as not worth going on"
    TRIAL_FAILED = "TrialFailed", "a trial failed, for the reason in the message"
    TRIAL_INFEASIBLE = "TrialInfeasible", "a trial broke an outcome constraint"
    TRIAL_RETRIED = "TrialRetried", "a trial has another attempt, for the reason in the message"
    TRIAL_STOPPED = "TrialStopped", "a trial was stopped, with its study or because that ended"
    DRAW_REJECTED = (
        "DrawRejected",
        "a constraint turned draws down before a trial was found",
    )
    PHASE_ADVANCED = "PhaseAdvanced", "a phase has ended, and the next one begins"
    PHASE_SKIPPED = "PhaseSkipped", "a phase's `when` did not hold"
    GATE_FAILED = "GateFailed", "a phase did not show what its gate requires"
    STUDY_SUCCEEDED = "StudySucceeded", "the study has ended with a result"
    STUDY_FAILED = "StudyFailed", "the study has ended without one"
    STUDY_SUSPENDED = "StudySuspended", "the study has stopped its trials, and waits"
    INVALID_SPEC = "InvalidSpec", "the study cannot be run as written", "see its condition `Valid`"
    RESULTS_NOT_WRITTEN = (
        "ResultsNotWritten",
        "the ConfigMap with the results was refused; the study goes on all the same",
        "the event has the server's words; let the operator write ConfigMaps",
    )


FAULTLESS = frozenset(
    {
        TrialReason.NONE,
        TrialReason.DISRUPTED,
        TrialReason.CANCELLED,
        TrialReason.LAUNCH_FAILED,
        TrialReason.IMAGE_PULL_FAILED,
        TrialReason.UNSCHEDULABLE,
    }
)
"""Failures that say nothing of the configuration."""
