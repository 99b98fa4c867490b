"""Advice on trials that ended badly."""

from collections.abc import Iterator, Mapping, Sequence

from kubetune.domain import axes
from kubetune.domain.marks import Mark
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice
from kubetune.domain.trial import Trial
from kubetune.report import failures, markdown, spending, top
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure

LOUD = 0.2
"""From this share of ended trials on, one reason for failing is worth advice."""

WASTED = 0.1
"""From this share of the time on, what failed cost too much."""

_CURES: Mapping[TrialReason, str] = {
    TrialReason.DIVERGED: "narrow the ranges that make training unstable, or forbid what does",
    TrialReason.GRADIENT_EXPLOSION: "lower the highest rate, or clip gradients",
    TrialReason.GUARD_TRIPPED: "a constraint that forbids such trials saves launching them",
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


def reasons(findings: Findings) -> Iterator[str]:
    """A reason for which many trials failed, and what they have in common; memory has its own."""
    ended = len(findings.ended)
    for group in failures.failures(findings):
        number = len(group.trials)
        if not _many(number, ended) or group.reason is TrialReason.OUT_OF_MEMORY:
            continue
        cure = _CURES.get(group.reason, "see the messages above")
        alike = in_common(findings, group.trials)
        yield f"{number} of {ended} trials ended {group.reason.value}{alike}: {cure}."


def memory(findings: Findings) -> Iterator[str]:
    """Many trials that ran out of memory, though a retry may have saved some."""
    ended = findings.ended
    short = [
        trial
        for trial in ended
        if trial.out_of_memory
        or (trial.outcome and trial.outcome.reason is TrialReason.OUT_OF_MEMORY)
    ]
    if not _many(len(short), len(ended)):
        return
    lost = sum(
        bool(trial.outcome and trial.outcome.reason is TrialReason.OUT_OF_MEMORY) for trial in short
    )
    policy = findings.spec.trials
    cure = "forbid what does not fit"
    if lost and not (policy.out_of_memory_retries and policy.on_out_of_memory):
        cure = (
            "set `trials.onOutOfMemory` and `trials.retries.outOfMemory`,"
            " or forbid what does not fit"
        )
    yield (
        f"{len(short)} of {count(len(ended), 'trial')} ran out of memory, {lost} of them to their"
        f" end{in_common(findings, short)}: {cure}."
    )


def modes(findings: Findings) -> Iterator[str]:
    """Of trials that bear a mark though they ended for another reason, or none."""
    ended = len(findings.ended)
    for mode in failures.modes(findings):
        others = [
            trial
            for trial in mode.trials
            if trial.outcome and trial.outcome.reason.value != mode.mark.value
        ]
        if _many(len(others), ended):
            yield (
                f"{len(others)} of {ended} trials are marked {mode.mark.value}:"
                f" {_TREATMENTS[mode.mark]}."
            )


def overfitted(findings: Findings) -> Iterator[str]:
    """A best trial that went on for too long."""
    best = findings.best
    for one in findings.marks.get(best.number, ()) if best else ():
        if one.mark is Mark.OVERFITTING and best and one.step is not None:
            yield (
                f"The best trial (trial {best.number}) was best at step {one.step:.6g} and then got"
                " worse: train it no longer than that, or keep its best checkpoint."
            )


def wasted(findings: Findings) -> Iterator[str]:
    """Much time that went into trials that failed."""
    spent = spending.spending(findings)
    bad = sum(part.trials for part in spent.parts if part.state in spending.BAD)
    if bad < 2 or spent.wasted_share < WASTED:  # noqa: PLR2004 - one may be chance
        return
    yield (
        f"{markdown.share(spent.wasted, spent.seconds)} of the time"
        f" ({markdown.duration(spent.wasted)}) went into {count(bad, 'trial')} that failed or were"
        " infeasible: a guard ends such trials sooner, a constraint never launches them."
    )


def in_common(findings: Findings, trials: Sequence[Trial]) -> str:
    """What all these trials have and most others do not: a choice, or one side of a range."""
    others = [trial for trial in findings.ended if trial not in trials]
    for parameter in findings.parameters:
        name = parameter.name
        value = top.agreed(name, tuple(trials))
        if isinstance(parameter, Choice) and value is not None:
            same = sum(trial.parameters.get(name) == value for trial in others)
            if 2 * same < len(others):
                return f", all with {code(name)} {figure(value)} {_also(same, others)}"
        elif axes.ordered(parameter) and (found := _beyond(name, trials, others)):
            return found
    return ""


def _beyond(name: str, trials: Sequence[Trial], others: Sequence[Trial]) -> str:
    """Whether all these trials lie at one end of a range where few others do."""
    if len(trials) < 2 or any(name not in trial.active for trial in trials):  # noqa: PLR2004 - one lies anywhere
        return ""
    numbers = [_number(trial, name) for trial in trials]
    theirs = [_number(trial, name) for trial in others if name in trial.active]
    for limit, word, reach in ((min(numbers), "from", "up"), (max(numbers), "of", "and less")):
        sign = 1 if reach == "up" else -1
        same = sum(sign * (value - limit) >= 0 for value in theirs)
        if theirs and 5 * same <= len(theirs):
            return f", all with {code(name)} {word} {limit:.4g} {reach} {_also(same, others)}"
    return ""


def _also(number: int, others: Sequence[Trial]) -> str:
    return f"({number} of the {len(others)} others too)"


def _number(trial: Trial, name: str) -> float:
    value = trial.parameters[name]
    return 0.0 if isinstance(value, str) else float(value)


def _many(number: int, ended: int) -> bool:
    return number >= 2 and number >= LOUD * ended  # noqa: PLR2004 - one may be chance
