"""Live values over HTTP."""

import socket
import struct
import threading
import urllib.request
from math import inf, nan

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kubetune_trainer.exposition import Exposition
from kubetune_trainer.live import Live, Reported


def scrape(port: int) -> dict[str, float]:
    """Name, with the label's value in brackets where there is one, to value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        sample.name + "".join(f"[{name}]" for name in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_scrape():
    """A scrape shows the newest values, each with its own step, and the progress."""
    live = Live(step=5, progress=0.5, metrics={"loss": Reported(0.25, 5), "eval": Reported(0.5, 4)})
    served = Exposition(lambda: live, "127.0.0.1", 0)
    try:
        assert scrape(served.port) == {
            "kubetune_trial_metric[loss]": 0.25,
            "kubetune_trial_metric[eval]": 0.5,
            "kubetune_trial_metric_step[loss]": 5,
            "kubetune_trial_metric_step[eval]": 4,
            "kubetune_trial_step": 5,
            "kubetune_trial_progress_ratio": 0.5,
        }
    finally:
        served.close()


def test_nothing_reported_yet():
    """Before the first report there is progress alone: no step that nothing was reported at."""
    served = Exposition(Live, "127.0.0.1", 0)
    try:
        assert scrape(served.port) == {"kubetune_trial_progress_ratio": 0}
    finally:
        served.close()


def test_non_finite_values():
    """NaN and infinities are shown as they are."""
    live = Live(step=1, metrics={"loss": Reported(nan, 1), "norm": Reported(inf, 1)})
    served = Exposition(lambda: live, "127.0.0.1", 0)
    try:
        seen = scrape(served.port)
    finally:
        served.close()
    assert seen["kubetune_trial_metric[loss]"] == pytest.approx(nan, nan_ok=True)
    assert seen["kubetune_trial_metric[norm]"] == inf


def test_port_taken():
    """A port in use is an OSError, and a closed one is free again."""
    first = Exposition(Live, "127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        Exposition(Live, "127.0.0.1", first.port)
    first.close()
    Exposition(Live, "127.0.0.1", first.port).close()


def test_who_does_not_wait_is_no_error(capfd):
    """A scrape that is given up leaves nothing in the trial's log; the next one is answered."""
    gone, asked = threading.Event(), threading.Event()

    def slow():
        asked.set()
        gone.wait(5)
        return Live()

    served = Exposition(slow, "127.0.0.1", 0)
    try:
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert asked.wait(5)
        gone.set()
        for thread in threading.enumerate():
            if "process_request" in thread.name:
                thread.join(5)
        assert scrape(served.port) == {"kubetune_trial_progress_ratio": 0}
    finally:
        served.close()
    assert capfd.readouterr().err == ""
