"""How Kopf is to behave: nothing is left to its defaults that could stop or pause the operator."""

from collections.abc import Mapping

import kopf

from kubetune.api.v1alpha1.study import GROUP
from kubetune.controller.options import Options

OPERATOR = "kubetune"

WATCH_SECONDS = 600
"""The server ends a watch after this, and Kopf begins it again."""

BACKOFF_SECONDS = (0.5, 1, 2, 4, 8, 16, 30)


def configure(
    settings: kopf.OperatorSettings, options: Options, selectors: Mapping[str, str]
) -> None:
    """Sets what matters; `selectors` narrows the watches of Jobs and pods on the server's side."""
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.posting.reporting_component = OPERATOR
    settings.watching.server_timeout = WATCH_SECONDS
    settings.watching.client_timeout = WATCH_SECONDS + 60
    settings.watching.connect_timeout = 10
    selector = ",".join(f"{name}={value}" for name, value in selectors.items())
    settings.watching.label_selectors["jobs"] = selector
    settings.watching.label_selectors["pods"] = selector
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = BACKOFF_SECONDS
    settings.process.ultimate_exiting_timeout = options.exit_seconds + 5
