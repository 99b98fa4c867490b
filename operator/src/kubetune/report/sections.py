"""The sections of REPORT.md that show figures; each is empty when it has nothing to show."""

from kubetune.domain.trial import Trial
from kubetune.report import failures, markdown, pruned, spending, stability, top
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure


def comparison(findings: Findings) -> str:
    """Best against baseline, metric by metric."""
    best, baseline = findings.best, findings.baseline
    if best is None or baseline is None or best.number == baseline.number:
        return ""
    objectives = [objective.metric for objective in findings.spec.objectives]
    ours, theirs = _values(findings, best), _values(findings, baseline)
    rows = [
        (code(name), figure(theirs[name]) if name in theirs else "none", figure(ours[name]))
        for name in (*objectives, *sorted(ours.keys() - objectives))
        if name in ours
    ]
    header = ("metric", f"baseline (trial {baseline.number})", f"best (trial {best.number})")
    return markdown.table(header, rows)


def configuration(findings: Findings) -> str:
    """Every value that the best trial ran with, where it was searched and what the baseline had."""
    best, baseline = findings.best, findings.baseline
    if best is None:
        return ""
    compared = baseline if baseline and baseline.number != best.number else None
    drawn = [name for name in findings.drawn if name in best.parameters]
    rows = []
    for name in (*drawn, *(name for name in best.parameters if name not in drawn)):
        row = [code(name), figure(best.parameters[name])]
        if compared:
            row.append(figure(compared.parameters[name]) if name in compared.parameters else "none")
        rows.append([*row, _origin(findings, best, name)])
    header = ["parameter", "best", *(["baseline"] if compared else []), "from"]
    ran = f" It ran {markdown.duration(best.seconds)}." if best.seconds else ""
    again = f" It took {best.attempt} attempts." if best.attempt > 1 else ""
    return f"Trial {best.number}, seed {best.seed}.{ran}{again}\n\n{markdown.table(header, rows)}"


def leaders(findings: Findings) -> str:
    """The top trials side by side, a column each, and what they share."""
    if findings.several:
        return _front(findings)
    trials = top.top(findings)
    if len(trials) < 2:  # noqa: PLR2004 - one trial has no others to be compared with
        return ""
    rows = [[code(findings.spec.objective.metric), *(figure(trial.value) for trial in trials), ""]]
    rows.append(["time", *(markdown.duration(trial.seconds) for trial in trials), ""])
    for name in findings.drawn:
        cells = (
            figure(trial.parameters[name]) if name in trial.active else "inactive"
            for trial in trials
        )
        rows.append([code(name), *cells, top.in_common(name, trials)])
    header = ["", *(f"trial {trial.number}" for trial in trials), "in common"]
    return markdown.table(header, rows)


def failed(findings: Findings) -> str:
    """Reasons for which trials failed or were infeasible, with the words of one of them."""
    groups = failures.failures(findings)
    if not groups:
        return ""
    rows = [
        (
            group.reason.value,
            str(len(group.trials)),
            markdown.share(len(group.trials), len(findings.ended)),
            _example(group),
        )
        for group in groups
    ]
    text = markdown.table(("reason", "trials", "of those that ended", "for example"), rows)
    cancelled = findings.counts.failed + findings.counts.infeasible
    cancelled -= sum(len(group.trials) for group in groups)
    if cancelled > 0:
        text += f"\n\n{count(cancelled, 'more trial')} ran when the study ended: Cancelled."
    return text


def marked(findings: Findings) -> str:
    """How trials trained badly, as their curves show it, with the figures of one of them."""
    rows = []
    for mode in failures.modes(findings):
        number = len(mode.trials)
        example = f"trial {mode.trials[0].number}: {code(mode.message)}".removesuffix(": ")
        part = markdown.share(number, len(findings.ended))
        rows.append((mode.mark.value, str(number), part, example))
    if not rows:
        return ""
    table = markdown.table(("mark", "trials", "of those that ended", "for example"), rows)
    return f"Seen in the curves, whatever state the trial ended in.\n\n{table}"


