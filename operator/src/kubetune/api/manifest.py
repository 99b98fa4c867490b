"""A manifest as plain data that remembers the line of each of its parts."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kubetune.domain.faults import Path, spell

NODE_LIMIT = 50_000
"""The most nodes in a manifest, aliases counted each time they are used."""
DEPTH_LIMIT = 64
"""The deepest nesting of maps and lists."""

_PREFIX = "tag:yaml.org,2002:"
_TEXT = {_PREFIX + "str", _PREFIX + "timestamp"}
_MERGE = _PREFIX + "merge"
_CONSTANTS = {"true": True, "false": False}


class Unreadable(Exception):  # noqa: N818 - named by what to do next, not by being an error
    """The file is no manifest; `faults` are (line from 1, message) pairs, at least one."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"line {line}: {message}" for line, message in faults))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Plain data (dicts, lists, text, numbers, booleans, None) and where each part of it stands."""

    data: dict[str, Any]
    lines: dict[Path, int] = field(repr=False)
    files: dict[Path, str] = field(repr=False, default_factory=dict)
    """The file of each part that a patch brought; all others are of the manifest itself."""

    def line(self, path: Path) -> int:
        """The line, from 1, of the part at a path, or of the deepest part above it that exists."""
        return self.lines[self._known(path)]

    def file(self, path: Path) -> str | None:
        """The patch that the line of this part is in; None for the manifest itself."""
        return self.files.get(self._known(path))

    def _known(self, path: Path) -> Path:
        """The part at a path, or the deepest one above it that exists."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return path[:end]
        return ()


def build(root: Node) -> Manifest:
    """Turns a composed YAML document into a manifest.

    Raises:
        Unreadable: a duplicate key, a key that is no text, a foreign tag, too many nodes ...
    """
    builder = _Builder()
    data = builder.value(root, ())
    if not builder.faults and not isinstance(data, dict):
        builder.refuse(root, "not a manifest: write a map with apiVersion, kind, metadata, spec")
    if builder.faults:
        raise Unreadable(builder.faults)
    return Manifest(data, builder.lines)


class _Builder:
    """Walks the nodes; aliases share nodes, so nodes are counted and depth is bounded."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, str]] = []
        self.lines: dict[Path, int] = {}
        self._count = 0

    def refuse(self, node: Node, message: str) -> None:
        self.faults.append((_line(node), message))

    def value(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, _line(node))
        self._count += 1
        if self._count > NODE_LIMIT:
            raise Unreadable([(_line(node), f"more than {NODE_LIMIT} values, aliases counted")])
        if len(path) > DEPTH_LIMIT:
            raise Unreadable([(_line(node), f"nested more than {DEPTH_LIMIT} deep")])
        if isinstance(node, MappingNode):
            return self._map(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node)

    def _map(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                self._merge(merged, value_node, path)
                continue
            key = self._key(key_node)
            here = (*path, key)
            if key in result:
                first = self.lines[here]
                self.refuse(key_node, f"{spell(here)} stands here twice: first on line {first}")
                continue
            if key in merged:
                self._forget(here)
            self.lines[here] = _line(key_node)
            result[key] = self.value(value_node, here)
        return {**merged, **result}

    def _forget(self, here: Path) -> None:
        """Drops the lines of a merged value that is written out in place after all."""
        for below in [path for path in self.lines if path[: len(here)] == here]:
            del self.lines[below]

    def _merge(self, merged: dict[str, Any], node: Node, path: Path) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self.refuse(source, "'<<' merges a map, or a list of maps")
                continue
            for key, value in self.value(source, path).items():
                merged.setdefault(key, value)

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise Unreadable([(_line(node), "a key must be text, not a map or a list")])
        if node.tag not in _TEXT:
            self.refuse(node, f"the key {node.value or 'null'} is no text: write it in quotes")
        return str(node.value)

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag in _TEXT:
            return str(node.value)
        read = _READERS.get(str(node.tag).removeprefix(_PREFIX))
        if read is None:
            self.refuse(node, f"the tag {node.tag} has no meaning here: take it out")
            return None
        try:
            return read(node.value)
        except (KeyError, ValueError):
            self.refuse(node, f"{node.value[:40]!r} is not what its tag says")
            return None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _whole(text: str) -> int:
    plain = text.replace("_", "").lower()
    body = plain.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(body[:2], 10)
    return int(plain, base)


def _number(text: str) -> float:
    plain = text.replace("_", "").lower()
    if plain.endswith(".nan"):
        return math.nan
    return float(plain.replace(".inf", "inf"))


_READERS: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": _number,
    "bool": lambda text: _CONSTANTS[text.lower()],
    "null": lambda _: None,
}
