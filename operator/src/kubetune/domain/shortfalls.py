"""What the finals of a study did not show, and why: nobody should look for it in vain."""

from collections import Counter
from collections.abc import Iterator

from kubetune.domain.finalists import Finals
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import TrialState

_SHOWN = 3
"""At most so many trials, or constraints, are named."""


def sentence(spec: StudySpec, finals: Finals, *, ended: bool) -> str:
    """What is missing of the finals of a search that is over; empty where all is there.

    `ended`: nothing more is launched.
    """
    return "; ".join(_told(spec, finals, ended=ended))


def _told(spec: StudySpec, finals: Finals, *, ended: bool) -> Iterator[str]:
    wanted = spec.finalists
    if wanted is None:
        return
    if finals.passed_over:
        yield _passed_over(finals)
    if ended and not finals.over:
        made = sum(len(each.values) + each.failed for each in finals.finalists)
        yield f"the finals are not over: {made} of {_runs(spec, finals)} runs have ended"
    elif ended and finals.finalists and finals.winner is None:
        yield "no run of the finals is Complete, so nobody has won them"
    yield from _held_out(spec, finals)


def _runs(spec: StudySpec, finals: Finals) -> int:
    assert spec.finalists
    return len(finals.finalists) * len(spec.finalists.seeds)


def _passed_over(finals: Finals) -> str:
    """Who is no finalist, and by which rule."""
    numbers = [str(number) for number in finals.passed_over]
    rules = Counter(name for names in finals.passed_over.values() for name in names)
    named = ", ".join(name for name, _ in rules.most_common(_SHOWN))
    count = len(numbers)
    shown = ", ".join(numbers[:_SHOWN]) + (f" and {count - _SHOWN} more" if count > _SHOWN else "")
    who = f"trial {shown} is" if count == 1 else f"trials {shown} are"
    text = f"{who} passed over: with finalists.fixed {named} would be broken"
    return text if finals.finalists else f"no finals are held: {text}"


def _held_out(spec: StudySpec, finals: Finals) -> Iterator[str]:
    """Held-out data that showed nothing, or were opened for somebody else."""
    assert spec.finalists
    metric, run, opened = spec.finalists.held_out_metric, finals.held_out, finals.opened
    if run and run.outcome and run.state is not TrialState.COMPLETE:
        why = run.outcome.reason.value or run.state.value
        yield f"trial {run.number} was to show {metric} on held-out data and is {why}"
    if opened and finals.winner and finals.winner.trial.number != opened.repeats:
        yield (
            f"the held-out data were opened for trial {opened.repeats}, which led before, and are"
            f" not opened again for trial {finals.winner.trial.number}"
        )
