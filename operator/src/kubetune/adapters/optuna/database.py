"""One engine and one thread for all studies of a URL."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, ClassVar, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    exc,
    insert,
    inspect,
    make_url,
    select,
    text,
)

from kubetune.adapters.optuna import tables
from kubetune.adapters.optuna.urls import with_driver
from kubetune.domain.ports import StorageUnreachable

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long SQLite waits for another process that writes."""

CONNECT_SECONDS = 10
"""How long a server may take to take a connection."""

_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""Half a minute, by libpq's words, after which a server counts as gone that a network hides."""

_NO_RIGHT = "42501"
"""What PostgreSQL answers to a role without the right to do this."""


class Database:
    """The connections to one URL, shared by its studies; used from its own thread alone.

    One engine a URL keeps the number of connections independent of the number of studies; one
    thread keeps writes in order and off the event loop.
    """

    _lock: ClassVar[Lock] = Lock()
    _open: ClassVar[dict[tuple[str, bool], "Database"]] = {}

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = url
        self.users = 0
        self._read_only = read_only
        self._engine: Engine | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")

    @classmethod
    def acquire(cls, url: str, *, read_only: bool = False) -> "Database":
        """The database of a URL; every `acquire` wants one `release`.

        Read only, nothing is made or set in it: it may be somebody else's.

        Raises:
            ValueError: the URL names no driver that is there.
        """
        url = with_driver(url)
        with cls._lock:
            key = url, read_only
            database = cls._open.setdefault(key, cls(url, read_only=read_only))
            database.users += 1
            return database

    def release(self) -> None:
        """Closes the connections when the last user has gone."""
        with self._lock:
            self.users -= 1
            if self.users:
                return
            del self._open[self.url, self._read_only]
        self._thread.submit(self._dispose)
        self._thread.shutdown(wait=True)

    async def call(self, work: Callable[[], T]) -> T:
        """Runs work in the database's thread, after all that was asked for before."""
        return await asyncio.wrap_future(self._thread.submit(work))

    def call_now(self, work: Callable[[], T]) -> T:
        """The same for callers without an event loop; never from the database's thread."""
        return self._thread.submit(work).result()

    def transaction(self, work: Callable[[Connection], T]) -> T:
        """Runs work in one transaction. Only in the database's thread.

        Raises:
            StorageUnreachable: the database did not answer, or not to this role; whether a commit
                still reached it is unknown then, so read before writing again.
        """
        try:
            if self._engine is None:
                self._engine = _connect(self.url, read_only=self._read_only)
            with self._engine.begin() as connection:
                return work(connection)
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise StorageUnreachable(f"storage: {self._reason(error)}") from error
        except exc.ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _NO_RIGHT:
                raise
            raise StorageUnreachable(f"storage: {self._reason(error)}") from error

    def _reason(self, error: exc.SQLAlchemyError) -> str:
        """The driver's own words, without statement, parameters or URL; a file is named."""
        origin = getattr(error, "orig", None)
        words = str(origin or error).strip().splitlines()[0]
        if "unable to open" not in words:
            return words
        return f"{words} {make_url(self.url).database}: is its folder there, and may it be written?"

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _connect(url: str, *, read_only: bool) -> Engine:
    """An engine; to write with, over a database that has the tables.

    Raises:
        ValueError: there is no such kind of database, or no driver for it.
    """
    local = url.startswith("sqlite")
    try:
        engine = create_engine(url, connect_args=_patience(url), pool_pre_ping=not local)
    except (exc.ArgumentError, ImportError) as error:
        raise ValueError(f"storage {url.partition('://')[0]}:// cannot be used: {error}") from error
    if read_only:
        return engine
    if local:
        event.listen(engine, "connect", _tune_sqlite)
    try:
        tables.metadata.create_all(engine)
        with engine.begin() as connection:
            _check_schema(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _patience(url: str) -> dict[str, Any]:
    """How long to wait for the database: no study hangs for longer. What the URL says counts."""
    if url.startswith("sqlite"):
        return {"timeout": BUSY_SECONDS}
    if not url.startswith("postgresql+psycopg"):
        return {}
    told = make_url(url).query
    patience = {"connect_timeout": CONNECT_SECONDS, **_KEEPALIVE}
    return {name: value for name, value in patience.items() if name not in told}


def _tune_sqlite(connection: object, _: object) -> None:
    """A write-ahead log, synced at checkpoints: no trial is lost when a process is killed."""
    cursor = connection.cursor()  # type: ignore[attr-defined] # a DB-API connection
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _check_schema(connection: Connection) -> None:
    """Marks a new database, and refuses one at another revision.

    Raises:
        ValueError: with the command that upgrades it.
    """
    if inspect(connection).has_table("alembic_version"):
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if revision not in (None, tables.REVISION):
            raise ValueError(
                f"storage: the database has Optuna's schema {revision}, needed is "
                f"{tables.REVISION}: run `optuna storage upgrade --storage URL`"
            )
    if connection.execute(select(tables.versions.c.schema_version)).scalar() is None:
        mark = {"version_info_id": 1, "schema_version": tables.SCHEMA_VERSION}
        connection.execute(insert(tables.versions).values(**mark, library_version="5.0.0"))
