"""Metrics as frameworks name them, as a study takes them."""

import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

MAX_LENGTH = 63


def reportable(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What of it is a number, NaN and infinities too, by names that a trial may report.

    `eval/top-1` becomes `eval_top_1`.
    """
    return {
        _name(name): float(value)
        for name, value in metrics.items()
        if isinstance(value, Real) and not isinstance(value, bool)
    }


def _name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return (plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}")[:MAX_LENGTH]
