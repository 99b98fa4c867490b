"""`kubetune-trainer RECIPE`: runs one of the recipes, in a study or by hand."""

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from kubetune_trainer import launching, reference
from kubetune_trainer.contract import Value
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.parameters import read_config, read_setting
from kubetune_trainer.trial import Trial

RECIPES = {
    "digits": "a small network learns 1,797 images of handwritten digits, on a CPU in seconds",
    "causal-lm": "a language model learns to answer: full fine-tuning or LoRA",
    "image-classifier": "a model of timm learns to tell images apart",
    "diffusion-lora": "Stable Diffusion 1.x or XL learns from captioned pictures, by a LoRA",
    "overfit-check": "can one of these three learn a few examples by heart at all",
    "lr-range-test": "which learning rates of one of these three are worth searching",
}
"""Name and one phrase each; `recipes/NAME.py`, `-` as `_`, has `train(trial)`."""

SEVERAL_DEVICES = ("causal-lm", "image-classifier", "diffusion-lora")
"""Recipes that train on all devices that there are."""

INSTALL = "install kubetune-trainer[torch]"

Train: TypeAlias = Callable[[Trial], None]
"""A recipe: trains with the trial's parameters and reports to it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, read."""

    recipe: str
    config: Path | None
    settings: dict[str, Value]
    seed: int | None
    output: Path | None


class _Help(argparse.Action):
    """`--help`: the command line, and after a recipe's name what it takes."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any
    ) -> None:
        parser.print_help()
        if recipe := getattr(namespace, "recipe", None):
            try:
                sys.stdout.write(f"\n{reference.words(recipe)}\n")
            except ModuleNotFoundError as error:
                sys.stdout.write(f"\n{recipe} needs {error.name}: {INSTALL}\n")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A bad command line is a bad configuration: no attempt will read it otherwise."""
        raise BadConfiguration(f"{message}\n{self.format_usage().strip()}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. Exits as the trial contract says."""
    count = launching.processes() if _wants_torch(arguments) else 1
    if count > 1:
        given = sys.argv[1:] if arguments is None else arguments
        raise SystemExit(launching.launch(count, ("-m", "kubetune_trainer", *given)))
    atexit.register(_leave)
    with Trial.from_environment() as trial:
        command = _read(_parser(named=True), arguments)
        train = _recipe(command.recipe)
        _apply(command, trial)
        train(trial)


def _leave() -> None:
    """The last thing: all has been said, and what is left is not gone through one by one.

    Of torch and triton so much is left that it would take a second; triton lists it on stderr.
    """
    gc.freeze()
    sys.stderr.flush()
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def run(train: Train, arguments: Sequence[str] | None = None) -> None:
    """Runs one recipe as a program of its own: `run(train)` under `__name__ == "__main__"`."""
    with Trial.from_environment() as trial:
        _apply(_read(_parser(named=False), arguments), trial)
        train(trial)


def _wants_torch(arguments: Sequence[str] | None) -> bool:
    """Whether it is a recipe that can use several devices."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = "-h" in given or "--help" in given
    return not asked and any(name in given for name in SEVERAL_DEVICES)


def _recipe(name: str) -> Train:
    """The recipe's own function.

    Raises:
        BadConfiguration: a package that it needs is not installed.
    """
    try:
        train: Train = reference.module(name).train
    except ModuleNotFoundError as error:
        raise BadConfiguration(f"{name} needs {error.name}: {INSTALL}") from error
    return train


def _parser(*, named: bool) -> _Parser:
    """The command line; with a recipe's name in front when `named`."""
    listing = "\n".join(f"  {name:<16} {phrase}" for name, phrase in RECIPES.items())
    parser = _Parser(
        prog="kubetune-trainer" if named else None,
        description="Trains one model. Inside a study the parameters come from the study.",
        epilog=f"recipes:\n{listing}" if named else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    words = "show this, and after a recipe's name what it takes"
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help=words)
    if named:
        parser.add_argument("recipe", metavar="RECIPE", choices=RECIPES, help="see below")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="take the parameters of a best_config.yaml, and test the model on held-back data",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="set one parameter; may be repeated",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="keep the trained model here, outside a study"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="the seed of everything random")
    return parser


def _read(parser: _Parser, arguments: Sequence[str] | None) -> Command:
    given = parser.parse_args(arguments)
    return Command(
        recipe=getattr(given, "recipe", ""),
        config=given.config,
        settings=dict(read_setting(text) for text in given.settings),
        seed=given.seed,
        output=given.output,
    )


def _apply(command: Command, trial: Trial) -> None:
    """Hands values from the command line to the trial; the file first, then what is set by hand.

    Training with a finished study's configuration is the held-out stage: the search is over.
    """
    if command.config is not None:
        values, seed = read_config(command.config)
        trial.override(values, seed=seed, stage="heldout")
    if command.settings or command.seed is not None:
        trial.override(command.settings, seed=command.seed)
    if command.output is not None:
        trial.keep_artifacts(command.output)
