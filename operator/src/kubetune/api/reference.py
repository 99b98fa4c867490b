"""The reference of the TuningStudy resource as Markdown, generated from its definition.

`python -m kubetune.api.reference FILE` writes it there; without a file it is printed.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from kubetune.api.crd import crd

Schema: TypeAlias = Mapping[str, Any]

HEADER = """\
# The TuningStudy resource

<!-- Generated from the wire types by `make generate`; edit those instead. -->

`kubetune.io/v1alpha1`, kind `TuningStudy`. A field in **bold** must be given. `[]` is a list,
`{}` a map.
Expressions are [CEL](https://cel.dev).

"""


def render() -> str:
    """The whole page."""
    root = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return HEADER + "\n".join([*_part("spec", root["spec"]), *_part("status", root["status"])])


def _part(name: str, schema: Schema) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{schema['description']}\n"
    yield "| field | type | default | |"
    yield "|---|---|---|---|"
    for row in _rows(schema, ""):
        yield "| " + " | ".join(row) + " |"
    yield ""


def _rows(schema: Schema, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        shown = f"**`{path}`**" if name in required else f"`{path}`"
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        yield shown, _type(field), default, _text(field)
        items = field.get("items")
        extra = field.get("additionalProperties")
        if isinstance(items, dict):
            yield from _rows(items, f"{path}[].")
        elif isinstance(extra, dict):
            yield from _rows(extra, f"{path}{{}}.")
        else:
            yield from _rows(field, f"{path}.")


def _type(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "any")
    if kind == "array":
        items = field.get("items", {})
        return f"list of {items.get('type', 'any')}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"map to {field['additionalProperties'].get('type', 'any')}"
    return str(kind)


def _text(field: Schema) -> str:
    text = str(field.get("description", ""))
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        text += f" From {low} to {high}."
    elif low is not None:
        text += f" Above {low}." if field.get("exclusiveMinimum") else f" At least {low}."
    return text.replace("|", "\\|").replace("\n", " ").strip()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render())
    else:
        sys.stdout.write(render())
