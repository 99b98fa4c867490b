"""Whether a run that did not say its values is judged yet: metrics may arrive after it."""

from kubetune.domain import transitions
from kubetune.domain.observation import LastReading, Observation
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Run
from kubetune.domain.trial import Outcome

OUTAGE_SECONDS = 600.0
"""So long a trial waits for metrics that cannot be read; Prometheus is asked no further back."""


def wait_seconds(seen: Observation, run: Run, outcome: Outcome) -> float:
    """How much longer the last values of an ended run may come; 0 once `outcome` is its trial's.

    Only where metrics lag behind, and for an outcome that more values could change:

        no value of an objective   the lag, and an answer since the end; without one an outage
        values, but no result      an answer since the end, or the lag
        anything else              not at all

    The time is this engine's own, counted from when it first waited for the run: no clock of a
    node is believed, and no trial waits for longer than an outage.
    """
    lag = seen.metrics_lag_seconds
    missing = outcome.reason is TrialReason.METRICS_MISSING
    silent = run.exit is not None and not run.exit.message.strip()
    if not lag or not (missing or (silent and outcome.state in transitions.VALUED)):
        return 0.0
    last = seen.last_readings.get(run.uid, LastReading())
    if missing:
        limit = lag if last.answered else max(lag, OUTAGE_SECONDS)
    else:
        limit = 0.0 if last.answered else lag
    return max(0.0, limit - last.seconds)
