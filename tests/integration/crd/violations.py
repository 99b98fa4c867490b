"""Every rule of a schema, each with a change of a valid study that breaks it alone."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Violation(NamedTuple):
    """A place, the rule that is broken there, and the value that breaks it."""

    path: Path
    rule: str
    value: Any

    def __str__(self) -> str:
        return f"{spelled(self.path)} {self.rule}"


def spelled(path: Path) -> str:
    """A path as the server spells it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def violations(schema: dict[str, Any], value: Any, path: Path) -> Iterator[Violation]:
    """A violation of each rule at and below a schema, over a value that keeps them all."""
    for rule, bad in _bad(schema, value):
        yield Violation(path, rule, bad)
    for name in schema.get("required", ()):
        without = {key: item for key, item in value.items() if key != name}
        yield Violation((*path, name), "required", _Replaced(path, without))
    for name, child in schema.get("properties", {}).items():
        inner = value[name] if isinstance(value, dict) and name in value else sample(child)
        yield from violations(child, inner, (*path, name))
    items = schema.get("items", {})
    if items.get("type") == "object":
        yield from violations(items, value[0] if value else sample(items), (*path, 0))


class _Replaced(NamedTuple):
    """A value for a place above the one that is named."""

    path: Path
    value: Any


def broken(manifest: dict[str, Any], violation: Violation) -> dict[str, Any]:
    """The manifest with the violation in it."""
    data = deepcopy(manifest)
    path, value = violation.path, violation.value
    if isinstance(value, _Replaced):
        path, value = value
    _put(data, path, value)
    return data


def _put(data: Any, path: Path, value: Any) -> None:
    for part, after in pairwise(path):
        empty: Any = [] if isinstance(after, int) else {}
        if isinstance(part, int):
            data += [empty] if part == len(data) else []
        else:
            data.setdefault(part, empty)
        data = data[part]
    if isinstance(path[-1], int) and path[-1] == len(data):
        data.append(value)
    else:
        data[path[-1]] = value


def sample(schema: dict[str, Any]) -> Any:
    """The smallest value that keeps a schema."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: sample(properties[name]) for name in schema.get("required", ())}
        case "array":
            return [sample(schema["items"]) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", 0) + (1 if schema.get("exclusiveMinimum") else 0)
        case "boolean":
            return False
        case _:
            return "a"


def _bad(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Each rule of one schema, and a value that breaks it."""
    kind = schema.get("type")
    if kind:
        yield "type", 5 if kind == "string" else "text"
    if "enum" in schema:
        yield "enum", "Nonsense"
    if "pattern" in schema:
        yield "pattern", "not a name"
    if "maxLength" in schema:
        yield "maxLength", "a" * (schema["maxLength"] + 1)
    if "minLength" in schema:
        yield "minLength", ""
    if "maxItems" in schema:
        yield "maxItems", [_numbered(schema, number) for number in range(schema["maxItems"] + 1)]
    if "minItems" in schema:
        yield "minItems", []
    if "maxProperties" in schema:
        yield "maxProperties", {f"key_{n}": 1 for n in range(schema["maxProperties"] + 1)}
    yield from _out_of_bounds(schema)
    if schema.get("x-kubernetes-list-type") == "map":
        item = value[0] if value else sample(schema["items"])
        yield "x-kubernetes-list-map-keys", [item, item]


def _out_of_bounds(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - (0 if schema.get("exclusiveMinimum") else 1)
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + (0 if schema.get("exclusiveMaximum") else 1)


def _numbered(schema: dict[str, Any], number: int) -> Any:
    """An item unlike the others of its list."""
    item = sample(schema["items"])
    for key in schema.get("x-kubernetes-list-map-keys", ()):
        item[key] = f"item_{number}"
    return item if item != "a" else f"item_{number}"
