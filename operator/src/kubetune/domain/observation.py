"""Everything a plan may depend on, read once per pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubetune.domain.runs import Run
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Point, Trial


@dataclass(frozen=True, slots=True)
class Reading:
    """What one running trial shows now: its newest points and its progress (0..1)."""

    points: tuple[Point, ...] = ()
    progress: float = 0.0


@dataclass(frozen=True, slots=True)
class LastReading:
    """For how long an ended run's last values have been waited for, in seconds.

    `answered`: the metric source was asked since the end, and has answered.
    """

    seconds: float = 0.0
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The study, its trials, its runs and the time. Reads only; nothing here is guessed.

    `readings` maps trial number to what the metric source just read (already known points may
    repeat). `capacity` is how many runs the executor can hold at once, None for no limit, `at_once`
    how many of them it changes at the same time.
    `checkpoints` names the trials that have one.
    `interrupted`: the user asked a local run to stop; it acts like `suspend`.
    `exhausted`: the phases for which the sampler has no further trial to give.
    `classified` may hold what `classes.of` says of trials that have ended, by number: it never
    changes, and thousands of expressions need not be evaluated on every pass.
    `storage_trouble` is what the database's driver says while it is not reachable, and
    `metrics_trouble` what the source of live values does.
    `held` says why nothing can be launched just now, empty when it can.
    `metrics_lag_seconds` is how long after a run's end its values may still arrive, 0 when nothing
    can; `last_readings` says by uid of ended runs how that stands.
    """

    spec: StudySpec
    trials: tuple[Trial, ...]
    runs: tuple[Run, ...]
    now: float
    readings: Mapping[int, Reading] = field(default_factory=dict)
    capacity: int | None = None
    at_once: int = 1
    checkpoints: frozenset[int] = frozenset()
    interrupted: bool = False
    exhausted: frozenset[str] = frozenset()
    classified: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    storage_reachable: bool = True
    storage_trouble: str = ""
    metrics_reachable: bool = True
    metrics_trouble: str = ""
    held: str = ""
    metrics_lag_seconds: float = 0.0
    last_readings: Mapping[str, LastReading] = field(default_factory=dict)
