"""SlowConvergence."""

from dataclasses import replace

import pytest

from kubetune.domain.marks import Mark, mark
from kubetune.domain.study import Direction, Objective, Summary
from kubetune.domain.trial import Stage, Trial, TrialState
from tests.builders import make_outcome
from tests.unit.domain.marks import drawn

COUNT = 20
SLOW = [5.0 - 0.02 * step for step in range(COUNT)]


def peers(number: int = 5) -> list[Trial]:
    """Trials 1, 2 ... that come from about 5 to about 1."""
    ends = [1.0, 1.1, 0.9, 1.2, 0.8, 1.3, 1.0, 1.1]
    return [
        drawn.trial(index + 1, eval_loss=drawn.falling(COUNT, 5.0, ends[index], 0.3))
        for index in range(number)
    ]


def is_slow(trial: Trial, others: list[Trial], objective: Objective = drawn.LOSS) -> bool:
    """Whether trial 0 is marked so; no peer ever is."""
    found = mark(drawn.study(objective), [trial, *others])
    assert found.keys() <= {0}
    return [one.mark for one in found.get(0, ())] == [Mark.SLOW_CONVERGENCE]


def test_a_tenth_of_the_way() -> None:
    """The trial moved from 5.0 to 4.6 while its peers came to 1."""
    assert is_slow(drawn.trial(eval_loss=SLOW), peers())


def test_a_quarter_of_the_way_is_enough() -> None:
    """A little more than a quarter is not slow, a little less is."""
    for end, slow in ((3.9, False), (4.2, True)):
        course = [5.0 + (end - 5.0) * step / COUNT for step in range(1, COUNT + 1)]
        assert is_slow(drawn.trial(eval_loss=course), peers()) is slow


def test_the_untouched_model_is_where_training_began() -> None:
    """Of four evaluations the first is late; with step 0 before them the same trial is slow."""
    ends = [1.0, 1.1, 0.9, 1.2, 0.8]
    for first, untouched in ((5, []), (0, [5.0])):
        others = [
            drawn.trial(
                number,
                every=5,
                first=first,
                eval_loss=[*untouched, *drawn.falling(4, 5.0, end, 0.3)],
            )
            for number, end in enumerate(ends, start=1)
        ]
        own = drawn.trial(every=5, first=first, eval_loss=[*untouched, 4.9, 4.8, 4.7, 4.6])
        assert is_slow(own, others) is bool(untouched)


def test_four_finished_trials_are_needed() -> None:
    """Three have no usual course; running and failed ones, finalists and itself do not count."""
    trial = drawn.trial(eval_loss=SLOW)
    assert is_slow(trial, peers(4))
    assert not is_slow(trial, peers(3))
    others = peers(4)
    last = others.pop()
    for changes in (
        {"state": TrialState.RUNNING, "outcome": None},
        {"stage": Stage.FINALIST},
        {"state": TrialState.PRUNED, "outcome": make_outcome(None, state=TrialState.PRUNED)},
    ):
        assert not is_slow(trial, [*others, replace(last, **changes)])


def test_a_pruned_trial_is_compared_where_it_ended() -> None:
    """At its own last step, not at the peers' end; and not before a third of their course."""
    half = drawn.trial(eval_loss=SLOW[: COUNT // 2])
    assert is_slow(half, peers())
    assert is_slow(drawn.trial(eval_loss=SLOW[:8], first=0), peers())
    assert not is_slow(drawn.trial(eval_loss=SLOW[:6], first=0), peers())


def test_peers_must_have_come_so_far() -> None:
    """A trial that runs for longer than the others has nobody to be compared with."""
    assert not is_slow(drawn.trial(eval_loss=SLOW, every=2), peers())


def test_a_first_value_that_came_late_tells_no_start() -> None:
    """Who first reports after a fifth of the course may have come a long way before."""
    trial = drawn.trial(eval_loss=SLOW[:17], first=4)
    assert not is_slow(trial, peers())


def test_a_trial_that_was_fast_before_its_first_report() -> None:
    """It stands still at once, but where its peers come only late."""
    fast = [2.0 - 0.001 * step for step in range(COUNT)]
    assert not is_slow(drawn.trial(eval_loss=fast), peers())


def test_behind_where_the_others_began() -> None:
    """After its whole course it stands worse than they did at an eighth, whatever its own start."""
    behind = [8.0 - 0.125 * step for step in range(COUNT)]
    trial = drawn.trial(eval_loss=behind)
    assert is_slow(trial, peers())
    assert (
        "eval_loss stood at 5.625 at step 20, the median"
        in mark(drawn.study(), [trial, *peers()])[0][0].message
    )
    assert not is_slow(drawn.trial(eval_loss=[value - 1.5 for value in behind]), peers())


def test_a_configuration_that_ends_a_little_worse_is_not_behind() -> None:
    """Where all learn before their first report, ends differ as configurations do."""
    ends = (0.30, 0.36, 0.27, 0.33, 0.24)
    others = [
        drawn.trial(number + 1, eval_loss=drawn.falling(COUNT, end + 0.02, end, 0.2))
        for number, end in enumerate(ends)
    ]
    assert not is_slow(drawn.trial(eval_loss=drawn.falling(COUNT, 0.4, 0.38, 0.2)), others)


def test_a_maximised_objective() -> None:
    """Accuracy that hardly rises."""
    rising = [
        drawn.trial(number, eval_macro_f1=[1 - value for value in drawn.falling(20, 0.9, 0.1, 0.3)])
        for number in range(1, 6)
    ]
    trial = drawn.trial(eval_macro_f1=[0.1 + 0.002 * step for step in range(20)])
    assert is_slow(trial, rising, drawn.F1)


def test_an_objective_that_does_not_converge() -> None:
    """A duration is what it is from the first report on: nobody is on a way."""
    seconds = Objective(metric="inference_seconds", direction=Direction.MINIMIZE)
    others = [
        drawn.trial(number, inference_seconds=[1.0, 1.01, 0.99, 1.0] * 5) for number in range(1, 6)
    ]
    assert not is_slow(drawn.trial(inference_seconds=[2.0, 2.01, 1.99, 2.0] * 5), others, seconds)


@pytest.mark.parametrize("summary", list(Summary))
def test_both_summaries(summary: Summary) -> None:
    """Best and Last of a smooth curve are compared alike."""
    objective = Objective(metric="eval_loss", direction=Direction.MINIMIZE, summary=summary)
    assert is_slow(drawn.trial(eval_loss=SLOW), peers(), objective)


def test_a_diverged_trial_is_not_called_slow() -> None:
    """It did not go too slowly but the wrong way."""
    trial = drawn.trial(eval_loss=SLOW, gradient_explosions=[1.0])
    assert [one.mark for one in mark(drawn.study(), [trial, *peers()])[0]] == [
        Mark.GRADIENT_EXPLOSION
    ]


def test_of_many_peers_some_are_asked() -> None:
    """A study of thousands is not compared all with all; the verdict is the same."""
    many = [
        drawn.trial(number, eval_loss=drawn.falling(COUNT, 5.0, 1.0, 0.3))
        for number in range(1, 350)
    ]
    assert is_slow(drawn.trial(eval_loss=SLOW), many)
