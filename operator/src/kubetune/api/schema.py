"""From pydantic's JSON schema to what a CustomResourceDefinition takes: a structural schema.

The cluster's dialect is OpenAPI v3 without references, unions and `null`, and its exclusive bounds
are flags. Each rule below is one small step over one schema node; `structural` applies them all.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import BaseModel

Schema: TypeAlias = dict[str, Any]

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of a wire model."""
    document = model.model_json_schema(by_alias=True)
    schema: Schema = inline_references(document, document.get("$defs", {}))
    for step in STEPS:
        schema = each(schema, step)
    return schema


def inline_references(node: Any, definitions: dict[str, Any]) -> Any:
    """Puts definitions in place of `$ref`; what stands beside a reference wins over them."""
    if isinstance(node, list):
        return [inline_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    own = {
        key: inline_references(value, definitions)
        for key, value in node.items()
        if key not in {"$ref", "$defs"}
    }
    if "$ref" not in node:
        return own
    target = definitions[str(node["$ref"]).rpartition("/")[2]]
    return {**inline_references(target, definitions), **own}


def each(schema: Schema, step: Callable[[Schema], Schema]) -> Schema:
    """Applies a step to a schema and to all below it, the innermost first."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {
            name: each(child, step) for name, child in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = each(schema[key], step)
    if "anyOf" in schema:
        result["anyOf"] = [each(child, step) for child in schema["anyOf"]]
    return step(result)


def drop_title(schema: Schema) -> Schema:
    """Titles only repeat names."""
    return _without(schema, "title")


def drop_null(schema: Schema) -> Schema:
    """`anyOf: [X, null]` becomes X: an optional field is left out, not null."""
    if "anyOf" not in schema:
        return schema
    choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
    rest = _without(schema, "anyOf")
    return {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}


def drop_null_default(schema: Schema) -> Schema:
    """A default of null says nothing."""
    return _without(schema, "default") if schema.get("default", 0) is None else schema


def merge_numbers(schema: Schema) -> Schema:
    """`anyOf: [integer, number]` becomes number: whole numbers are numbers too."""
    kinds = {choice.get("type") for choice in schema.get("anyOf", ())}
    if kinds != {"integer", "number"}:
        return schema
    return {**_without(schema, "anyOf"), "type": "number"}


def const_to_enum(schema: Schema) -> Schema:
    """`const` is an enum of one."""
    if "const" not in schema:
        return schema
    return {**_without(schema, "const"), "enum": [schema["const"]]}


def spell_bounds(schema: Schema) -> Schema:
    """Bounds of optional numbers come in pydantic's own words: `ge` is `minimum`."""
    return {_BOUNDS.get(key, key): value for key, value in schema.items()}


def flag_exclusive_bounds(schema: Schema) -> Schema:
    """`exclusiveMinimum: 0` becomes `minimum: 0, exclusiveMinimum: true`."""
    result = dict(schema)
    for bound in ("Minimum", "Maximum"):
        key = f"exclusive{bound}"
        if key in schema and not isinstance(schema[key], bool):
            result[bound.lower()] = schema[key]
            result[key] = True
    return result


def drop_discriminator(schema: Schema) -> Schema:
    """The dialect of the cluster has none."""
    return _without(schema, "discriminator")


def drop_closed(schema: Schema) -> Schema:
    """`additionalProperties: false` is implied: the cluster refuses or prunes unknown fields."""
    if schema.get("additionalProperties") is False:
        return _without(schema, "additionalProperties")
    return schema


def keep_unknown(schema: Schema) -> Schema:
    """`additionalProperties: true` is spelled `x-kubernetes-preserve-unknown-fields`."""
    if schema.get("additionalProperties") is not True:
        return schema
    kept = _without(schema, "additionalProperties")
    return {**kept, "x-kubernetes-preserve-unknown-fields": True}


def open_patterns(schema: Schema) -> Schema:
    """`patternProperties` of one pattern is a map of any keys: the pattern is checked later."""
    if "patternProperties" not in schema:
        return schema
    (values,) = schema["patternProperties"].values()
    return {**_without(schema, "patternProperties"), "additionalProperties": values}


def drop_property_names(schema: Schema) -> Schema:
    """Patterns of map keys are checked when the study is admitted: the cluster cannot."""
    return _without(schema, "propertyNames")


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}


STEPS: tuple[Callable[[Schema], Schema], ...] = (
    open_patterns,
    drop_title,
    drop_null,
    drop_null_default,
    merge_numbers,
    const_to_enum,
    spell_bounds,
    flag_exclusive_bounds,
    drop_discriminator,
    drop_closed,
    keep_unknown,
    drop_property_names,
)
