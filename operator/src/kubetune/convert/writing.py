"""The study as YAML, read alike by readers of YAML 1.1 and 1.2, with comments above its fields."""

import re
from collections.abc import Mapping
from io import StringIO
from textwrap import wrap
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import LiteralScalarString

from kubetune.api.scalars import teach
from kubetune.domain.faults import Path

WIDTH = 100
"""Columns that comments keep to, and maps on one line."""

_PLAIN = re.compile(r"(--?)?[A-Za-z/$][A-Za-z0-9_./()$+@=-]*(:[A-Za-z0-9_./-]+)?")

_ON_ONE_LINE = re.compile(
    r"metadata|spec\.(objectives\.\d+|parameters\.\d+|fixed|sampler|pruner|trials"
    r"|metrics\.queries\.\d+)(\..*)?"
)


class _Representer(RoundTripRepresenter):
    """Quotes whatever a reader might take for something else."""


def render(study: Mapping[str, Any], comments: Mapping[Path, list[str]], heading: str) -> str:
    """The text of the manifest."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 10_000
    placed: dict[Path, list[str]] = {}
    for path, lines in comments.items():
        placed.setdefault(_nearest(study, path), []).extend(lines)
    root = _mapping(study, (), placed)
    stream = StringIO()
    yaml.dump(root, stream)
    return f"{_comment(heading, 0)}{stream.getvalue()}"


def _nearest(study: Mapping[str, Any], path: Path) -> Path:
    """The field, or the nearest one above it that there is: no comment is lost."""
    found: Any = study
    for end, part in enumerate(path):
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return path[:end]
    return path


def _value(value: Any, path: Path, comments: Mapping[Path, list[str]]) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, path, comments)
    if isinstance(value, list):
        return _list(value, path, comments)
    if isinstance(value, str) and "\n" in value and _fits_a_block(value):
        return LiteralScalarString(value)
    return value


def _mapping(
    value: Mapping[str, Any], path: Path, comments: Mapping[Path, list[str]]
) -> CommentedMap:
    found = CommentedMap()
    for key, item in value.items():
        found[key] = _value(item, (*path, key), comments)
    if _ON_ONE_LINE.fullmatch(".".join(map(str, path))) and len(str(value)) < WIDTH:
        found.fa.set_flow_style()
        return found
    for key in value:
        _put_above(found, key, (*path, key), comments)
    return found


def _list(value: list[Any], path: Path, comments: Mapping[Path, list[str]]) -> CommentedSeq:
    found = CommentedSeq(_value(item, (*path, index), comments) for index, item in enumerate(value))
    if _ON_ONE_LINE.fullmatch(".".join(map(str, path))):
        found.fa.set_flow_style()
    for index, _ in enumerate(value):
        _put_above(found, index, (*path, index), comments)
    return found


def _put_above(
    found: CommentedMap | CommentedSeq,
    key: str | int,
    path: Path,
    comments: Mapping[Path, list[str]],
) -> None:
    if path not in comments:
        return
    depth = len([part for part in path[:-1] if isinstance(part, str)])
    indent = 2 * depth - (2 if isinstance(key, int) else 0)
    text = "".join(_comment(line, indent) for line in comments[path])
    plain = "\n".join(line.lstrip().removeprefix("# ") for line in text.splitlines())
    found.yaml_set_comment_before_after_key(key, before=plain, indent=indent)


def _comment(text: str, indent: int) -> str:
    """Lines of a comment; those that are indented are code and stay whole."""
    lines = []
    for stranger in text.splitlines():
        line = "".join(letter if letter.isprintable() else " " for letter in stranger)
        width = WIDTH - indent - 2
        folded = [line] if line.startswith(" ") else _folded(line, width)
        lines += [f"# {part}".rstrip() for part in folded]
    return "".join(f"{line}\n" for line in lines)


def _folded(line: str, width: int) -> list[str]:
    return wrap(line, width, break_long_words=False, break_on_hyphens=False)


def _fits_a_block(text: str) -> bool:
    """Whether a literal block keeps the text as it is."""
    clean = all(letter.isprintable() or letter in "\n\t" for letter in text)
    return clean and not text.startswith((" ", "\n", "\t"))


teach(_Representer, _PLAIN)
