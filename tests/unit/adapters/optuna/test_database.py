"""One engine and one thread a URL; a database that does not answer is told apart from a bad one."""

import re
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from kubetune.adapters.optuna import database as module
from kubetune.adapters.optuna.database import Database
from kubetune.domain.ports import StorageUnreachable


def _first(database: Database, query: str) -> object:
    def ask() -> object:
        return database.transaction(lambda connection: connection.execute(text(query)).scalar())

    return database.call_now(ask)


def test_shares_one_database_per_url(tmp_path: Path) -> None:
    """All studies of a URL share an engine; the last one that goes closes it."""
    url = f"sqlite:///{tmp_path}/study.db"
    one, other = Database.acquire(url), Database.acquire(url)
    assert one is other
    one.release()
    assert _first(other, "SELECT 1") == 1
    other.release()
    again = Database.acquire(url)
    assert again is not one
    again.release()


def test_keeps_off_the_callers_thread(tmp_path: Path) -> None:
    """Work runs in one thread that is not the caller's."""
    database = Database.acquire(f"sqlite:///{tmp_path}/study.db")
    threads = {database.call_now(threading.get_ident) for _ in range(3)}
    database.release()
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_tunes_sqlite(tmp_path: Path) -> None:
    """SQLite writes ahead and syncs at checkpoints: several times faster, safe against a kill."""
    database = Database.acquire(f"sqlite:///{tmp_path}/study.db")
    assert _first(database, "PRAGMA journal_mode") == "wal"
    assert _first(database, "PRAGMA synchronous") == 1
    database.release()


def test_says_that_it_is_unreachable(tmp_path: Path) -> None:
    """A database that cannot be opened is unreachable, with the driver's words and its file."""
    database = Database.acquire(f"sqlite:///{tmp_path}/missing/study.db")
    words = f"unable to open database file {tmp_path}/missing/study.db: is its folder there"
    with pytest.raises(StorageUnreachable, match=words):
        _first(database, "SELECT 1")
    database.release()


def test_says_that_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another process keeps locked is unreachable for now, and then is not."""
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.0)
    path = tmp_path / "study.db"
    database = Database.acquire(f"sqlite:///{path}")
    _first(database, "SELECT 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnreachable, match="locked"):
        _first(database, "UPDATE version_info SET library_version = '5' RETURNING 1")
    other.execute("ROLLBACK")
    other.close()
    assert _first(database, "UPDATE version_info SET library_version = '5' RETURNING 1") == 1
    database.release()


def test_refuses_another_schema(tmp_path: Path) -> None:
    """A database at another revision is refused with the command that upgrades it."""
    path = tmp_path / "study.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('v2.6.0.a')")
    connection.close()
    database = Database.acquire(f"sqlite:///{path}")
    with pytest.raises(ValueError, match="optuna storage upgrade"):
        _first(database, "SELECT 1")
    database.release()


@pytest.mark.parametrize("url", ["oracle9://me:secret@host/db", "sqlite+nothing:///file.db"])
def test_an_unknown_kind_of_database_is_refused(url: str) -> None:
    """It is no passing trouble: it says which kind, and never the password."""
    database = Database.acquire(url)
    try:
        with pytest.raises(ValueError, match=re.escape(url.partition(":")[0])) as refused:
            _first(database, "SELECT 1")
        assert "secret" not in str(refused.value)
    finally:
        database.release()
