"""Reads what a trial shows on its metrics port: Prometheus text, of which four names count."""

from collections.abc import Iterator

from kubetune.domain.observation import Reading
from kubetune.domain.samples import METRIC_LIMIT, Sample, reading_of

_PREFIX = "kubetune_trial_"
_LINE_LIMIT = 4 * METRIC_LIMIT


def parse(body: bytes) -> Reading:
    """The newest points and the progress; an empty reading when the text is not what it should be.

    What samples mean is said in `domain/samples.py`, for every source alike.
    """
    try:
        return reading_of(_samples(body))
    except Exception:  # noqa: BLE001 - the parser raises many kinds on garbage, all mean the same
        return Reading()


def _samples(body: bytes) -> Iterator[Sample]:
    """The study's own samples; the rest of what a trial shows is not even parsed."""
    lines = body.decode(errors="replace").split("\n")
    ours = [line for line in lines if line.startswith(_PREFIX)][:_LINE_LIMIT]
    if not ours:
        return
    from prometheus_client.parser import (  # noqa: PLC0415 - 90 ms, paid by the first live trial
        text_string_to_metric_families,
    )

    for family in text_string_to_metric_families("\n".join(ours) + "\n"):
        for sample in family.samples:
            yield Sample(sample.name, sample.labels.get("name", ""), sample.value)
