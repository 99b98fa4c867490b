"""The live table of a terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from kubetune.cli.live import LiveTable
from kubetune.domain.events import Event
from kubetune.domain.planner import plan
from kubetune.domain.reasons import EventReason, TrialReason
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import Direction, Objective, StudySpec
from kubetune.domain.trial import Trial, TrialState
from tests.builders import NOW, make_observation, make_outcome, make_points, make_study, make_trial


def status_of(*trials: Trial, spec: StudySpec | None = None) -> StudyStatus:
    return plan(make_observation(*trials, spec=spec)).status


async def shown(
    status: StudyStatus,
    *events: Event,
    spec: StudySpec | None = None,
    height: int = 40,
    width: int = 120,
) -> str:
    """What stands on a terminal in the end."""
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        height=height,
        markup=False,
        highlight=False,
        color_system=None,
        legacy_windows=False,
    )
    table = LiveTable(spec or make_study(), console)
    await table.publish(status, events)
    table.close()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_the_head_counts_and_names_the_best() -> None:
    """How far the study is, and what it found, stand above the rows."""
    failed = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CRASHED)
    text = await shown(
        status_of(make_trial(0, 0.5), make_trial(1, 0.75), make_trial(2, outcome=failed))
    )
    assert "3/10 trials" in text
    assert "2 complete, 0 pruned, 1 failed" in text
    assert "best accuracy 0.75 (trial 1)" in text


async def test_the_baseline_is_not_compared_with_itself() -> None:
    """A best trial that is the baseline has no improvement to show."""
    text = await shown(status_of(make_trial(0, 0.5, baseline=True)))
    assert "best accuracy 0.5 (trial 0)" in text
    assert "on the baseline" not in text


async def test_what_the_terminal_echoes_begins_no_new_line() -> None:
    """Ctrl-C writes `^C` at the cursor: the last row leaves room, else the table is torn."""
    trial = make_trial(0, parameters={"x": "long" * 60})
    rows = [line for line in (await shown(status_of(trial))).splitlines() if "x=long" in line]
    assert max(len(row.rstrip()) for row in rows) <= 120 - len("^C^C")


async def test_draws_turned_down_are_counted() -> None:
    """Constraints at work are seen while the study runs."""
    text = await shown(status_of(make_trial(0, 0.5, rejected={"low": 3})))
    assert "3 draws turned down" in text


async def test_a_row_tells_state_step_value_and_parameters() -> None:
    """A running trial shows the last point of its curve."""
    text = await shown(status_of(make_trial(4, curve=make_points(0.1, 0.25))))
    (row,) = {line for line in text.splitlines() if line.lstrip().startswith("4 ")}
    assert row.split()[:3] == ["4", "Running", "2"]
    assert "0.25" in row
    assert "x=0.5" in row


async def test_a_trial_that_does_not_start_is_marked() -> None:
    """A row that stands still has a reason."""
    status = replace(status_of(make_trial(4)), waiting={4: "no free GPU"})
    (row,) = {line for line in (await shown(status)).splitlines() if line.split()[:1] == ["4"]}
    assert "waits" in row


async def test_a_trial_is_marked_against_best_and_baseline() -> None:
    """BEST, IMPROVED and WORSE say at a glance whether tuning helps."""
    trials = [make_trial(0, 0.5, baseline=True), make_trial(1, 0.9), make_trial(2, 0.7)]
    text = await shown(status_of(*trials, make_trial(3, 0.2)))
    rows = {line.split()[0]: line for line in text.splitlines() if " x=0.5" in line}
    assert "BEST" in rows["1"]
    assert "IMPROVED" in rows["2"]
    assert "WORSE" in rows["3"]


async def test_the_reason_of_an_end_is_in_its_row() -> None:
    """Why a trial was cut or failed needs no second look elsewhere."""
    outcome = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.OUT_OF_MEMORY)
    assert "OutOfMemory" in await shown(status_of(make_trial(0, outcome=outcome)))


@pytest.mark.parametrize("height", [5, 12, 24])
async def test_the_table_never_outgrows_the_terminal(height: int) -> None:
    """With more trials than rows the running ones stay and the last that ended follow."""
    ended = [make_trial(number, 0.5, ended_at=NOW + number) for number in range(30)]
    spec = make_study(max_trials=50)
    text = await shown(status_of(*ended, make_trial(30), spec=spec), spec=spec, height=height)
    rows = [line for line in text.splitlines() if " x=0.5" in line]
    assert 1 <= len(set(rows)) <= max(height - 3, 1)
    assert "Running" in rows[0]


async def test_events_scroll_by_harmless() -> None:
    """Markup and control characters of a trial reach the terminal as plain text."""
    event = Event(EventReason.TRIAL_FAILED, "trial 0 Failed: [bold]x[/] \x1b[2J\x07", warning=True)
    text = await shown(status_of(make_trial(0)), event)
    assert "[bold]x[/]" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text


async def test_hostile_parameters_stay_in_their_row() -> None:
    """A value with a line break or an escape does not leave its cell."""
    trial = make_trial(0, parameters={"x": "a\n\x1b[31mb"})
    text = await shown(status_of(trial))
    assert "\x1b[31m" not in text
    assert any("x=a" in line and "b" in line for line in text.splitlines())


async def test_a_narrow_terminal_keeps_room_for_parameters() -> None:
    """With 80 columns a long metric name does not push the parameters out of sight."""
    metric = "validation_accuracy_of_the_last_epoch"
    spec = make_study(objectives=(Objective(metric=metric, direction=Direction.MAXIMIZE),))
    running = make_trial(7, curve=make_points(0.25, metric=metric))
    text = await shown(status_of(running, spec=spec), spec=spec, width=80)
    (head,) = {line for line in text.splitlines() if "parameters" in line}
    assert len(head) <= 80
    assert head.index("parameters") <= 50
