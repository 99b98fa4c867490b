"""A live table of trials, for a person at a terminal."""

import time
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kubetune.cli.output import clean, count, duration, figure
from kubetune.cli.states import STYLES
from kubetune.domain import curves, ranking, sentences
from kubetune.domain.events import Event
from kubetune.domain.ranking import Standing
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState

ROWS = 14
"""Trials shown: all that run, then the last that ended."""

WIDE = 100
"""A terminal of fewer columns gets short bars and a short heading: parameters matter more."""

ECHO = len("^C^C")
"""Columns left free on the right: what a terminal echoes there must not begin a new line."""


class LiveTable:
    """A StatusSink: events scroll by above, the table stays below."""

    def __init__(self, spec: StudySpec, console: Console) -> None:
        self._spec = spec
        self._console = console
        self._status: StudyStatus | None = None
        self._begun = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._render)
        self._live.start()

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """Takes the newest status over and lets the events scroll by."""
        self._status = status
        for event in events:
            self.note(event.message, "yellow" if event.warning else "")

    def note(self, text: str, style: str = "") -> None:
        """One line above the table."""
        self._console.print(Text(f"{time.strftime('%H:%M:%S')} {clean(text, 1000)}", style))

    def close(self) -> None:
        """Leaves the last table standing."""
        self._live.stop()

    def _render(self) -> RenderableType:
        if self._status is None:
            return Text("starting ...")
        return Group(self._head(self._status), self._table(self._status))

    def _head(self, status: StudyStatus) -> Text:
        counts = status.counts
        done = counts.total - counts.active
        parts = [
            f"{clean(self._spec.name, 40)}: {status.phase}",
            f"{done}/{self._spec.trials.max} trials",
            f"{counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed",
        ]
        if counts.infeasible:
            parts.append(f"{counts.infeasible} infeasible")
        if rejected := sum(counts.rejected.values()):
            parts.append(f"{count(rejected, 'draw')} turned down")
        parts.append(duration(time.monotonic() - self._begun))
        head = Text("  |  ".join(parts), style="bold")
        if best := sentences.best(self._spec, status.best, status.improvement):
            head.append(f"\n{clean(best)}")
        return head

    def _table(self, status: StudyStatus) -> Table:
        width = max(self._console.width - ECHO, 1)
        wide = self._console.width >= WIDE
        metric = clean(self._spec.objective.metric, 40 if wide else 12)
        table = Table(box=None, pad_edge=False, width=width)
        for name, justify in (("trial", "right"), ("state", "left"), ("step", "right")):
            table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type] # words
        table.add_column("progress" if wide else "", width=12 if wide else 6)
        table.add_column(metric, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("parameters", ratio=1, no_wrap=True, overflow="ellipsis")
        ended = [trial for trial in status.recent if trial.state.ended]
        newest = sorted(ended, key=lambda trial: trial.ended_at or 0.0, reverse=True)
        room = max(min(ROWS, self._console.height - 8), 1)
        for trial in (*status.active, *newest)[:room]:
            table.add_row(*self._row(status, trial))
        return table

    def _row(self, status: StudyStatus, trial: Trial) -> tuple[RenderableType, ...]:
        step = figure(trial.curve[-1].step) if trial.curve else ""
        bar: RenderableType = ""
        if not trial.state.ended:
            bar = ProgressBar(total=1.0, completed=status.progress.get(trial.number, 0.0))
        return (
            str(trial.number),
            Text(trial.state.value, STYLES[trial.state]),
            step,
            bar,
            self._value(trial),
            Text(self._remark(status, trial)),
            Text(parameters(self._spec, trial)),
        )

    def _value(self, trial: Trial) -> str:
        if trial.value is not None:
            return figure(trial.value)
        curve = curves.objective_curve(trial, self._spec.objective.metric)
        return figure(curve[-1][1]) if curve else ""

    def _remark(self, status: StudyStatus, trial: Trial) -> str:
        if trial.outcome is None and trial.number in status.waiting:
            return "waits"
        if trial.outcome is None:
            return "" if trial.attempt == 1 else f"attempt {trial.attempt}"
        if trial.state is not TrialState.COMPLETE:
            return trial.outcome.reason.value
        others = tuple(item for item in (status.best, status.baseline) if item and item != trial)
        standing = ranking.standing(self._spec, trial, others)
        return "" if standing is Standing.NONE else standing.value


def parameters(spec: StudySpec, trial: Trial) -> str:
    """The active parameters on one line."""
    names = (item.name for item in spec.space.parameters if item.name in trial.active)
    return clean(" ".join(f"{name}={figure(trial.parameters[name])}" for name in names))
