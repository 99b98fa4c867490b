"""A trial's output is kept within bounds."""

import os
from pathlib import Path

from kubetune.adapters.local.logs import open_log, trim


def test_attempts_follow_each_other(tmp_path: Path) -> None:
    """Each attempt adds to the log under a header that names it and its command."""
    log = tmp_path / "stdout.log"
    for attempt in (1, 2):
        descriptor = open_log(log, attempt, "python train.py", ["a note"])
        os.write(descriptor, b"output\n")
        os.close(descriptor)
    lines = log.read_text().splitlines()
    assert lines[0].startswith("--- attempt 1, ")
    assert lines[0].endswith(": python train.py")
    assert lines[1:3] == ["--- a note", "output"]
    assert lines[3].startswith("--- attempt 2, ")


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    """Up to the limit nothing is cut."""
    log = tmp_path / "stdout.log"
    log.write_bytes(b"x" * 100)
    assert not trim(log, limit=100, kept=10)
    assert log.read_bytes() == b"x" * 100


def test_the_middle_of_a_long_log_is_cut(tmp_path: Path) -> None:
    """The beginning and the end stay, with a line that says how much is missing."""
    log = tmp_path / "stdout.log"
    log.write_bytes(b"first" + b"x" * 1000 + b"final")
    assert trim(log, limit=100, kept=5)
    assert log.read_bytes() == b"first\n--- 1000 bytes left out\nfinal"


def test_writing_goes_on_after_a_cut(tmp_path: Path) -> None:
    """A trial that has the log open goes on at its new end, without a hole."""
    log = tmp_path / "stdout.log"
    descriptor = open_log(log, 1, "x", [])
    os.write(descriptor, b"y" * 1000)
    trim(log, limit=100, kept=4)
    os.write(descriptor, b"more")
    os.close(descriptor)
    assert log.read_bytes().endswith(b"yyyymore")
    assert log.stat().st_size < 100


def test_a_missing_log_is_no_error(tmp_path: Path) -> None:
    """A trial may remove its own log."""
    assert not trim(tmp_path / "none")