def cut(findings: Findings) -> str:
    """How many trials were pruned, why, and what that saved."""
    groups = failures.pruned(findings)
    if not groups:
        return ""
    number = sum(len(group.trials) for group in groups)
    text = f"{number} of {count(len(findings.ended), 'ended trial')} stopped early."
    if found := pruned.savings(findings):
        part = markdown.share(found.saved, found.of)
        text += f" That saved {found.saved:.6g} of {found.of:.6g} steps ({part})."
    rows = [(group.reason.value, str(len(group.trials)), _example(group)) for group in groups]
    return f"{text}\n\n{markdown.table(('reason', 'trials', 'for example'), rows)}"


def turned_down(findings: Findings) -> str:
    """Draws that were never launched, by rule."""
    rejected = findings.counts.rejected
    rules = {rule.name: rule for rule in findings.spec.space.constraints}
    rows = []
    for name, number in sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0])):
        rule = rules.get(name)
        kind = ("hard" if rule.hard else "soft") if rule else ""
        why = code(rule.message) or f"forbids {code(rule.forbid.text)}" if rule else ""
        rows.append((code(name), kind, str(number), why))
    return markdown.table(("rule", "kind", "draws", "because"), rows) if rows else ""


def classes(findings: Findings) -> str:
    """The study's own classes of trials, and between which shares the truth may lie."""
    found = stability.stability(findings)
    if not found:
        return ""
    rows = [
        (
            code(share.name) or "in none of them",
            str(share.trials),
            markdown.share(share.trials, share.of),
            f"{_percent(share.low)} to {_percent(share.high)}",
        )
        for share in found
    ]
    header = ("class", "trials", "of those that ended", "in the long run")
    table = markdown.table(header, rows)
    finals = " Runs of the finals are left out." if findings.finals.finalists else ""
    return (
        f"{table}\n\nIn the long run: what as many trials tell of ever more of the same kind, right"
        f" 19 times in 20.{finals}"
    )


def time(findings: Findings) -> str:
    """What the trials took of slots and GPUs, by how they ended."""
    spent = spending.spending(findings)
    if not spent.seconds > 0:
        return ""
    gpus = ["GPU hours"] if spent.gpus else []
    rows = []
    for part in spent.parts:
        hours = [f"{part.seconds * spent.gpus / 3600:.3g}"] if spent.gpus else []
        share = markdown.share(part.seconds, spent.seconds)
        rows.append(
            [part.state.value, str(part.trials), markdown.duration(part.seconds), *hours, share]
        )
    table = markdown.table(["end", "trials", "time on a slot", *gpus, "of it"], rows)
    if not spent.wasted:
        return table
    wasted = f"{markdown.duration(spent.wasted)} ({markdown.share(spent.wasted, spent.seconds)})"
    return f"{table}\n\nWasted on trials that failed or were infeasible: {wasted}."


def _percent(share: float) -> str:
    return markdown.share(share, 1.0)


def _values(findings: Findings, trial: Trial) -> dict[str, float]:
    """Metrics of a trial, with the values that it was ranked by."""
    if trial.outcome is None:
        return {}
    names = (objective.metric for objective in findings.spec.objectives)
    return {**trial.outcome.metrics, **dict(zip(names, trial.outcome.values, strict=False))}


def _front(findings: Findings) -> str:
    """Every trial of the Pareto front, a row each."""
    rows = [
        (
            str(trial.number),
            *(figure(value) for value in (trial.outcome.values if trial.outcome else ())),
            markdown.duration(trial.seconds),
        )
        for trial in findings.front
    ]
    names = (code(objective.metric) for objective in findings.spec.objectives)
    return markdown.table(("trial", *names, "time"), rows) if rows else ""


def _origin(findings: Findings, trial: Trial, name: str) -> str:
    space = findings.spec.space
    if name in findings.drawn:
        if name not in trial.active:
            return "inactive"
        return top.bounds(findings.spec, name) or "drawn"
    if name in {derived.name for derived in space.derived}:
        return "derived"
    return "fixed" if name in space.fixed else ""


def _example(group: failures.Group) -> str:
    example = group.example
    said = code(example.outcome.message) if example.outcome else ""
    return f"trial {example.number}: {said}" if said else f"trial {example.number}"
