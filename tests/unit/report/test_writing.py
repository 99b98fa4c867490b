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
