"""What is said when a run ends: the top trials, the best configuration, what to do next."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kubetune.cli.live import parameters
from kubetune.cli.output import clean, count, figure
from kubetune.domain import marks, ranking
from kubetune.domain.finalists import Finals
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState

TOP = 5


def show(
    console: Console, spec: StudySpec, status: StudyStatus, trials: Sequence[Trial], folder: Path
) -> None:
    """Prints the end of a run."""
    console.print(Text(f"\n{clean(spec.name)}: {status.phase}: {clean(status.message, 600)}"))
    top = _top(spec, status, trials)
    if top:
        console.print(_table(spec, top))
    if status.finals.finalists:
        console.print(_finals(spec, status.finals))
    for constraint in spec.space.constraints:
        if times := status.counts.rejected.get(constraint.name):
            kind = "hard" if constraint.hard else "soft"
            line = f"  {count(times, 'draw')} turned down by {constraint.name} ({kind})"
            _line(console, line, "dim")
    if marked := _marked(spec, trials):
        _line(console, f"  {marked}", "dim")
    if top:
        best = status.best or top[0]
        what = "Best configuration" if len(spec.objectives) == 1 else "First of the Pareto front"
        _line(console, f"\n{what} (trial {best.number}):")
        for name, value in best.parameters.items():
            _line(console, f"  {name}: {figure(value)}")
    _line(console, f"\nReport: {folder / 'REPORT.md'}")
    if not top and (failed := _last_failed(trials)):
        log = folder / "trials" / str(failed.number) / "stdout.log"
        _line(console, f"What trial {failed.number} printed: {log}")
        _line(console, "Mend what fails, then start again with --fresh")
    if top:
        _line(console, f"Retrain: {_retrain(spec, folder)}")


def _marked(spec: StudySpec, trials: Sequence[Trial]) -> str:
    """How many trials trained badly, where their state does not say so."""
    known = marks.mark(spec, trials)
    counts = Counter(
        one.mark.value
        for trial in trials
        for one in known.get(trial.number, ())
        if trial.outcome and trial.outcome.reason.value != one.mark.value
    )
    listed = ", ".join(f"{number} {mark}" for mark, number in counts.most_common())
    return f"marked by their curves: {listed}" if listed else ""


def _last_failed(trials: Sequence[Trial]) -> Trial | None:
    failed = [trial for trial in trials if trial.state is TrialState.FAILED]
    return failed[-1] if failed else None


def _line(console: Console, text: str, style: str = "") -> None:
    """Prints one line whole: a path or a command that is cut in two cannot be copied."""
    console.print(Text(text, style), soft_wrap=True)


def _top(spec: StudySpec, status: StudyStatus, trials: Sequence[Trial]) -> list[Trial]:
    if len(spec.objectives) > 1:
        return list(status.pareto_front[:TOP])
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    top: list[Trial] = []
    while done and len(top) < TOP:
        best = ranking.best(spec, done)
        if best is None:
            break
        top.append(best)
        done.remove(best)
    return top


def _table(spec: StudySpec, top: Sequence[Trial]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("trial", justify="right")
    for objective in spec.objectives:
        table.add_column(objective.metric, justify="right")
    table.add_column("parameters", overflow="fold")
    for trial in top:
        values = trial.outcome.values if trial.outcome else ()
        shown = parameters(spec, trial)
        table.add_row(str(trial.number), *(figure(value) for value in values), Text(shown))
    return table


def _finals(spec: StudySpec, finals: Finals) -> Table:
    """What the best configurations showed when they were run again."""
    assert spec.finalists
    metric, ranked = spec.objective.metric, spec.finalists.rank_by.value.lower()
    table = Table(box=None, pad_edge=False)
    table.add_column("finalist", justify="right")
    for name in (f"{ranked} {metric}", "95 % interval of the mean"):
        table.add_column(name, justify="right")
    table.add_column("runs", overflow="fold")
    for each in finals.finalists:
        score = "none complete" if each.score is None else figure(each.score)
        interval = "" if each.low is None else f"{figure(each.low)} to {figure(each.high)}"
        runs = " ".join(figure(value) for value in each.values)
        runs += f", {count(each.failed, 'run')} not complete" if each.failed else ""
        table.add_row(str(each.trial.number), score, interval, runs)
    return table


def _retrain(spec: StudySpec, folder: Path) -> str:
    """The recipe by its own command where the trial is one, else the file to retrain from."""
    config = folder / "best_config.yaml"
    containers: Sequence[Mapping[str, Any]] = spec.template.get("spec", {}).get("containers", [])
    trainer = next((one for one in containers if one.get("name") == "trainer"), {})
    args = trainer.get("args", [])
    if trainer.get("command") or not args:
        return f"with the parameters in {config}"
    return f"kubetune-trainer {shlex.join(map(str, args))} --config {shlex.quote(str(config))}"
