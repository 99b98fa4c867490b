"""What the recipes take, in words: for `kubetune-trainer RECIPE --help` and as a page.

`python -m kubetune_trainer.reference FILE` writes the page; all recipes have to be installed.
"""

import dataclasses
import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from kubetune_trainer import parameters

HEADER = """\
# The recipes

<!-- Generated from the recipes by `make generate-torch`; edit those instead. -->

`kubetune-trainer RECIPE` runs one, in a study with the study's parameters, or by hand with
`--set NAME=VALUE` or `--config best_config.yaml`. What may be set stands under `spec.parameters` or
`spec.fixed`; a parameter in **bold** must be given.

"""

COMMON = "Every training with torch"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of them; `default` is as a manifest has it, None where it must be given."""

    name: str
    kind: str
    default: str | None


def module(recipe: str) -> ModuleType:
    """The recipe's file.

    Raises:
        ModuleNotFoundError: a package that it needs is not installed.
    """
    return import_module(f"kubetune_trainer.recipes.{recipe.replace('-', '_')}")


def taken(config: type[Any]) -> list[Parameter]:
    """All fields of a configuration."""
    hints = get_type_hints(config)
    return [
        Parameter(
            field.name,
            parameters.describe(hints[field.name]),
            None if field.default is dataclasses.MISSING else json.dumps(field.default),
        )
        for field in dataclasses.fields(config)
    ]


def words(recipe: str) -> str:
    """A recipe for a terminal: what it does, and its parameters; first what must be given."""
    file = module(recipe)
    found = sorted(taken(file.Config), key=lambda each: each.default is not None)
    kinds = [kind for kind in file.Config.__mro__ if dataclasses.is_dataclass(kind)]
    told = "\n\n".join(f"{inspect.getdoc(each)}" for each in (file, *kinds))
    width = max(len(each.name) for each in found)
    lines = (
        f"  {each.name:<{width}}  {each.default or 'must be given'}  ({each.kind})"
        for each in found
    )
    return f"{recipe}: {told}\n\nparameters of {recipe}:\n" + "\n".join(lines)


def page(recipes: dict[str, str]) -> str:
    """The whole page; what recipes share stands there once."""
    from kubetune_trainer.training.config import TrainingConfig  # noqa: PLC0415 - needs torch

    common = taken(TrainingConfig)
    parts = [HEADER]
    for name in recipes:
        file = module(name)
        own = [each for each in taken(file.Config) if each not in common]
        parts += _part(f"`{name}`", (file, file.Config), own)
        if issubclass(file.Config, TrainingConfig):
            parts.append(
                f"And those of [{COMMON.lower()}](#{COMMON.lower().replace(' ', '-')}).\n\n"
            )
    parts += _part(COMMON, (TrainingConfig,), common)
    return "".join(parts).rstrip("\n") + "\n"


def _part(title: str, described: tuple[Any, ...], rows: list[Parameter]) -> Iterator[str]:
    yield f"## {title}\n\n"
    for each in described:
        yield f"{inspect.getdoc(each)}\n\n"
    yield "| parameter | is | default |\n|---|---|---|\n"
    for row in rows:
        name = f"`{row.name}`" if row.default is not None else f"**`{row.name}`**"
        default = "" if row.default is None else f"`{row.default}`"
        yield f"| {name} | {row.kind} | {default} |\n"
    yield "\n"


def main() -> None:
    """Writes the page, or prints it."""
    from kubetune_trainer.main import RECIPES  # noqa: PLC0415 - it shows `words`

    text = page(RECIPES)
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
