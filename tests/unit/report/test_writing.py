"""The files in the folder."""

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.report import write
from tests.unit.report import made


def test_three_files(tmp_path):
    """A new folder gets exactly the three."""
    written = write(tmp_path / "a" / "b", made.study(), made.trials())
    assert {file.name for file in (tmp_path / "a" / "b").iterdir()} == {
        "REPORT.md",
        "results.json",
        "best_config.yaml",
    }
    assert written.configuration == tmp_path / "a" / "b" / "best_config.yaml"


def test_an_old_configuration_goes(tmp_path):
    """A best_config.yaml never outlives the trials that it came from."""
    write(tmp_path, made.study(), made.trials())
    written = write(tmp_path, made.study(), (made.failed(0, TrialReason.CRASHED),))
    assert written.configuration is None
    assert not (tmp_path / "best_config.yaml").exists()


def test_twice_is_the_same(tmp_path):
    """The report is a function of study and trials: no times, no paths."""
    write(tmp_path / "a", made.study(), made.trials())
    write(tmp_path / "b", made.study(), made.trials())
    for name in ("REPORT.md", "results.json", "best_config.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_that_cannot_be(tmp_path):
    """The error is the system's own, for the command line to show."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file", made.study(), ())


def pages(*_):
    """Optuna's figures, of which there are none here."""
    return {}


def test_plots_in_a_folder_of_their_own(tmp_path):
    """Pictures and pages that work without a network, each named in the report."""
    written = write(tmp_path, made.study(), made.trials(), pages=pages)
    names = {file.name for file in (tmp_path / "plots").iterdir()}
    assert {"history.png", "importance.html", "timeline.html", "plotly.min.js"} <= names
    assert written.plots == 8
    text = (tmp_path / "REPORT.md").read_text()
    assert "### Importance of parameters ([to zoom into](plots/importance.html))" in text
    assert all(f"plots/{name}" in text for name in names if name.endswith(".png"))


def test_an_older_plot_goes_and_a_stranger_s_file_stays(tmp_path):
    """No plot outlives what it showed; what a report never made is not touched."""
    (tmp_path / "plots").mkdir()
    for name in ("pareto.png", "pareto.html", "holiday.png"):
        (tmp_path / "plots" / name).write_text("old")
    write(tmp_path, made.study(), made.trials())
    assert {file.name for file in (tmp_path / "plots").iterdir()} == {"holiday.png"}
