"""Norms of gradients and weights, and when a gradient counts as exploded."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import nn

WINDOW = 50
"""So many norms before it are what a norm is compared with."""

FIRST = 10
"""With fewer norms before it none counts as exploded: the first ones are large by nature."""

LARGE, HUGE = 10.0, 100.0
"""Times the median: this large twice within `NEAR_STEPS`, or this huge once."""

NEAR_STEPS = 20


@dataclass(slots=True)
class Explosions:
    """Counts explosions of the gradient norm before clipping.

    One is a norm that is not finite, or of more than 100 times the median of the last 50, or the
    second of more than 10 times within 20 steps. Norms of explosions do not enter the median.
    """

    count: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    large_step: int | None = None

    def saw(self, step: int, norm: float) -> bool:
        """Takes the norm of a step; whether it is an explosion."""
        exploded = not math.isfinite(norm)
        large = False
        if not exploded and len(self.recent) >= FIRST:
            usual = median(self.recent)
            large = norm > LARGE * usual
            near = self.large_step is not None and step - self.large_step <= NEAR_STEPS
            exploded = norm > HUGE * usual or (large and near)
        if large:
            self.large_step = step
        elif not exploded:
            self.recent.append(norm)
        self.count += exploded
        return exploded

    def state(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return {"count": self.count, "recent": list(self.recent), "large_step": self.large_step}

    @classmethod
    def of(cls, state: dict[str, object]) -> "Explosions":
        """From what `state` gave."""
        found = cls(**state)  # type: ignore[arg-type]  # as written by `state`
        found.recent = deque(found.recent, maxlen=WINDOW)
        return found


def clip(parameters: Sequence[nn.Parameter], largest: float) -> float:
    """Clips the gradients to a norm, 0 for none; gives the L2 norm before.

    It is the norm over all of them at once, NaN or infinite as it is.
    """
    limit = largest if largest > 0 else math.inf
    return float(nn.utils.clip_grad_norm_(list(parameters), limit))


def weight_norm(parameters: Sequence[nn.Parameter]) -> float:
    """The L2 norm of what is trained."""
    with torch.no_grad():
        norms = torch._foreach_norm([parameter.detach() for parameter in parameters])  # noqa: SLF001 - torch's own optimizers use it so
        return float(torch.linalg.vector_norm(torch.stack([each.float() for each in norms])))
