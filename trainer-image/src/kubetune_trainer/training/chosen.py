"""Another recipe's model and data, for a recipe that looks at it from outside."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from kubetune_trainer import parameters, reference
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.notes import note
from kubetune_trainer.training import devices, memory, optimizers, seeds
from kubetune_trainer.training.built import Built
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.optimizers import Optimizer
from kubetune_trainer.training.quiet import quiet
from kubetune_trainer.trial import Trial

OwnT = TypeVar("OwnT", bound="Choice")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which recipe is looked at; its own parameters stand beside this one."""

    recipe: Literal["causal-lm", "image-classifier", "diffusion-lora"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The recipe's configuration and what it built of it."""

    config: TrainingConfig
    built: Built
    device: Device
    optimizer: Optimizer


def own(trial: Trial, kind: type[OwnT]) -> OwnT:
    """The parameters of the recipe that looks."""
    return parameters.bind(kind, trial.parameters)


def configured(trial: Trial, choice: Choice, *, plain: bool) -> TrainingConfig:
    """The chosen recipe's parameters; `plain` without what keeps a model from learning by heart.

    Raises:
        BadConfiguration: they cannot be trained with, or are in fp16: its loss has to be scaled,
            and would be another one then.
    """
    module = _recipe(choice)
    named = {field.name for field in fields(choice)}
    given = {name: value for name, value in trial.parameters.items() if name not in named}
    config: TrainingConfig = parameters.bind(module.Config, given)
    if unread := parameters.unused(config, given):
        note(f"not read by this trainer: {', '.join(unread)}")
    if config.precision == "fp16":
        raise BadConfiguration("precision: fp16 is not for looking at a recipe, write bf16 or fp32")
    return replace(config, **module.PLAIN) if plain else config


def build(trial: Trial, choice: Choice, config: TrainingConfig) -> Chosen:
    """What the chosen recipe makes of its configuration.

    Raises:
        BadConfiguration: the recipe finds what is wrong with the files, or nothing is trained.
    """
    quiet()
    device = devices.chosen(config.precision)
    seeds.seed_all(trial.seed)
    with memory.watched("loading model and data"):
        built = _recipe(choice).build(config, trial.seed, device, trial.artifact_dir)
    try:
        optimizer = optimizers.build(built.groups, config.optimizer)
    except ValueError as error:
        raise BadConfiguration(str(error)) from error
    for words in (*built.notes, *optimizer.notes):
        note(words)
    return Chosen(config, built, device, optimizer)


def _recipe(choice: Choice) -> Any:
    return reference.module(choice.recipe)
