"""The how-to's roles are enough for what they are for, and for nothing else."""

import json
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from kubetune.adapters.optuna.store import OptunaStore
from tests.builders import make_study
from tests.cluster.control_plane import ControlPlane
from tests.cluster.helm import rendered
from tests.fakes.clock import FakeClock
from tests.integration.storage.postgres import PASSWORD, USER, Postgres
from tests.integration.test_docs import REPOSITORY, block
from tests.integration.tuner import command

PAGE = REPOSITORY / "docs" / "how-to" / "keep-trials-in-postgresql.md"
WRITTEN = "postgres.databases:5432"
STUDY = "vision/digits/0f3e5a1c-52e8-4e54-8c4f-2f7d4a5b6c7d"


def statements(head: str) -> list[str]:
    """The statements of a block."""
    return [each.strip() for each in block(PAGE, head).split(";") if each.strip()]


def words_of(head: str) -> list[str]:
    """The words of a block of one command."""
    return shlex.split(block(PAGE, head).replace("\\\n", ""))


@pytest.fixture(scope="module")
def prepared(postgres: Postgres) -> Iterator[Postgres]:
    """A server on which the page was followed."""
    for statement in statements("sql server"):
        postgres.run_sql(statement)
    for statement in statements("sql reader"):
        postgres.run_sql(statement, "kubetune")
    yield postgres
    postgres.run_sql("DROP DATABASE kubetune WITH (FORCE)")
    postgres.run_sql("DROP ROLE tuner, reader")


def here(postgres: Postgres, text: str) -> str:
    """The page's words for this server."""
    return text.replace(WRITTEN, f"127.0.0.1:{postgres.port}")


async def test_the_roles_are_enough(prepared: Postgres) -> None:
    """The operator makes its tables and stores trials; who reads them by the page's commands can.

    Neither of the two reaches anything else, and the reader writes nothing.
    """
    secret = words_of("sh secret")[-1].partition("url=")[2]
    store = await OptunaStore.open(here(prepared, secret), STUDY, make_study(), FakeClock())
    await store.draw(2)
    await store.close()
    lines = block(PAGE, "sh read").splitlines()
    words = shlex.split(here(prepared, lines[0]))
    read = command(*words[1:], "--format", "json")
    assert (read.returncode, read.stderr) == (0, "")
    assert [json.loads(line)["number"] for line in read.stdout.splitlines()] == [0, 1]
    assert [shlex.split(line)[1] for line in lines] == ["trials", "report"]
    for role, password in (("tuner", "change-me"), ("reader", "change-me-too")):
        login = {"role": role, "password": password}
        assert "permission denied" in refused(prepared, "CREATE DATABASE more", **login)
        assert "permission denied" in refused(prepared, "CREATE ROLE more", **login)
    for statement in ("DELETE FROM trials", "CREATE TABLE mine (x int)"):
        told = refused(prepared, statement, role="reader", password="change-me-too")
        assert "permission denied" in told
    stranger = here(prepared, secret).replace("tuner:change-me", "outsider:x")
    prepared.run_sql("CREATE ROLE outsider LOGIN PASSWORD 'x'")
    assert "permission denied for database" in psql(stranger, "SELECT 1").stderr
    prepared.run_sql("DROP ROLE outsider")


def refused(postgres: Postgres, statement: str, *, role: str, password: str) -> str:
    """The server's words against a role's statement."""
    url = postgres.url("kubetune").replace(f"{USER}:{PASSWORD}", f"{role}:{password}")
    done = psql(url, statement)
    assert done.returncode
    return done.stderr


def psql(url: str, statement: str) -> "subprocess.CompletedProcess[str]":
    """One statement as whoever the URL names."""
    words = ["psql", "--no-psqlrc", url.replace("+psycopg", ""), f"--command={statement}"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_chart_takes_the_secret(studies: ControlPlane, namespace: str) -> None:
    """The page's secret is what the page's release reads: no password in it, and no volume."""
    words = words_of("sh secret")
    words[words.index("kubetune-system")] = namespace
    studies.kubectl(*words[1:])
    install = words_of("sh install")
    name, value = install[install.index("--set") + 1].split("=")
    objects = rendered({name: value})
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    entry = next(each for each in container["env"] if each["name"] == "KUBETUNE_STORAGE")
    reference = entry["valueFrom"]["secretKeyRef"]
    path = f"/api/v1/namespaces/{namespace}/secrets/{reference['name']}"
    assert reference["key"] in studies.request("GET", path)["data"]
    assert "PersistentVolumeClaim" not in {each["kind"] for each in objects}
    restarted = words_of("sh restart")
    assert f"deployment/{deployment['metadata']['name']}" in restarted
