"""Checkpoints: whole or not there."""

import pytest

from kubetune_trainer import checkpoints
from kubetune_trainer.checkpoints import Record
from kubetune_trainer.live import Reported


def fill(text):
    return lambda folder: (folder / "weights").write_text(text) and None


def test_saved_and_found(tmp_path):
    """The newest checkpoint is found with its files and its record, and is the only one."""
    record = Record(step=12, metrics={"loss": Reported(0.5, 12)}, curve=((11, 0.25), (12, 0.5)))
    checkpoints.save(tmp_path / "new", Record(step=9), fill("old"))
    checkpoints.save(tmp_path / "new", record, fill("new"))
    found = checkpoints.latest(tmp_path / "new")
    assert found is not None
    assert found.record == record
    assert (found.folder / "weights").read_text() == "new"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_saved_twice(tmp_path):
    """A second checkpoint of a step replaces the first."""
    checkpoints.save(tmp_path, Record(step=1), fill("first"))
    checkpoints.save(tmp_path, Record(step=1), fill("second"))
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert (found.folder / "weights").read_text() == "second"


def test_failed_save_leaves_the_one_before(tmp_path):
    """A save that breaks in the middle costs nothing that was there."""

    def broken(folder):
        (folder / "weights").write_text("half")
        raise OSError("no space left")

    checkpoints.save(tmp_path, Record(step=1), fill("whole"))
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(tmp_path, Record(step=2), broken)
    found = checkpoints.latest(tmp_path)
    assert found is not None
    assert found.record.step == 1


def test_no_draft_stays(tmp_path):
    """What a failed or a killed save had written is gone by the next one."""

    def broken(folder):
        (folder / "weights").write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        checkpoints.save(tmp_path, Record(step=1), broken)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".step-000000002.draft").mkdir()
    saved = checkpoints.save(tmp_path, Record(step=3), fill("whole"))
    assert list(tmp_path.iterdir()) == [saved]


def test_damaged_one_is_passed_over(tmp_path):
    """A checkpoint whose record cannot be read is as good as none."""
    saved = checkpoints.save(tmp_path, Record(step=1), fill("x"))
    (saved / "trial.json").write_text("{")
    assert checkpoints.latest(tmp_path) is None


def test_none(tmp_path):
    """A folder without checkpoints, or none at all, has none."""
    assert checkpoints.latest(tmp_path / "absent") is None


def test_clear_touches_only_checkpoints(tmp_path):
    """Clearing removes checkpoints and nothing else that lies there."""
    checkpoints.save(tmp_path, Record(step=1), fill("x"))
    (tmp_path / "step-notes").write_text("mine")
    checkpoints.clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-notes"]
