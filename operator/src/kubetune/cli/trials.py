"""`kubetune trials`: every trial of a study."""

import json
import sys
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from kubetune.cli import source as sources
from kubetune.cli.cluster import Access
from kubetune.cli.output import Format, clean, console, duration, figure
from kubetune.cli.states import STYLES
from kubetune.domain import curves, marks
from kubetune.domain.marks import Marked, Marks
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.report.results import brief


def trials(
    source: str,
    study: str | None,
    namespace: str | None,
    output_format: Format,
    access: Access = Access(),  # noqa: B008 - frozen
) -> None:
    """Prints every trial in order of number: a table, or one JSON object a line."""
    found = sources.load(source, study, namespace, with_manifest=False, access=access)
    known = marks.mark(found.spec, found.trials)
    if output_format is Format.JSON:
        for trial in found.trials:
            shown = brief(found.spec, trial, known.get(trial.number, ()))
            sys.stdout.write(json.dumps(shown, allow_nan=False) + "\n")
        return
    console().print(_table(found.spec, found.trials, known))


def _table(spec: StudySpec, found: tuple[Trial, ...], known: Marks) -> Table:
    """In brackets: the last value of a trial that has not completed.

    Marks have a column where a trial has one that its reason does not say.
    """
    words = {trial.number: _words(trial, known.get(trial.number, ())) for trial in found}
    with_marks = any(words.values())
    table = Table(box=None, pad_edge=False)
    table.add_column("trial", justify="right")
    table.add_column("state", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    if with_marks:
        table.add_column("marks")
    for objective in spec.objectives:
        table.add_column(clean(objective.metric, 40), justify="right")
    table.add_column("step", justify="right")
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("parameters", overflow="fold")
    for trial in found:
        marked = (words[trial.number],) if with_marks else ()
        table.add_row(*_row(spec, trial, marked))
    return table


def _words(trial: Trial, found: Sequence[Marked]) -> str:
    reason = trial.outcome.reason.value if trial.outcome else ""
    return ", ".join(one.mark.value for one in found if one.mark.value != reason)


def _row(spec: StudySpec, trial: Trial, marked: tuple[str, ...]) -> tuple[str | Text, ...]:
    reason = trial.outcome.reason.value if trial.outcome else ""
    if trial.outcome is None and trial.attempt > 1:
        reason = f"attempt {trial.attempt}"
    drawn = (
        f"{clean(name, 60)}={figure(value)}"
        for name, value in trial.parameters.items()
        if name in trial.active
    )
    return (
        str(trial.number),
        Text(trial.state.value, STYLES[trial.state]),
        reason,
        *marked,
        *(_value(spec, trial, index) for index in range(len(spec.objectives))),
        figure(trial.curve[-1].step) if trial.curve else "",
        "" if trial.seconds is None else duration(trial.seconds),
        Text(" ".join(drawn)),
    )


def _value(spec: StudySpec, trial: Trial, index: int) -> str:
    if trial.outcome and index < len(trial.outcome.values):
        return figure(trial.outcome.values[index])
    curve = curves.objective_curve(trial, spec.objectives[index].metric)
    return f"({figure(curve[-1][1])})" if curve else ""
