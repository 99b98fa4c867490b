"""Which checkpoints are given up."""

from dataclasses import replace
from typing import Any

import pytest

from kubetune.domain.actions import DropCheckpoint
from kubetune.domain.planner import plan
from kubetune.domain.study import Direction, Finalists, Keep, Objective, TrialPolicy
from kubetune.domain.trial import Stage, Trial
from tests.builders import (
    ACCURACY,
    make_observation,
    make_outcome,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import planned


class TestCheckpoints:
    TRIALS = (make_trial(0, value=0.5), make_trial(1, value=0.9), make_trial(2))
    EVERY = frozenset({0, 1, 2})

    def dropped(self, keep: Keep | None, *trials: Trial, **changes: Any) -> list[int]:
        spec = make_study(keep_checkpoints=keep)
        seen = make_observation(*trials, spec=spec, checkpoints=self.EVERY, **changes)
        actions = plan(replace(seen, interrupted=True)).actions
        return [action.number for action in actions if isinstance(action, DropCheckpoint)]

    def test_only_the_best_and_those_still_needed_are_kept(self) -> None:
        """An ended trial that is not the best so far gives its disk space back."""
        assert self.dropped(Keep.BEST, *self.TRIALS) == [0]

    @pytest.mark.parametrize("keep", [None, Keep.ALL])
    def test_nothing_is_dropped_unless_asked(self, keep: Keep | None) -> None:
        """All of them, or nothing said: all stay."""
        assert self.dropped(keep, *self.TRIALS) == []

    def test_with_several_objectives_the_whole_front_is_kept(self) -> None:
        """However long it is: a status shows 20 of it, the disk keeps them all."""
        loss = Objective(metric="loss", direction=Direction.MINIMIZE)
        spec = make_study(keep_checkpoints=Keep.BEST, objectives=(ACCURACY, loss))
        front = [
            make_trial(number, outcome=make_outcome(values=(number / 10, number / 10)))
            for number in range(30)
        ]
        beaten = make_trial(30, outcome=make_outcome(values=(0.0, 9.0)))
        every = frozenset(range(31))
        seen = make_observation(*front, beaten, spec=spec, checkpoints=every, interrupted=True)
        assert planned(seen, DropCheckpoint) == [DropCheckpoint(30)]
        assert len(plan(seen).status.pareto_front) == 20

    def test_a_trial_whose_run_is_there_keeps_its_own(self) -> None:
        """Its processes may still write."""
        runs = (make_run(0, stopping=True),)
        assert self.dropped(Keep.BEST, *self.TRIALS, runs=runs) == []

    @pytest.mark.parametrize(
        ("keep", "dropped"), [(Keep.BEST, [0, 3, 4]), (Keep.FINALISTS, [0]), (Keep.ALL, [])]
    )
    def test_after_the_finals_the_winner_is_the_best(self, keep: Keep, dropped: list[int]) -> None:
        """With its held-out run; the other runs stay where finalists are to be kept."""
        spec = make_study(
            keep_checkpoints=keep,
            trials=TrialPolicy(max=2),
            finalists=Finalists(top=1, seeds=(1, 2), held_out_metric="accuracy"),
        )
        runs = [
            make_trial(2 + seed, value=0.7, stage=Stage.FINALIST, repeats=1, seed=seed)
            for seed in (1, 2)
        ]
        last = make_trial(5, value=0.7, stage=Stage.HELD_OUT, repeats=1, seed=1)
        seen = make_observation(
            *self.TRIALS[:2], *runs, last, spec=spec, checkpoints=frozenset(range(6)) - {2}
        )
        actions = plan(seen).actions
        assert [each.number for each in actions if isinstance(each, DropCheckpoint)] == dropped

    @pytest.mark.parametrize(("keep", "dropped"), [(Keep.BEST, [1, 3]), (Keep.FINALISTS, [])])
    def test_a_study_that_goes_on_after_its_finals_keeps_what_won(
        self, keep: Keep, dropped: list[int]
    ) -> None:
        """More trials were asked for: until they have ended nobody has won."""
        spec = make_study(
            keep_checkpoints=keep,
            trials=TrialPolicy(max=3),
            finalists=Finalists(top=1, seeds=(1,), held_out_metric="accuracy"),
        )
        first = make_trial(3, value=0.7, stage=Stage.FINALIST, repeats=1, seed=1)
        last = make_trial(4, value=0.7, stage=Stage.HELD_OUT, repeats=1, seed=1)
        better = make_trial(5, value=0.95)
        going = make_trial(6)
        trials = (make_trial(1, value=0.9), going, first, last, better)
        seen = make_observation(
            *trials, spec=spec, checkpoints=frozenset({1, 3, 4, 5, 6}), interrupted=True
        )
        assert [each.number for each in planned(seen, DropCheckpoint)] == dropped
