"""What a trial shows while it runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reported:
    """One metric's newest value and the step it belongs to."""

    value: float
    step: float


@dataclass(frozen=True, slots=True)
class Live:
    """What a scrape sees: one consistent moment. `step` is None before the first report."""

    step: float | None = None
    progress: float = 0.0
    metrics: Mapping[str, Reported] = field(default_factory=dict)


def check_name(name: str) -> str:
    """The name of a metric, as the study accepts it.

    Raises:
        ValueError: it is not letters, digits and `_`, at most 63, beginning with no digit.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r}: write a metric's name with letters, digits and _, at most 63")
    return name
