"""`kubetune report`."""

import json

import pytest

from kubetune.cli.report import report
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
