"""A bounded projection of a study for people and tools; never read back as truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kubetune.domain.course import Place
from kubetune.domain.end import End
from kubetune.domain.finalists import Finals
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.trial import Trial, TrialState
from kubetune.domain.usage import Usage
from kubetune.domain.words import Word


class ConditionType(Word):
    """What a condition speaks of; `means` is what it says when it is True."""

    VALID = (
        "Valid",
        "the study can be run as written",
        "False: the message has every fault, and the API server's words about the pod",
    )
    STORAGE_REACHABLE = (
        "StorageReachable",
        "the database answers, and is the one that the study began with",
        "False: nothing is launched, trials go on, and their results are recorded once it is back",
    )
    METRICS_REACHABLE = (
        "MetricsReachable",
        "live values can be read",
        "False: nothing is pruned, and no guard over a metric holds; results still arrive",
    )
    PROGRESSING = (
        "Progressing",
        "the study goes on; the message says where it stands",
        "False: the reason says whether it has ended, is suspended, or lacks something",
    )
    SUSPENDED = "Suspended", "its trials were stopped with a checkpoint, and none is launched"
    SUCCEEDED = (
        "Succeeded",
        "it has ended with a result",
        "False: it has ended without one; Unknown: it goes on",
    )


class Truth(StrEnum):
    """The three answers of a Kubernetes condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Wait(StrEnum):
    """What an active trial waits for, beside the reasons that it may fail with if it goes on."""

    QUEUED = "Queued"
    NOT_LAUNCHED = "NotLaunched"
    STARTING = "Starting"


STUCK = (TrialReason.UNSCHEDULABLE, TrialReason.IMAGE_PULL_FAILED, TrialReason.LAUNCH_FAILED)
"""The reasons that a trial fails with when it waits too long to start."""


class Evidence(StrEnum):
    """What the best trial rests on: one run of the search, several seeds, held-out data too."""

    SEARCH = "Search"
    FINALISTS = "Finalists"
    HELD_OUT = "HeldOut"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; the sink adds times and generation."""

    type: ConditionType
    status: Truth
    reason: StudyReason
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Trials by state. `active` run or wait to run; `rejected` draws by constraint."""

    total: int = 0
    active: int = 0
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    infeasible: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """What stands in `status`, and what the live table shows.

    `best` is None without a feasible finished trial; with several objectives it is None and
    `pareto_front` holds up to 20 trials. `improvement` is relative to the baseline's value,
    positive when better. `outcomes` counts the study's own classes. `ended` is final; `end` says
    why, without the rest of `message`.
    `place` is where the study stands in its course, `current_phase` its name for people: a phase,
    `finalists`, `heldout`, or nothing once it has ended. `finals` are empty without finalists; once
    they have a winner it is the `best`, whatever the search saw. `gpu_hours` are those of ended
    trials, None where trials hold no GPU.
    `top` are the best trials of the search, the best first; `ends` counts ended trials by state and
    reason. `usage` is what changes with time alone.
    `progress` (0..1) is what active trials say of their length, `waiting` in words why some of
    them do not start, both by number. `waits` counts all that do not start by what they wait for: a
    `Wait`, or the reason that they fail with if it goes on.
    """

    phase: str
    conditions: tuple[Condition, ...]
    counts: Counts
    best: Trial | None = None
    baseline: Trial | None = None
    improvement: float | None = None
    pareto_front: tuple[Trial, ...] = ()
    top: tuple[Trial, ...] = ()
    active: tuple[Trial, ...] = ()
    progress: Mapping[int, float] = field(default_factory=dict)
    waiting: Mapping[int, str] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    recent: tuple[Trial, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[tuple[TrialState, TrialReason], int] = field(default_factory=dict)
    place: Place | None = None
    current_phase: str = ""
    finals: Finals = field(default_factory=Finals)
    gpu_hours: float | None = None
    usage: Usage = field(default_factory=Usage)
    ended: bool = False
    end: End | None = None
    reason: StudyReason = StudyReason.RUNNING
    message: str = ""
