"""The trials that a running one is compared with, and what they stood at."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from kubetune.domain import curves, ranking
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState


class Field:
    """Everyone in a comparison, the judged trial included. Each answer is worked out once.

    Peers that ended Infeasible do not count: a trial must not be cut for being worse than one that
    broke a limit. Finalists and held-out runs are no peers of a search.
    """

    def __init__(self, spec: StudySpec, trials: Iterable[Trial]) -> None:
        self.trials = tuple(
            trial
            for trial in trials
            if trial.state is not TrialState.INFEASIBLE and trial.stage is Stage.SEARCH
        )
        self.complete = tuple(trial for trial in self.trials if trial.state is TrialState.COMPLETE)
        self._spec = spec
        self._ranked: dict[tuple[float, int], list[float]] = {}
        self._during: dict[float, list[float]] = {}

    @cached_property
    def leader(self) -> Trial | None:
        """The best trial."""
        return ranking.best(self._spec, self.complete)

    def ranked_at(
        self, step: float, bracket: int = 0, bracket_of: Callable[[int], int] | None = None
    ) -> Sequence[float]:
        """The finite values of all who have reached `step`, best first; of one bracket alone."""
        key = step, bracket
        if key not in self._ranked:
            self._ranked[key] = self._ranked_at(step, bracket, bracket_of)
        return self._ranked[key]

    def ordered_during(self, step: float) -> Sequence[float]:
        """The finite values that complete trials had while at `step`, ascending."""
        if step not in self._during:
            metric = self._spec.objective.metric
            values = (curves.value_during(one.curve, metric, step) for one in self.complete)
            self._during[step] = sorted(
                value for value in values if value is not None and math.isfinite(value)
            )
        return self._during[step]

    def _ranked_at(
        self, step: float, bracket: int, bracket_of: Callable[[int], int] | None
    ) -> list[float]:
        objective = self._spec.objective
        values = [
            curves.value_at(trial.curve, objective, step)
            for trial in self.trials
            if trial.curve
            and trial.curve[-1].step >= step
            and (bracket_of is None or bracket_of(trial.number) == bracket)
        ]
        found = [value for value in values if value is not None and math.isfinite(value)]
        found.sort(reverse=objective.direction is Direction.MAXIMIZE)
        return found
