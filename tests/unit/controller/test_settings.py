"""How Kopf is to behave."""

from itertools import islice

import kopf

from kubetune.controller.options import Options
from kubetune.controller.settings import Backoffs, configure


def test_kopf_never_gives_up() -> None:
    """A list of pauses would end the operator with its last one; each use begins anew."""
    backoffs = Backoffs()
    for _ in range(2):
        pauses = list(islice(backoffs, 100))
        assert pauses[0] < 1
        assert pauses == sorted(pauses)
        assert pauses[-1] == Backoffs.LAST_SECONDS


def test_nothing_pauses_or_writes() -> None:
    """No peering is followed, no event of Kopf's is posted, nothing foreign is watched."""
    settings = kopf.OperatorSettings()
    configure(settings)
    assert settings.peering.standalone
    assert not settings.posting.enabled
    assert settings.scanning.disabled
    selector = "app.kubernetes.io/managed-by=kubetune"
    assert {settings.watching.label_selectors[kind] for kind in ("jobs", "pods")} == {selector}


def test_a_silent_watch_is_begun_anew() -> None:
    """By this side, should the server's side have vanished without a word; soon after a minute."""
    settings = kopf.OperatorSettings()
    configure(settings)
    server, client = settings.watching.server_timeout, settings.watching.client_timeout
    assert server is not None
    assert client is not None
    assert server < client
    assert 60 < settings.watching.inactivity_timeout < 90


def test_a_loop_counts_as_hung_after_several_resyncs() -> None:
    """Never sooner than after five minutes: requests have their own time limits."""
    assert Options(storage="s", resync_seconds=1).stalled_seconds == 300
    assert Options(storage="s", resync_seconds=120).stalled_seconds == 600
