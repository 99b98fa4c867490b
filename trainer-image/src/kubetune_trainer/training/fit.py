"""From a recipe's task and its configuration to a loop that has run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.trial import Trial
from kubetune_trainer.training import optimizers, schedules, trackers
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.loop import Loop, Setup
from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.order import Order
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.task import Plan, Task


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

    def by(self, objectives: Sequence[str]) -> str:
        """The metric that decides which evaluation is the best."""
        first = next(iter(objectives), "")
        return first if first in self.known else self.watched


def fit(
    trial: Trial,
    config: TrainingConfig,
    task: Task,
    *,
    groups: Sequence[Group],
    judged: Judged,
    device: Device,
    ranks: Ranks,
    bins: tuple[int, ...] = (),
    one_cycle: schedules.OneCycle | None = None,
) -> None:
    """Trains the task as the configuration says, and reports to the trial. `bins` as in `Order`.

    Raises:
        BadConfiguration: the configuration does not fit the data.
    """
    try:
        order = Order(
            length=task.length,
            batch_size=config.batch_size,
            seed=trial.seed,
            accumulation=config.gradient_accumulation_steps,
            smallest=ranks.size,
            groups=bins,
        )
        optimizer = optimizers.build(groups, config.optimizer)
    except ValueError as error:
        raise BadConfiguration(str(error)) from error
    steps = config.steps(order.steps_per_epoch)
    course = config.course(steps, one_cycle)
    for note in (*optimizer.notes, *course.notes):
        if ranks.first:
            sys.stderr.write(f"kubetune-trainer: {note}\n")
    watched = judged.by(trial.objectives)
    plan = Plan(
        steps=steps,
        log_every=config.log_every,
        evaluate_every=config.evaluate_every or order.steps_per_epoch,
        largest_gradient_norm=config.max_grad_norm,
        patience=config.early_stop_evaluations,
        min_improvement=config.early_stop_min_delta,
        higher_is_better=watched in judged.higher,
        watched=watched,
        unit=judged.unit,
    )
    with trackers.opened(trial, first=ranks.first) as opened:
        setup = Setup(
            task=task,
            optimizer=optimizer,
            scheduler=schedules.build(optimizer.torch_optimizer, course),
            order=order,
            plan=plan,
            device=device,
            ranks=ranks,
            trackers=opened,
            workers=config.data_workers,
        )
        Loop(trial, setup).run()
