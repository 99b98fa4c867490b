"""The reference of the command line as Markdown, generated from its own help.

`python -m kubetune.cli.reference FILE` writes it there; without a file it is printed.
"""

import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from kubetune.cli.main import app
from kubetune.cli.output import Exit

HEADER = """\
# The command line

<!-- Generated from the commands' own help by `make generate`; edit that instead. -->

"""


_KINDS = {int: "NUMBER", float: "SECONDS", Path: "FILE"}


def render() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    lines = [*_paragraphs(group.help), *_exits()]
    for name, command in group.commands.items():
        lines += [f"## kubetune {name}", "", *_paragraphs(command.help), *_table(command.params)]
    return HEADER + "\n".join(lines)


def _paragraphs(text: str | None) -> Iterator[str]:
    """Help as prose; an example becomes a line of code."""
    for paragraph in (text or "").split("\n\n"):
        words = " ".join(paragraph.split())
        label, colon, code = words.partition(": ")
        yield f"{label}: `{code}`" if colon and label == "Example" else words
        yield ""


def _exits() -> Iterator[str]:
    yield "| exit code | says |"
    yield "|---|---|"
    yield from (f"| {int(code)} | {code.means} |" for code in Exit)
    yield ""


def _table(parameters: Sequence[object]) -> Iterator[str]:
    if not parameters:
        return
    yield "| | | default |"
    yield "|---|---|---|"
    for parameter in parameters:
        assert isinstance(parameter, TyperArgument | TyperOption)
        yield f"| {_name(parameter)} | {_help(parameter)} | {_default(parameter)} |"
    yield ""


def _name(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        return f"`{parameter.metavar}`"
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    return names if parameter.is_flag else f"{names} {parameter.metavar or _kind(parameter)}"


def _kind(option: TyperOption) -> str:
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(each.value for each in kind)
    return _KINDS.get(kind, "NAME")


def _help(parameter: TyperArgument | TyperOption) -> str:
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    return f"{parameter.help or ''}{variable}".replace("<", "\\<")


def _default(parameter: TyperArgument | TyperOption) -> str:
    if parameter.required:
        return "must be given"
    value = parameter.default
    return "" if value is None or isinstance(value, bool) else f"`{getattr(value, 'value', value)}`"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render())
    else:
        sys.stdout.write(render())
