"""`python -m kubetune_trainer.tiny`: what small studies train, made once."""

import sys
from pathlib import Path

import pytest

from kubetune_trainer.tiny import __main__ as command


def test_what_is_there_stays_and_what_was_begun_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second call makes nothing; one that was stopped in the middle leaves nothing half-made."""
    (tmp_path / ".pictures").mkdir()
    (tmp_path / ".pictures" / "stray.png").touch()
    monkeypatch.setattr(sys, "argv", ["tiny", str(tmp_path), "pictures"])
    command.main()
    made = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "pictures").iterdir()}
    command.main()
    assert "stray.png" not in made
    assert len(made) == 20
    assert {path.name for path in tmp_path.iterdir()} == {"pictures"}
    assert made == {one.name: one.stat().st_mtime_ns for one in (tmp_path / "pictures").iterdir()}
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'pictures'} is there"
