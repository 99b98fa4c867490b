"""`kubetune report`."""

import json
import subprocess
import sys

import pytest

from kubetune.cli.report import report
from kubetune.report.plots import album
from tests.unit.cli.databases import make_run


def test_a_report_of_a_run(tmp_path, capsys):
    """The three files, and their names on standard output."""
    report(str(make_run(tmp_path / "run")), tmp_path / "out", None, None)
    said = capsys.readouterr().out
    for name in ("REPORT.md", "results.json", "best_config.yaml"):
        assert str(tmp_path / "out" / name) in said
        assert (tmp_path / "out" / name).exists()
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())["trials"]) == 3


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    """One line, exit code 2."""
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        report(str(make_run(tmp_path / "run")), tmp_path / "file", None, None)
    assert end.value.code == 2
    assert "cannot be written to" in capsys.readouterr().err


def test_plots_beside_the_report(tmp_path, capsys):
    """They are drawn, counted on standard output, and shown in REPORT.md."""
    report(str(make_run(tmp_path / "run")), tmp_path / "out", None, None)
    assert f"3 plots: {tmp_path / 'out' / 'plots'}" in capsys.readouterr().out
    shown = (tmp_path / "out" / "REPORT.md").read_text()
    for name in ("history", "curves", "timeline"):
        assert f"(plots/{name}.png)" in shown
        assert (tmp_path / "out" / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "plotly.min.js" in (tmp_path / "out" / "plots" / f"{name}.html").read_text()
    assert "- Pareto front: there is one objective." in shown


def test_without_matplotlib_the_report_is_there_all_the_same(tmp_path, capsys, monkeypatch):
    """One line says what to install; the files are written, REPORT.md says why it has no plots."""
    monkeypatch.setattr(album, "find_spec", lambda _: None)
    report(str(make_run(tmp_path / "run")), tmp_path / "out", None, None)
    said = capsys.readouterr()
    assert said.err == (
        "no plots: matplotlib and plotly are not installed; install kubetune[report] to have them\n"
    )
    assert "train with the best again" in said.out
    assert "Install `kubetune[report]`" in (tmp_path / "out" / "REPORT.md").read_text()
    assert not (tmp_path / "out" / "plots").exists()


def test_a_report_of_a_database(tmp_path):
    """A URL with a name gives the same plots: the database knows the ranges."""
    run = make_run(tmp_path / "run", "one", "two")
    report(f"sqlite:///{run}/trials.sqlite3#two", tmp_path / "out", None, None)
    assert (tmp_path / "out" / "plots" / "history.png").exists()
    assert "# Study `two`" in (tmp_path / "out" / "REPORT.md").read_text()


def test_a_report_needs_no_plots_to_start():
    """Neither matplotlib, plotly nor Optuna is loaded before a plot is drawn, nor numpy to list."""
    code = (
        "import sys; import kubetune.cli.report, kubetune.cli.trials;"
        "print({'matplotlib', 'plotly', 'optuna', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
