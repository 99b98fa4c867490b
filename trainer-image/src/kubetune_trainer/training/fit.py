"""From a recipe and the trial's parameters to a training that has run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from torch import nn

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.notes import note
from kubetune_trainer.training import (
    devices,
    memory,
    optimizers,
    ranks,
    schedules,
    seeds,
    trackers,
)
from kubetune_trainer.training.built import Built
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.loop import Loop, Setup
from kubetune_trainer.training.order import Order
from kubetune_trainer.training.quiet import quiet
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.task import Plan
from kubetune_trainer.trial import Trial

ConfigT = TypeVar("ConfigT", bound=TrainingConfig)

Build: TypeAlias = Callable[[ConfigT, int, Device, Path | None], Built]
"""A recipe's own part, of its configuration, the seed, the device and where artifacts go."""


def fit(trial: Trial, kind: type[ConfigT], build: Build[ConfigT]) -> None:
    """Trains one configuration as the recipe builds it, and reports to the trial."""
    config = trial.parameters_as(kind)
    quiet()
    with ranks.joined() as joined:
        device = devices.chosen(config.precision)
        seeds.seed_all(trial.seed)
        with memory.watched("loading model and data"):
            built = build(config, trial.seed, device, trial.artifact_dir)
        with trackers.opened(trial, first=joined.first) as opened:
            Loop(
                trial, _setup(trial, config, built, device=device, joined=joined, opened=opened)
            ).run()


def _setup(
    trial: Trial,
    config: TrainingConfig,
    built: Built,
    *,
    device: Device,
    joined: Ranks,
    opened: trackers.Trackers,
) -> Setup:
    """Everything for the loop.

    Raises:
        BadConfiguration: the configuration does not fit the data.
    """
    judged = built.judged
    try:
        order = Order(
            length=built.task.length,
            batch_size=config.batch_size,
            seed=trial.seed,
            accumulation=config.gradient_accumulation_steps,
            smallest=joined.size,
            groups=built.bins,
        )
        optimizer = optimizers.build(built.groups, config.optimizer)
    except ValueError as error:
        raise BadConfiguration(str(error)) from error
    steps = config.steps(order.steps_per_epoch)
    course = config.course(steps, built.one_cycle)
    watched = judged.by(trial.objectives)
    if joined.first:
        header = _header(config, built, device, optimizer.parameters, steps)
        for words in (header, *built.notes, *optimizer.notes, *course.notes):
            note(words)
    return Setup(
        task=built.task,
        optimizer=optimizer,
        scheduler=schedules.build(optimizer.torch_optimizer, course),
        order=order,
        plan=Plan(
            steps=steps,
            log_every=config.log_every,
            evaluate_every=config.evaluate_every or order.steps_per_epoch,
            evaluate_first=config.evaluate_first,
            largest_gradient_norm=config.max_grad_norm,
            patience=config.early_stop_evaluations,
            min_improvement=config.early_stop_min_delta,
            higher_is_better=watched in judged.higher,
            watched=watched,
            unit=judged.unit,
        ),
        device=device,
        ranks=joined,
        trackers=opened,
        workers=config.data_workers,
    )


def _header(
    config: TrainingConfig,
    built: Built,
    device: Device,
    parameters: Sequence[nn.Parameter],
    steps: int,
) -> str:
    """What is trained, in a line."""
    trained = sum(each.numel() for each in parameters)
    known = sum(each.numel() for each in built.task.module.parameters())
    size = f"{config.batch_size}"
    if config.gradient_accumulation_steps > 1:
        size += f" x {config.gradient_accumulation_steps}"
    precision = str(device.dtype).removeprefix("torch.")
    return (
        f"training {trained:,} of {known:,} weights on {built.task.length:,} examples, "
        f"{steps:,} steps of {size}, {device.torch_device} in {precision}"
    )
