"""What the operator knows and tells nobody: passwords, tokens, what stands in its environment."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant, running
from tests.integration.operator.stage import Study, below, completes, played

PASSWORD = "correct-horse-battery"
PAIR = b64encode(f"tuner:{PASSWORD}".encode()).decode()
EMPTY = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'


class Guarded(BaseHTTPRequestHandler):
    """A Prometheus that wants a name and password, and repeats what it was told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = self.headers.get("Authorization", "")
        known = told == f"Basic {PAIR}"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(EMPTY if known else f"who is {told}?".encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def prometheus() -> Iterator[str]:
    """The address of a guarded Prometheus without any series."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Keeper:
    """Who starts operators that have something to hide."""

    def __init__(self, plane: ControlPlane, namespace: str, folder: Path) -> None:
        self.plane, self.namespace, self._folder = plane, namespace, folder
        token = users.token_of(plane.home.folder / "keys" / "tokens.csv", users.OPERATOR)
        self._secrets = [PASSWORD, PAIR, token, "sesame"]

    def operator(self, *options: str, storage: str | None = None) -> OperatorProcess:
        """An operator of the namespace."""
        return OperatorProcess(
            self.plane,
            self._folder,
            namespaces=[self.namespace],
            storage=storage,
            options=options,
        )

    def shown(self, operator: OperatorProcess, study: Study) -> list[str]:
        """The secrets that stand in anything that one can read of an operator and its study."""
        told = [operator.log, operator.metrics(), str(study.resource), *study.events]
        return [secret for secret in self._secrets if secret in "\n".join(told)]


@pytest.fixture
def keeper(
    studies: ControlPlane, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Keeper:
    """One whose operators have a name and password for Prometheus."""
    grant(studies)
    monkeypatch.setenv("KUBETUNE_PROMETHEUS_USERNAME", "tuner")
    monkeypatch.setenv("KUBETUNE_PROMETHEUS_PASSWORD", PASSWORD)
    return Keeper(studies, namespace, tmp_path)


def test_credentials_open_prometheus_and_stand_nowhere(keeper: Keeper, prometheus: str) -> None:
    """From the environment; neither they nor the operator's own token are shown, nor in detail."""
    operator = keeper.operator(f"--prometheus={prometheus}", "--verbose")
    with running(operator), played(keeper.plane, keeper.namespace, below(0)) as play:
        study = Study(keeper.plane, keeper.namespace, metrics={"intervalSeconds": 0.5})
        study.until(lambda: study.condition("MetricsReachable")[0] == "True", "it to be let in")
        play.script = completes
        study.finish()
        assert not keeper.shown(operator, study)
    assert "DEBUG" in operator.log


@pytest.mark.parametrize("options", [[], ["--verbose"]])
def test_what_does_not_open_stands_nowhere_either(
    keeper: Keeper, prometheus: str, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    """A refused password, and a database that is away: the words about them do without them."""
    monkeypatch.setenv("KUBETUNE_PROMETHEUS_USERNAME", "stranger")
    operator = keeper.operator(f"--prometheus={prometheus}", *options)
    with running(operator), played(keeper.plane, keeper.namespace, below(0)):
        study = Study(keeper.plane, keeper.namespace, metrics={"intervalSeconds": 0.5})
        study.until(lambda: study.condition("MetricsReachable")[0] == "False", "it to be refused")
        assert not keeper.shown(operator, study)
        assert "401" in study.condition("MetricsReachable")[1]
    away = "postgresql+psycopg://me:open%40sesame@127.0.0.1:1/tuning?application_name=sesame"
    operator = keeper.operator(*options, storage=away)
    with running(operator):
        study.until(lambda: study.condition("StorageReachable")[0] == "False", "it to be missed")
        assert not keeper.shown(operator, study)
