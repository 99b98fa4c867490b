"""How Kopf is to behave: nothing is left to its defaults that could stop or pause the operator."""

from collections.abc import Iterator
from typing import Any

import kopf

from kubetune.adapters.kubernetes.names import SELECTOR
from kubetune.api.v1alpha1.study import GROUP

OPERATOR = "kubetune"

WATCH_SECONDS = 600
"""The server ends a watch after this, and Kopf begins it again."""


SILENT_SECONDS = 70
"""A watch that brings not even a bookmark for so long is begun anew: servers send one a minute."""


class Backoffs:
    """How long Kopf waits between tries, without end: a list would end the operator with it."""

    SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
    LAST_SECONDS = 15.0

    def __iter__(self) -> Iterator[float]:
        yield from self.SECONDS
        while True:
            yield self.LAST_SECONDS


class NoDifferences(kopf.DiffBaseStorage):
    """Objects are never compared with what they were: no handler asks for it.

    Kopf would copy each object several times for that with every event.
    """

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of an object is worth comparing."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing is noted on any object."""
        return None

    def store(self, **_: Any) -> None:
        """Notes nothing."""


def configure(settings: kopf.OperatorSettings) -> None:
    """Sets what matters. Jobs and pods that are not ours are left out on the server's side."""
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = NoDifferences()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.posting.reporting_component = OPERATOR
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 60
    settings.watching.inactivity_timeout = SILENT_SECONDS
    settings.watching.connect_timeout = 10
    settings.watching.label_selectors["jobs"] = SELECTOR
    settings.watching.label_selectors["pods"] = SELECTOR
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = Backoffs()
    settings.process.ultimate_exiting_timeout = None
