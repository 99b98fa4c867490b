"""A plan in the making: what was seen, as it will be once the actions so far are done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kubetune.domain import ranking, sentences, transitions
from kubetune.domain.actions import Action, RecordPoints, RetryTrial, TellResult
from kubetune.domain.course import Place
from kubetune.domain.end import End
from kubetune.domain.events import Event
from kubetune.domain.finalists import Finals
from kubetune.domain.observation import Observation
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Run, RunState
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Outcome, Point, Trial, TrialState
from kubetune.domain.values import Assignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Folded through the steps of a pass; every method gives a new draft.

    `trials` by number; `runs` holds the run of each Running trial's present attempt, by number.
    `before` holds the trials as they were seen, `fresh` the points that this pass saw first.
    `awaited` says of ended runs, by uid, for how many seconds more their last values may come.
    `best` and `baseline` are kept up to date with every trial told: at thousands of trials a pass
    ranks them once. `place` is where the study stands in its course, known once results were told;
    `search_end` is set once its search has ended, `end` once nothing is left to do: between
    them lie the `finals`.
    """

    seen: Observation
    trials: Mapping[int, Trial]
    runs: Mapping[int, Run]
    before: Mapping[int, Trial]
    best: Trial | None = None
    baseline: Trial | None = None
    fresh: Mapping[int, tuple[Point, ...]] = field(default_factory=dict)
    awaited: Mapping[str, float] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    place: Place | None = None
    search_end: End | None = None
    finals: Finals = field(default_factory=Finals)
    end: End | None = None

    @property
    def spec(self) -> StudySpec:
        """The study."""
        return self.seen.spec

    @property
    def paused(self) -> bool:
        """Whether trials are to be stopped for now, without a result."""
        return self.spec.suspend or self.seen.interrupted

    @property
    def limit(self) -> int:
        """How many runs may be alive at once."""
        capacity = self.seen.capacity
        wanted = self.spec.trials.parallelism
        return wanted if capacity is None else min(wanted, capacity)

    def running(self) -> tuple[Trial, ...]:
        """Trials without a result, lowest number first."""
        found = (trial for trial in self.trials.values() if trial.state is TrialState.RUNNING)
        return tuple(sorted(found, key=lambda trial: trial.number))

    def add(self, *actions: Action, event: Event | None = None) -> "Draft":
        """With more to do, and perhaps something to say about it."""
        events = self.events if event is None else (*self.events, event)
        return replace(self, actions=self.actions + actions, events=events)

    def record(self, trial: Trial, points: tuple[Point, ...]) -> "Draft":
        """With new points in a trial's curve."""
        if not points:
            return self
        longer = transitions.extended(trial, points)
        return replace(
            self.add(RecordPoints(trial.number, points)),
            trials={**self.trials, trial.number: longer},
            fresh={**self.fresh, trial.number: self.fresh.get(trial.number, ()) + points},
        )

    def tell(self, trial: Trial, outcome: Outcome, ended_at: float) -> "Draft":
        """With a trial's end, and the sentence that says how it stands among the others."""
        run = self.runs.get(trial.number)
        started_at = trial.started_at
        if started_at is None and run is not None:
            started_at = run.started_at
        ended = transitions.ended(trial, outcome, started_at, ended_at)
        event = sentences.ended(self.spec, ended, best=self.best, baseline=self.baseline)
        contenders = (ended,) if self.best is None else (self.best, ended)
        return replace(
            self.add(TellResult(trial.number, outcome, started_at, ended_at), event=event),
            trials={**self.trials, trial.number: ended},
            best=ranking.best(self.spec, contenders),
            baseline=ended if ended.baseline else self.baseline,
        )

    def retry(
        self, trial: Trial, reason: TrialReason, parameters: Assignment, event: Event
    ) -> "Draft":
        """With a trial at its next attempt, which has no run yet."""
        run = self.runs[trial.number]
        attempt = trial.attempt + 1
        moved = transitions.retried(trial, attempt, reason, parameters)
        action = RetryTrial(trial.number, attempt, reason, parameters, run.started_at)
        others = {number: other for number, other in self.runs.items() if number != trial.number}
        return replace(
            self.add(action, event=event),
            trials={**self.trials, trial.number: moved},
            runs=others,
        )


def begin(seen: Observation) -> Draft:
    """The draft of a pass that has decided nothing yet.

    A trial in its first attempt has the start of its run, which is stored with its end: what it
    uses meanwhile counts too.
    """
    trials = {trial.number: trial for trial in seen.trials}
    runs: dict[int, Run] = {}
    for run in sorted(seen.runs, key=_precedence):
        trial = trials.get(run.number)
        if trial and trial.state is TrialState.RUNNING and trial.attempt == run.attempt:
            runs.setdefault(run.number, run)
    for number, run in runs.items():
        if run.started_at is not None:
            trials[number] = transitions.started(trials[number], run.started_at)
    return Draft(
        seen=seen,
        trials=trials,
        runs=runs,
        before=trials,
        best=ranking.best(seen.spec, seen.trials),
        baseline=next((trial for trial in seen.trials if trial.baseline), None),
    )


def _precedence(run: Run) -> tuple[bool, float, str]:
    """Of two runs of one attempt the ended one counts, then the earlier."""
    started = float("inf") if run.started_at is None else run.started_at
    return (run.state is not RunState.ENDED, started, run.uid)
