"""The metric source of an operator that was started without a Prometheus."""

from collections.abc import Mapping, Sequence

from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run


class NoMetrics:
    """Says, each time it is asked, that there is nothing to read from."""

    lag_seconds = 0.0

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """Raises: MetricsReachable is then False, nothing is pruned, results still arrive."""
        del runs
        raise LookupError("the operator was started without --prometheus")
