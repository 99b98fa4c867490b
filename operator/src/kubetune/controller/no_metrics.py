"""The metric source of an operator that was started without a Prometheus."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run


class NoMetrics:
    """Says, each time it is asked, that there is nothing to read from."""

    lag_seconds = 0.0

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """Raises: MetricsReachable is then False, nothing is pruned, results still arrive."""
        return self._refuse(len(runs))

    def _refuse(self, count: int) -> NoReturn:
        raise LookupError(f"{count} trials run and there is no Prometheus: start with --prometheus")
