"""What follows from a study's figures: one sentence of advice each, with the figures."""

import math
from collections.abc import Iterator, Mapping

from kubetune.domain import course
from kubetune.domain.marks import Mark
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.trial import TrialState
from kubetune.report import failures, top
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure

EDGE = 0.02
"""So close to an end of its range, as a share of it, a value is called at the edge."""

LOUD = 0.2
"""From this share of ended trials on, one reason for failing is worth advice."""

ENOUGH = 2
"""Complete trials wanted for each parameter before the best one is more than luck."""

_NEW_STUDY = (
    "A study that has trials keeps its parameters: write the changed ones into a manifest with a"
    " new name."
)

_CURES: Mapping[TrialReason, str] = {
    TrialReason.DIVERGED: "narrow the ranges that make training unstable, or forbid what does",
    TrialReason.GRADIENT_EXPLOSION: "lower the highest rate, or clip gradients",
    TrialReason.GUARD_TRIPPED: "a constraint that forbids such trials saves launching them",
    TrialReason.OUT_OF_MEMORY: "set `trials.onOutOfMemory`, or forbid what does not fit",
    TrialReason.TIMED_OUT: "raise `trials.timeoutSeconds`, or forbid what is that slow",
    TrialReason.CRASHED: "the program itself fails: read `trials/NUMBER/stdout.log`",
    TrialReason.BAD_CONFIGURATION: "the trainer refuses these values: leave them out of the space",
    TrialReason.METRICS_MISSING: "the trainer ends without reporting the objective",
    TrialReason.BAD_REPORT: "the trainer's result is not what the trial contract asks for",
    TrialReason.DISRUPTED: "raise `trials.retries.disruption`, or find what ends the trials",
    TrialReason.LAUNCH_FAILED: "check `command` and `args` of the trial template",
    TrialReason.OUTCOME_CONSTRAINT_BROKEN: "the limit is hard to keep in this space: move the "
    "ranges towards what keeps it",
}

_TREATMENTS: Mapping[Mark, str] = {
    Mark.DIVERGED: "lower the highest rate, or warm up for longer",
    Mark.GRADIENT_EXPLOSION: "lower the highest rate, warm up for longer, or clip gradients",
    Mark.OVERFITTING: "train for fewer steps, or search over what regularises",
    Mark.SLOW_CONVERGENCE: "leave out rates that are too low or far too high, or train for longer",
}


def advice(findings: Findings) -> tuple[str, ...]:
    """Every piece of advice that the figures support; empty when nothing stands out."""
    about_trials = (
        *_baseline(findings),
        *_failures(findings),
        *_modes(findings),
        *_overfitted(findings),
        *_budget(findings),
        *_few(findings),
        *_late(findings),
    )
    about_space = (*_edges(findings), *_agreed(findings))
    return (*about_trials, *about_space, *([_NEW_STUDY] if about_space else []))


def _baseline(findings: Findings) -> Iterator[str]:
    best, baseline = findings.best, findings.baseline
    if not findings.several and best and baseline and best.number == baseline.number:
        others = findings.counts.complete - 1
        yield (
            f"The baseline was not beaten by {count(others, 'other complete trial')}: search"
            " closer around it, or give the study more trials."
        )


def _failures(findings: Findings) -> Iterator[str]:
    ended = len(findings.ended)
    for group in failures.failures(findings):
        number = len(group.trials)
        if number < 2 or number < LOUD * ended:  # noqa: PLR2004 - one may be chance
            continue
        cure = _CURES.get(group.reason, "see the messages above")
        alike = _all_have(findings, group)
        yield f"{number} of {ended} trials ended {group.reason.value}{alike}: {cure}."


def _modes(findings: Findings) -> Iterator[str]:
    """Of trials that bear a mark though they ended for another reason, or none."""
    ended = len(findings.ended)
    for mode in failures.modes(findings):
        others = [
            trial
            for trial in mode.trials
            if trial.outcome and trial.outcome.reason.value != mode.mark.value
        ]
        number = len(others)
        if number >= 2 and number >= LOUD * ended:  # noqa: PLR2004 - one may be chance
            yield (
                f"{number} of {ended} trials are marked {mode.mark.value}:"
                f" {_TREATMENTS[mode.mark]}."
            )


