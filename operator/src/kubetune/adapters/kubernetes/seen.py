"""What a watch has shown of Jobs and pods: only what a run is made of, small enough to keep all.

Anybody who may create pods in a namespace can give them our labels, and a trial's own words stand
in its pod's status. So every field may be missing or of another kind; nothing here raises.
"""

from dataclasses import dataclass

from kubetune.adapters.kubernetes import names, plain
from kubetune.adapters.kubernetes.container import ContainerSeen, containers_of, trainer_of
from kubetune.adapters.kubernetes.plain import Object

WORDS_LIMIT = 500
"""Characters kept of a sentence of the scheduler's, the kubelet's or the Job controller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeen:
    """A Job. Times are Unix seconds, None when they are not there.

    `owner_uid` is the study that controls it, `study_uid` what its label claims. `number` and
    `attempt` are None when the labels hold no numbers. `released`: it is suspended no more, and the
    Job controller has not seen that yet; `resumed`: it has.
    `over` is "Complete" or "Failed" once it is one of them, with the reason and words of that.
    """

    uid: str
    name: str
    namespace: str
    study_uid: str
    owner_uid: str
    number: int | None
    attempt: int | None
    created_at: float | None
    started_at: float | None
    deleted_at: float | None
    suspended: bool
    released: bool
    resumed: bool
    over: str
    over_at: float | None
    reason: str
    message: str

    @classmethod
    def of(cls, body: Object) -> "JobSeen":
        """What there is to know of this object; of whatever kind it is."""
        over = next((each for each in ("Complete", "Failed") if plain.holds(body, each)), "")
        ended = plain.condition(body, over)
        suspended = plain.at(body, "spec", "suspend") is True
        paused = plain.condition(body, "Suspended")
        return cls(
            uid=plain.text(body, "metadata", "uid"),
            name=plain.text(body, "metadata", "name"),
            namespace=plain.text(body, "metadata", "namespace"),
            study_uid=plain.text(body, "metadata", "labels", names.STUDY_UID),
            owner_uid=plain.text(plain.controller(body), "uid"),
            number=plain.numeral(body, "metadata", "labels", names.TRIAL),
            attempt=plain.numeral(body, "metadata", "labels", names.ATTEMPT),
            created_at=plain.seconds(body, "metadata", "creationTimestamp"),
            started_at=plain.seconds(body, "status", "startTime"),
            deleted_at=plain.seconds(body, "metadata", "deletionTimestamp"),
            suspended=suspended,
            released=not suspended and paused.get("status") == "True",
            resumed=paused.get("status") == "False",
            over=over,
            over_at=plain.seconds(ended, "lastTransitionTime"),
            reason=plain.text(ended, "reason"),
            message=plain.text(ended, "message")[:WORDS_LIMIT],
        )

    def is_of(self, namespace: str, study: str, uid: str) -> bool:
        """Whether it is an attempt of this study: owned by it, beside it, and named by it.

        An owner, too, anybody can name; the name that an attempt's Job has is there only once.
        """
        if self.number is None or self.attempt is None or self.owner_uid != uid:
            return False
        name = names.job_name(study, uid, self.number, self.attempt)
        return (self.namespace, self.name) == (namespace, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """A pod of a trial. Times are Unix seconds, None when they are not there.

    `job_uid` is the Job that controls it. `deleted_at` is when its deletion was asked for, `due_at`
    when its grace period is over. `unscheduled` is the scheduler's reason for not placing it, empty
    once it is placed. `disrupted_at` is set by a DisruptionTarget condition. `reason` and `message`
    are the pod's own (`Evicted`, `DeadlineExceeded` ...). `others` are its other containers that
    wait or have ended with an error.
    """

    uid: str
    name: str
    namespace: str
    study_uid: str
    job_uid: str
    number: int | None
    attempt: int | None
    node: str
    phase: str
    reason: str
    message: str
    created_at: float | None
    started_at: float | None
    deleted_at: float | None
    due_at: float | None
    deadline_seconds: int | None
    unscheduled: str
    unscheduled_at: float | None
    unscheduled_message: str
    disrupted: bool
    disrupted_at: float | None
    trainer: ContainerSeen
    others: tuple[ContainerSeen, ...]

    @classmethod
    def of(cls, body: Object) -> "PodSeen":
        """What there is to know of this object; of whatever kind it is."""
        placed = plain.condition(body, "PodScheduled")
        waits = placed.get("status") == "False"
        disrupted = plain.holds(body, "DisruptionTarget")
        disruption = plain.condition(body, "DisruptionTarget")
        due_at = plain.seconds(body, "metadata", "deletionTimestamp")
        owner = plain.controller(body)
        grace = plain.whole(body, "metadata", "deletionGracePeriodSeconds") or 0
        return cls(
            uid=plain.text(body, "metadata", "uid"),
            name=plain.text(body, "metadata", "name"),
            namespace=plain.text(body, "metadata", "namespace"),
            study_uid=plain.text(body, "metadata", "labels", names.STUDY_UID),
            job_uid=plain.text(owner, "uid") if owner.get("kind") == "Job" else "",
            number=plain.numeral(body, "metadata", "labels", names.TRIAL),
            attempt=plain.numeral(body, "metadata", "labels", names.ATTEMPT),
            node=plain.text(body, "spec", "nodeName"),
            phase=plain.text(body, "status", "phase"),
            reason=plain.text(body, "status", "reason"),
            message=plain.text(body, "status", "message")[:WORDS_LIMIT],
            created_at=plain.seconds(body, "metadata", "creationTimestamp"),
            started_at=plain.seconds(body, "status", "startTime"),
            deleted_at=None if due_at is None else due_at - grace,
            due_at=due_at,
            deadline_seconds=plain.whole(body, "spec", "activeDeadlineSeconds"),
            unscheduled=plain.text(placed, "reason") if waits else "",
            unscheduled_at=plain.seconds(placed, "lastTransitionTime") if waits else None,
            unscheduled_message=plain.text(placed, "message")[:WORDS_LIMIT] if waits else "",
            disrupted=disrupted,
            disrupted_at=plain.seconds(disruption, "lastTransitionTime") if disrupted else None,
            trainer=trainer_of(body),
            others=containers_of(body),
        )
