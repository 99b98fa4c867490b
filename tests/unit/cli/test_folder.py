"""A run's folder: one study's, one tuner's."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from kubetune.cli import folder


def test_a_new_folder_gets_an_identity(tmp_path: Path) -> None:
    """The study's uid is made once, and found again by the next run."""
    first = folder.take(tmp_path / "a" / "b", "digits")
    first.release()
    again = folder.take(tmp_path / "a" / "b", "digits")
    again.release()
    assert (first.resumed, again.resumed) == (False, True)
    assert first.uid == again.uid


def test_two_folders_are_two_studies(tmp_path: Path) -> None:
    """The same manifest run in two folders has two uids: checkpoints never mix."""
    one, two = (folder.take(tmp_path / name, "digits") for name in "ab")
    one.release()
    two.release()
    assert one.uid != two.uid


def test_a_held_folder_is_refused_by_its_holder_s_pid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who comes second learns which process to wait for, and changes nothing."""
    held = folder.take(tmp_path, "digits")
    with pytest.raises(SystemExit) as ended:
        folder.take(tmp_path, "digits")
    held.release()
    assert ended.value.code == 2
    assert f"process {os.getpid()}" in capsys.readouterr().err


def test_the_lock_of_a_dead_tuner_holds_nobody_up(tmp_path: Path) -> None:
    """A lock file with a pid in it is only a note; the kernel's lock went with the process."""
    (tmp_path / "lock").write_text("1\n")
    folder.take(tmp_path, "digits").release()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_another_study_s_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both names are said, and that -o chooses another folder."""
    folder.take(tmp_path, "digits").release()
    with pytest.raises(SystemExit):
        folder.take(tmp_path, "other")
    said = capsys.readouterr().err
    assert "holds the study 'digits', not 'other'" in said
    assert "-o" in said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"study": "digits"}', "3"])
def test_a_damaged_identity_is_refused(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken study.json is named with a way out; a new uid would lose what still runs."""
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(SystemExit):
        folder.take(tmp_path, "digits")
    assert "--fresh" in capsys.readouterr().err


def test_a_file_in_the_folder_s_place_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the file system says is passed on, with what to do."""
    (tmp_path / "out").write_text("")
    with pytest.raises(SystemExit) as ended:
        folder.take(tmp_path / "out", "digits")
    assert ended.value.code == 2
    assert "choose another folder with -o" in capsys.readouterr().err


def test_an_identity_is_whole_or_not_there(tmp_path: Path) -> None:
    """study.json names study, uid and time, and no draft of it is left."""
    taken = folder.take(tmp_path, "digits")
    taken.release()
    known = json.loads((tmp_path / "study.json").read_text())
    assert (known["study"], known["uid"]) == ("digits", taken.uid)
    assert known["created"] > 0
    assert not list(tmp_path.glob("*.tmp"))


def test_an_earlier_run_is_set_aside_whole(tmp_path: Path) -> None:
    """Every file of it stays, under a name beside it."""
    path = tmp_path / "out"
    folder.take(path, "digits").release()
    (path / "notes.txt").write_text("mine")
    aside = folder.set_aside(path)
    assert aside
    assert not path.exists()
    assert aside.parent == tmp_path
    assert (aside / "notes.txt").read_text() == "mine"


def test_two_runs_set_aside_at_once_keep_two_names(tmp_path: Path) -> None:
    """Nothing set aside is ever overwritten."""
    path = tmp_path / "out"
    names = set()
    for _ in range(3):
        folder.take(path, "digits").release()
        names.add(folder.set_aside(path))
    assert len(names) == 3


@pytest.mark.parametrize("made", [True, False])
def test_nothing_is_set_aside_where_nothing_was(tmp_path: Path, *, made: bool) -> None:
    """--fresh on a folder that is empty or not there is no more than a start."""
    path = tmp_path / "out"
    if made:
        path.mkdir()
    assert folder.set_aside(path) is None


def test_a_held_folder_is_not_set_aside(tmp_path: Path) -> None:
    """--fresh does not pull the folder from under a tuner that is at work."""
    held = folder.take(tmp_path / "out", "digits")
    with pytest.raises(SystemExit):
        folder.set_aside(tmp_path / "out")
    held.release()
    assert (tmp_path / "out" / "study.json").exists()


def test_the_manifest_is_kept_as_it_was_run(tmp_path: Path) -> None:
    """The copy is replaced by the next run's; a run of the copy itself leaves it alone."""
    manifest = tmp_path / "study.yaml"
    manifest.write_text("first")
    taken = folder.take(tmp_path / "out", "digits")
    taken.keep_manifest(manifest, None, 5)
    manifest.write_text("second")
    taken.keep_manifest(manifest, None, 5)
    taken.keep_manifest(tmp_path / "out" / "study.yaml", None, 5)
    taken.release()
    assert (tmp_path / "out" / "study.yaml").read_text() == "second"


def test_a_patched_manifest_is_kept_whole(tmp_path: Path) -> None:
    """What was run is the manifest with its patches, not the file below them."""
    manifest = tmp_path / "study.yaml"
    manifest.write_text("below")
    taken = folder.take(tmp_path / "out", "digits")
    taken.keep_manifest(manifest, "merged", 5)
    taken.release()
    assert (tmp_path / "out" / "study.yaml").read_text() == "merged"
    assert manifest.read_text() == "below"


def test_a_folder_knows_how_many_trials_were_asked_for(tmp_path: Path) -> None:
    """A report made later counts against what the command line said, not the manifest."""
    manifest = tmp_path / "study.yaml"
    manifest.write_text("first")
    taken = folder.take(tmp_path / "out", "digits")
    assert folder.trials_asked(tmp_path / "out") is None
    taken.keep_manifest(manifest, None, 5)
    taken.release()
    assert folder.trials_asked(tmp_path / "out") == 5


@pytest.mark.parametrize("name", ["study.yaml", "REPORT.md", "trials"])
@pytest.mark.parametrize("use", [lambda path: folder.take(path, "digits"), folder.set_aside])
def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, name: str, use: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    """A run neither writes over files that are not its own nor moves them away."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(SystemExit) as ended:
        use(tmp_path / "out")
    assert ended.value.code == 2
    assert f"holds {name}, but is no run's folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_a_folder_with_other_files_is_used_but_never_moved(tmp_path: Path) -> None:
    """A folder that someone made and put notes into is fine for a run; --fresh leaves it there."""
    (tmp_path / "notes.txt").write_text("mine")
    assert folder.set_aside(tmp_path) is None
    folder.take(tmp_path, "digits").release()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["z?1", "a%20b", "we#ird?x=1", "stu dy é"])
def test_any_folder_name_leads_to_its_own_database(tmp_path: Path, name: str) -> None:
    """What a URL takes for its own marks is part of a path here."""
    url = make_url(folder.storage_url(tmp_path / name))
    assert url.database == str(tmp_path / name / "trials.sqlite3")
    assert not url.query
