"""What a recipe makes of a configuration, before anything is trained."""

from dataclasses import dataclass, field

from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.schedules import OneCycle
from kubetune_trainer.training.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the recipe's evaluations are compared by.

    `higher` lists the metrics that are better when higher, all others are when lower. `watched`
    is the one that counts when the study's first objective is none of `known`. `unit` names what
    a loss is a mean over, for the throughput.
    """

    watched: str
    known: tuple[str, ...]
    higher: tuple[str, ...] = ()
    unit: str = "examples"

    def by(self, objectives: tuple[str, ...]) -> str:
        """The metric that decides which evaluation is the best."""
        first = next(iter(objectives), "")
        return first if first in self.known else self.watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A task on its device, and what of it learns how fast.

    `bins` as `Order.groups`; `notes` are shown before the training, a line each.
    """

    task: Task
    groups: tuple[Group, ...]
    judged: Judged
    bins: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    one_cycle: OneCycle = field(default_factory=OneCycle)
