"""What a guard or a pruner says about a running trial."""

from dataclasses import dataclass

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a running trial is to end: state, reason, and a sentence with the figures behind it."""

    state: TrialState
    reason: TrialReason
    message: str
