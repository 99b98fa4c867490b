"""SOURCE: what it may be, and one line for what it may not."""

import sqlite3

import pytest

from kubetune.cli import source
from kubetune.cli.cluster import Access
from kubetune.report.findings import Unwritten
from tests.unit.cli.databases import MANIFEST, make_run


def refused(capsys, *arguments):
    """The one line that ends the program, with exit code 2."""
    with pytest.raises(SystemExit) as end:
        source.load(*arguments)
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_run_s_folder(tmp_path):
    """The manifest kept there says what the database does not."""
    found = source.load(str(make_run(tmp_path / "run")), None, None)
    assert (found.spec.name, found.spec.trials.max, len(found.trials)) == ("study", 3, 3)


def test_trials_asked_for_on_the_command_line_count(tmp_path):
    """A run with --trials 9 is not over at the manifest's three."""
    run = make_run(tmp_path / "run")
    (run / "study.json").write_text('{"study": "study", "uid": "u", "trials": 9}')
    assert source.load(str(run), None, None).spec.trials.max == 9


def test_a_url(tmp_path):
    """With a URL only the database speaks: objectives, trials and ranges, but no rules."""
    run = make_run(tmp_path / "run")
    found = source.load(f"sqlite:///{run}/trials.sqlite3", None, None)
    assert found.spec.objective.metric == "accuracy"
    (x,) = found.spec.space.parameters
    assert (x.name, x.low, x.high) == ("x", 0.0, 1.0)
    assert isinstance(found.spec, Unwritten)


def test_a_url_with_a_name(tmp_path):
    """`URL#name` and `--study` choose among several studies; the option counts more."""
    run = make_run(tmp_path / "run", "one", "two")
    url = f"sqlite:///{run}/trials.sqlite3"
    assert source.load(f"{url}#two", None, None).spec.name == "two"
    assert source.load(f"{url}#two", "one", None).spec.name == "one"


def test_several_studies_are_listed(tmp_path, capsys):
    """Which of them is meant is never guessed."""
    run = make_run(tmp_path / "run", "one", "two")
    said = refused(capsys, f"sqlite:///{run}/trials.sqlite3", None, None)
    assert "holds 2 studies: one, two; choose one with --study" in said


def test_an_unknown_study(tmp_path, capsys):
    """The name is said back, and what could be asked for."""
    assert "no study 'other' in it; it holds study" in refused(
        capsys, str(make_run(tmp_path / "run")), "other", None
    )


@pytest.mark.parametrize("name", ["digits", "a/digits", "a/digits/1"])
def test_an_operator_s_study_needs_no_uid(name, tmp_path):
    """Nobody types a uid where the name says which one is meant."""
    run = make_run(tmp_path / "run", "a/digits/1", "a/other/2")
    assert source.load(f"sqlite:///{run}/trials.sqlite3", name, None).spec.name == "a/digits/1"


def test_a_study_made_again_is_chosen_by_its_uid(tmp_path, capsys):
    """The same name twice is not guessed either."""
    run = make_run(tmp_path / "run", "a/digits/1", "a/digits/2", "a/other/3")
    said = refused(capsys, f"sqlite:///{run}/trials.sqlite3", "digits", None)
    assert "holds 2 studies 'digits': a/digits/1, a/digits/2; choose one with --study" in said


def test_a_long_list_of_studies_is_cut(tmp_path, capsys):
    """A database of years has hundreds of them."""
    run = make_run(tmp_path / "run", *(f"study-{number:02}" for number in range(23)))
    said = refused(capsys, f"sqlite:///{run}/trials.sqlite3", None, None)
    assert "study-19 and 3 more; choose one" in said


def test_no_such_folder(tmp_path, capsys):
    """A path that is not there."""
    assert "no such folder" in refused(capsys, str(tmp_path / "none"), None, None)


def test_a_folder_without_a_study(tmp_path, capsys):
    """A folder of something else."""
    assert "no study in it, trials.sqlite3 is missing" in refused(capsys, str(tmp_path), None, None)


def test_a_file_instead_of_a_folder(tmp_path, capsys):
    """The URL to write instead is shown."""
    (tmp_path / "a.db").touch()
    said = refused(capsys, str(tmp_path / "a.db"), None, None)
    assert f"give the run's folder, or sqlite:///{tmp_path}/a.db" in said


def test_a_database_that_is_not_there_is_not_made(tmp_path, capsys):
    """Looking leaves nothing behind."""
    assert "no such file" in refused(capsys, f"sqlite:///{tmp_path}/a.db", None, None)
    assert not (tmp_path / "a.db").exists()


def test_a_file_that_is_no_database(tmp_path, capsys):
    """The driver's words, on one line."""
    (tmp_path / "a.db").write_text("x" * 200)
    said = refused(capsys, f"sqlite:///{tmp_path}/a.db", None, None)
    assert "cannot be read: file is not a database" in said


def test_an_empty_database(tmp_path, capsys):
    """No study yet."""
    sqlite3.connect(tmp_path / "a.db").close()
    (tmp_path / "a.db").touch()
    assert "no study in it" in refused(capsys, f"sqlite:///{tmp_path}/a.db", None, None)


@pytest.mark.parametrize(
    "url", ["foo://user:secret@host/db", "postgresql+psycopg://u:secret@h:x/d"]
)
def test_a_password_is_never_shown(url, capsys):
    """Messages end up in logs."""
    assert "secret" not in refused(capsys, url, None, None)


def test_what_is_of_a_cluster_alone(tmp_path, capsys):
    """A namespace says nothing of a folder: who gives one meant something else."""
    run = make_run(tmp_path / "run")
    assert "are for study/NAME" in refused(capsys, str(run), None, "team-a")
    with pytest.raises(SystemExit):
        source.load(str(run), None, None, access=Access(storage="sqlite:///x"))
    assert "are for study/NAME" in capsys.readouterr().err


def test_a_manifest_that_does_not_fit(tmp_path, capsys):
    """A manifest changed by hand is left out, with a word: the trials are shown all the same."""
    run = make_run(tmp_path / "run", manifest=MANIFEST.replace("Maximize", "Minimize"))
    found = source.load(str(run), None, None)
    assert found.spec.objective.direction.value == "Maximize"
    assert "is of another study" in capsys.readouterr().err
