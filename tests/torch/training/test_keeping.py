"""The best model's folder."""

import pytest

from kubetune_trainer.training.keeping import keep


def test_the_one_before_is_replaced_as_a_whole(tmp_path):
    """Nothing of the old one stays, nothing of a draft either."""
    keep(tmp_path / "best", lambda folder: (folder / "old").write_text("1") and None)
    keep(tmp_path / "best", lambda folder: (folder / "new").write_text("2") and None)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["new"]


def test_the_one_before_outlives_what_fails(tmp_path):
    """What cannot be written costs nothing that was there."""

    def half(folder):
        (folder / "half").write_text("")
        raise OSError("no space left")

    keep(tmp_path / "best", lambda folder: (folder / "old").write_text("1") and None)
    with pytest.raises(OSError, match="no space"):
        keep(tmp_path / "best", half)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["old"]
