"""The folder of a run and its journal."""

import os
from pathlib import Path

import pytest

from kubetune.adapters.local.files import MESSAGE_LIMIT, Record, RunFiles, read_record, read_records
from kubetune.domain.runs import Exit, RunState


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    files = RunFiles(tmp_path, 3, 1)
    files.prepare()
    return files


def begin(files: RunFiles) -> None:
    files.append(number=3, attempt=1, uid="u", port=5000, gpus=["GPU-1"])


def test_lines_add_up(files: RunFiles) -> None:
    """Each line of a journal adds to those before it."""
    begin(files)
    files.append(pid=7, birth="b", started_at=1.5)
    assert read_record(files.journal) == Record(
        number=3, attempt=1, uid="u", port=5000, gpus=("GPU-1",), pid=7, birth="b", started_at=1.5
    )


def test_a_torn_line_is_ignored(files: RunFiles) -> None:
    """A tuner killed while it writes loses that line and no other."""
    begin(files)
    with files.journal.open("ab") as journal:
        journal.write(b'{"pid": 12')
    record = read_record(files.journal)
    assert record is not None
    assert record.pid is None


@pytest.mark.parametrize("text", [b"", b'{"number": 3', b"[]\n", b"{}\n", b"\xff\n", b"null\n"])
def test_a_journal_without_a_first_line_is_none(files: RunFiles, text: bytes) -> None:
    """What is not even an intent was never started."""
    files.journal.write_bytes(text)
    assert read_record(files.journal) is None


def test_unknown_fields_are_left_alone(files: RunFiles) -> None:
    """A journal of a newer version can still be read."""
    begin(files)
    files.append(pid=7, colour="green")
    record = read_record(files.journal)
    assert record is not None
    assert record.pid == 7


def test_only_journals_are_found(files: RunFiles) -> None:
    """Other files beside the journals are not taken for runs; the order is that of trials."""
    begin(files)
    (files.journal.parent / "10-1.jsonl").write_text('{"number":10,"attempt":1,"uid":"v"}\n')
    (files.journal.parent / "notes-x.jsonl").write_text("hello")
    found = read_records(files.folder)
    assert [record.number for _, record in found if record] == [3, 10]
    assert len(found) == 2


def test_a_folder_without_journals_is_empty(tmp_path: Path) -> None:
    """A new folder has no runs."""
    assert read_records(tmp_path) == []


def test_a_retired_run_is_no_longer_found(files: RunFiles) -> None:
    """The journal moves beside the trial's other files; retiring twice is no error."""
    begin(files)
    files.retire()
    files.retire()
    assert read_records(files.folder) == []
    assert (files.trial / "attempt-1.jsonl").exists()


def test_states_follow_from_what_is_known() -> None:
    """Pending before there is a process, Running until the end is noted, then Ended."""
    intent = Record(number=3, attempt=1, uid="u")
    live = Record(number=3, attempt=1, uid="u", pid=7, started_at=1.0)
    over = Record(number=3, attempt=1, uid="u", pid=7, started_at=1.0, ended_at=2.0, code=0)
    assert intent.run(b"", "waits").waiting == "waits"
    assert [record.run(b"m", "waits").state for record in (intent, live, over)] == [
        RunState.PENDING,
        RunState.RUNNING,
        RunState.ENDED,
    ]
    assert over.run(b"m", "waits").exit == Exit(code=0, message=b"m")


def test_message_is_read_as_it_is(files: RunFiles) -> None:
    """Bytes are passed on, not text."""
    files.result.write_bytes(b"\xff\x00{")
    assert files.message() == b"\xff\x00{"


def test_a_long_message_is_cut_one_byte_too_late(files: RunFiles) -> None:
    """One byte more than a legal message shows that it was too long."""
    files.result.write_bytes(b"x" * 100_000)
    assert len(files.message()) == MESSAGE_LIMIT


def test_no_message_is_empty(files: RunFiles) -> None:
    """A trial that wrote nothing has an empty message."""
    assert files.message() == b""


def test_a_link_is_not_followed(files: RunFiles) -> None:
    """A trial cannot make the tuner read another file."""
    files.result.symlink_to("/etc/passwd")
    assert files.message() == b""


def test_a_folder_in_its_place_is_empty(files: RunFiles) -> None:
    """Only a plain file is a message."""
    files.result.mkdir()
    assert files.message() == b""


def test_a_pipe_in_its_place_does_not_block(files: RunFiles) -> None:
    """A named pipe that nobody writes to is no message."""
    os.mkfifo(files.result)
    assert files.message() == b""


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_an_earlier_message_is_cleared(files: RunFiles, kind: str) -> None:
    """A new launch of the same attempt does not inherit a result."""
    match kind:
        case "file":
            files.result.write_bytes(b"old")
        case "folder":
            (files.result / "inner").mkdir(parents=True)
        case _:
            files.result.symlink_to(files.folder / "elsewhere")
    files.prepare()
    assert not os.path.lexists(files.result)
