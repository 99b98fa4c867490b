"""`kubetune trials`."""

import json

from kubetune.cli.output import Format
from kubetune.cli.trials import trials
from kubetune.domain.trial import Point
from tests.unit.cli.databases import make_run

LEARNED = tuple(
    Point(step + 1, {"accuracy": accuracy, "loss": 1 / (step + 1)})
    for step, accuracy in enumerate((0.7, 0.8, 0.9, 0.86, 0.8, 0.75, 0.7, 0.66))
)


def test_a_table(tmp_path, capsys):
    """A line for each trial; in brackets the last value of one that is not complete."""
    trials(str(make_run(tmp_path / "run")), None, None, Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "trial",
        "state",
        "reason",
        "accuracy",
        "step",
        "time",
        "parameters",
    ]
    assert lines[1].split()[:5] == ["0", "Complete", "0.9", "2", "10"]
    assert lines[2].split()[:5] == ["1", "Failed", "Diverged", "(0.9)", "2"]
    assert lines[3].split()[:2] == ["2", "Running"]
    assert all("x=0." in line for line in lines[1:])


def test_a_column_of_marks(tmp_path, capsys):
    """Only where curves show more than states and reasons say."""
    trials(str(make_run(tmp_path / "run", curve=LEARNED)), None, None, Format.TABLE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["trial", "state", "reason", "marks"]
    assert lines[1].split()[:4] == ["0", "Complete", "Overfitting", "0.9"]
    trials(str(tmp_path / "run"), None, None, Format.JSON)
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [[one["mark"] for one in trial["marks"]] for trial in shown] == [
        ["Overfitting"],
        ["Diverged"],
        [],
    ]


def test_a_pipe_gets_no_colours(tmp_path, capsys):
    """States are coloured on a terminal alone, and trial output never is."""
    trials(str(make_run(tmp_path / "run")), None, None, Format.TABLE)
    assert "\x1b" not in capsys.readouterr().out


def test_json_lines(tmp_path, capsys):
    """One object a line, numbers that JSON cannot write as words, nothing else on stdout."""
    trials(str(make_run(tmp_path / "run")), None, None, Format.JSON)
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [trial["state"] for trial in shown] == ["Complete", "Failed", "Running"]
    assert shown[0]["values"] == {"accuracy": 0.9}
    assert (shown[1]["metrics"], shown[1]["seconds"]) == ({"accuracy": "NaN"}, 10.0)
