"""What `kubetune operator` refuses at once, before anything is connected to."""

import logging
from pathlib import Path

import pytest

from kubetune.cli.operator import Request, _check, _shorten


def request(**changes: object) -> Request:
    values: dict[str, object] = {
        "storage": "sqlite:////tmp/study.db",
        "prometheus": None,
        "namespaces": (),
        "own_namespace": None,
        "kubeconfig": None,
        "health_address": "127.0.0.1:8080",
        "metrics_address": "127.0.0.1:9090",
        "resync_seconds": 60.0,
        "lease": None,
        "lease_seconds": 15.0,
        "verbose": False,
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


def test_what_can_be_used_passes() -> None:
    """Nothing is opened or asked for that."""
    _check(request(prometheus="http://prometheus:9090", health_address="[::1]:8080"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"storage": "study.db"}, "storage is not a URL"),
        ({"prometheus": "prometheus:9090"}, "Prometheus is no URL"),
        ({"prometheus": "http://me:secret@prometheus:9090"}, "no name or password in a URL"),
        ({"kubeconfig": Path("/nowhere/config")}, "--kubeconfig /nowhere/config is not a file"),
        ({"health_address": "8080"}, "--health-address 8080 is no address: write HOST:PORT"),
        ({"metrics_address": ":9090"}, "--metrics-address :9090 is no address"),
        ({"metrics_address": "127.0.0.1:http"}, "--metrics-address 127.0.0.1:http is no address"),
    ],
)
def test_what_cannot_be_used_is_refused(
    changes: dict[str, object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2 and one sentence that names the option, and no password."""
    with pytest.raises(SystemExit) as ended:
        _check(request(**changes))
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert words in said
    assert "secret" not in said
    assert len(said.strip().splitlines()) == 1


def test_kopfs_tracebacks_are_left_out_and_ours_are_not() -> None:
    """What a watch met is said in its message; an error of ours is to be mended."""
    for name, kept in (("kopf._core.engines", False), ("kubetune.controller.loop", True)):
        record = logging.LogRecord(name, logging.ERROR, "", 1, "x", None, (None, None, None))
        assert _shorten(record)
        assert (record.exc_info is not None) is kept