def _overfitted(findings: Findings) -> Iterator[str]:
    best = findings.best
    for one in findings.marks.get(best.number, ()) if best else ():
        if one.mark is Mark.OVERFITTING and best and one.step is not None:
            yield (
                f"The best trial (trial {best.number}) was best at step {one.step:.6g} and then got"
                " worse: train it no longer than that, or keep its best checkpoint."
            )


def _all_have(findings: Findings, group: failures.Group) -> str:
    """A choice that all failing trials made and that most others did not."""
    others = [trial for trial in findings.ended if trial not in group.trials]
    for parameter in findings.spec.space.parameters:
        value = top.agreed(parameter.name, group.trials)
        if not isinstance(parameter, Choice) or value is None:
            continue
        same = sum(trial.parameters.get(parameter.name) == value for trial in others)
        if 2 * same < len(others):
            also = f"{same} of the {len(others)} others too"
            return f", all with {code(parameter.name)} {figure(value)} ({also})"
    return ""


def _budget(findings: Findings) -> Iterator[str]:
    used, limit = course.counted(findings.trials), findings.spec.trials.max
    end = findings.end
    if not findings.known or used >= limit:
        return
    if end is None and findings.spec.suspend:
        yield "The study is suspended: set `spec.suspend` to false, then run the same command."
    elif end is None:
        asked = count(limit, "trial")
        yield f"{used} of the {asked} asked for were drawn: the same command goes on."
    elif end.reason is StudyReason.TARGET_REACHED:
        yield f"The target was reached after {used} of {limit} trials: a better one may be too."
    elif end.reason is StudyReason.TOO_MANY_FAILURES:
        yield f"The study stopped after {used} of {limit} trials: mend what fails, then go on."


def _few(findings: Findings) -> Iterator[str]:
    complete, parameters = findings.counts.complete, len(findings.drawn)
    if complete and complete < ENOUGH * parameters:
        number = f"{count(complete, 'complete trial')} for {count(parameters, 'parameter')}"
        yield f"There are only {number}: with more, luck matters less."


def _edges(findings: Findings) -> Iterator[str]:
    best = findings.best
    for parameter in findings.spec.space.parameters:
        if best is None or parameter.name not in best.active:
            continue
        value = best.parameters[parameter.name]
        edge = _edge(parameter, value) if isinstance(value, int | float) else None
        if edge:
            searched = top.bounds(findings.spec, parameter.name)
            yield (
                f"{code(parameter.name)} of the best trial is {figure(value)}, at the {edge} end of"
                f" its range ({searched}): widen it there."
            )


def _edge(parameter: Parameter, value: float) -> str | None:
    """`lower` or `upper` when the value lies at that end; None of a choice of two, or of words."""
    if isinstance(parameter, Choice):
        if not parameter.ordered or len(parameter.values) < 3:  # noqa: PLR2004 - both are ends
            return None
        ends = (min, max)
        low, high = (float(pick(map(float, parameter.values))) for pick in ends)
        log = False
    else:
        low, high, log = float(parameter.low), float(parameter.high), parameter.log
        if isinstance(parameter, Integer) and len(parameter.values) < 3:  # noqa: PLR2004 - both are ends
            return None
    if not low < high:
        return None
    place = (value - low) / (high - low)
    if log:
        place = math.log(value / low) / math.log(high / low)
    limit = EDGE if isinstance(parameter, Double) and parameter.step is None else 1e-9
    return "lower" if place <= limit else "upper" if place >= 1 - limit else None


def _agreed(findings: Findings) -> Iterator[str]:
    leaders, ended = top.top(findings), findings.ended
    if findings.several or len(leaders) < top.SIZE or len(ended) < 2 * top.SIZE:
        return
    for name in findings.drawn:
        value = top.agreed(name, leaders)
        tried = {trial.parameters[name] for trial in ended if name in trial.active}
        if value is not None and len(tried) > 1:
            yield (
                f"{code(name)} is {figure(value)} in all of the top {len(leaders)}, and"
                f" {count(len(tried), 'value')} were tried: fix it, and search the rest."
            )


def _late(findings: Findings) -> Iterator[str]:
    best, total = findings.best, len(findings.trials)
    if findings.several or best is None or best.state is not TrialState.COMPLETE:
        return
    if total >= 10 and best.number >= 0.8 * total:  # noqa: PLR2004 - the last fifth of some trials
        place = f"trial {best.number}, the last being {findings.trials[-1].number}"
        yield f"The best came late ({place}): more trials may well beat it."
