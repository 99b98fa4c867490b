"""A real PostgreSQL server of its own, on loopback, that ends with the test run."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.ports import free_ports
from tests.cluster.requests import wait_until

USER = "kubetune"
PASSWORD = "s3cret-of-the-database"
"""No log, status or event may ever show it."""

_ACCOUNT = "postgres"
"""The server refuses to run as root; Debian's package makes this account."""

_KEEPER = """cat >&2
pid=$(head -n 1 "$0/data/postmaster.pid" 2>&-) && kill -QUIT "$pid"
rm -rf "$0"
"""
"""Ends the server and its folder when standard input closes, which the kernel does for the dead."""

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
}


class Postgres:
    """One server with its data in a folder; stopped and started again it is the same one."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        (self.port,) = free_ports(1)

    def url(self, database: str = "postgres") -> str:
        """Where a database is, with the password in it."""
        return f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Makes an empty database; its URL."""
        name = f"test_{uuid.uuid4().hex[:8]}"
        self.run_sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints, bare."""
        done = self._run(
            *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
            *(f"--dbname={self.url(database).replace('+psycopg', '')}", f"--command={statement}"),
        )
        return done.strip()

    def initialise(self) -> None:
        """Makes the data folder of a new server."""
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD)
        self._own(secret)
        self._run(
            *("initdb", "--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            *(f"--username={USER}", f"--pwfile={secret}", f"--pgdata={self._folder / 'data'}"),
        )
        lines = [f"{name} = '{value}'\n" for name, value in _SETTINGS.items()]
        lines.append(f"unix_socket_directories = '{self._folder}'\n")
        with (self._folder / "data" / "postgresql.conf").open("a") as settings:
            settings.writelines(lines)

    def start(self) -> None:
        """Starts it on the port it always has; returns when it answers."""
        log = self._folder / "log"
        self._run(
            *("pg_ctl", "start", "--wait", f"--log={log}", f"--options=-p {self.port}"),
            f"--pgdata={self._folder / 'data'}",
        )
        wait_until(self._answers, "PostgreSQL")

    def stop(self, mode: str = "immediate") -> None:
        """Stops it: `immediate` is a crash, `fast` cuts its clients off."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}", f"--pgdata={self._folder / 'data'}")

    def _answers(self) -> bool:
        try:
            return self.run_sql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, _ACCOUNT, _ACCOUNT)

    def _run(self, program: str, *words: str) -> str:
        account = {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": ()}
        done = subprocess.run(
            [str(self._programs / program), *words],
            check=True,
            capture_output=program == "psql",
            stdin=subprocess.DEVNULL,
            **({} if program == "psql" else {"stdout": subprocess.DEVNULL}),
            cwd=self._folder,
            text=True,
            **(account if os.geteuid() == 0 else {}),
        )
        return done.stdout or ""


def programs() -> Path | None:
    """The newest server's programs, None where there is no server."""
    found = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    path = debian[-1] if debian else Path(found).resolve() if found else None
    return path.parent if path else None


@contextmanager
def running(found: Path) -> Iterator[Postgres]:
    """A new server for as long as the block or this process lasts."""
    folder = Path(tempfile.mkdtemp(prefix="kubetune-postgres-"))
    server = Postgres(folder, found)
    server._own(folder)
    keeper = subprocess.Popen(
        ["sh", "-c", _KEEPER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait()
