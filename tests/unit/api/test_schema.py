"""Each rule that makes pydantic's schema structural, and what must hold of the whole."""

from pathlib import Path
from typing import Any

import pytest

from kubetune.api import crd, schema

ROOT = Path(__file__).parents[3]


def test_references_are_inlined_and_what_stands_beside_wins():
    """The cluster knows no references; a field's own description is the better one."""
    definitions = {
        "Inner": {"type": "object", "description": "shared"},
        "Outer": {"properties": {"x": {"$ref": "#/$defs/Inner", "description": "own"}}},
    }
    node = {"items": {"$ref": "#/$defs/Outer"}, "$defs": definitions}
    assert schema.inline_references(node, definitions) == {
        "items": {"properties": {"x": {"type": "object", "description": "own"}}}
    }


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (schema.drop_title, {"title": "A", "type": "string"}, {"type": "string"}),
        (
            schema.drop_null,
            {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "d"},
            {"type": "number", "description": "d"},
        ),
        (
            schema.drop_null,
            {"anyOf": [{"type": "number"}, {"type": "string"}]},
            {"anyOf": [{"type": "number"}, {"type": "string"}]},
        ),
        (schema.drop_null_default, {"default": None, "type": "string"}, {"type": "string"}),
        (schema.drop_null_default, {"default": False}, {"default": False}),
        (
            schema.merge_numbers,
            {"anyOf": [{"type": "integer"}, {"type": "number"}]},
            {"type": "number"},
        ),
        (schema.const_to_enum, {"const": "A", "type": "string"}, {"enum": ["A"], "type": "string"}),
        (
            schema.spell_bounds,
            {"ge": 0, "lt": 1, "type": "number"},
            {"minimum": 0, "exclusiveMaximum": 1, "type": "number"},
        ),
        (
            schema.flag_exclusive_bounds,
            {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
            {
                "minimum": 0,
                "exclusiveMinimum": True,
                "maximum": 1,
                "exclusiveMaximum": True,
            },
        ),
        (schema.drop_discriminator, {"discriminator": {}, "type": "object"}, {"type": "object"}),
        (schema.drop_closed, {"additionalProperties": False}, {}),
        (
            schema.drop_closed,
            {"additionalProperties": {"type": "string"}},
            {"additionalProperties": {"type": "string"}},
        ),
        (
            schema.keep_unknown,
            {"additionalProperties": True, "type": "object"},
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        ),
        (
            schema.open_patterns,
            {"patternProperties": {"^a$": {"type": "string"}}},
            {"additionalProperties": {"type": "string"}},
        ),
        (schema.drop_property_names, {"propertyNames": {"pattern": "a"}}, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_step_does_one_thing(step, before, after):
    """Each step changes what it is about and leaves the rest."""
    assert step(before) == after


def test_steps_reach_every_schema_and_no_property_name():
    """A property called title is a property, not a title."""
    node = {"properties": {"title": {"title": "Title", "items": {"title": "T"}}}}
    assert schema.each(node, schema.drop_title) == {"properties": {"title": {"items": {}}}}


def nodes(node: dict[str, Any], path: str = ""):
    """Every schema below a schema, with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], f"{path}[]")


VERSION = crd.crd()["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
NODES = dict(nodes(SCHEMA))
ALLOWED = {
    "type", "description", "properties", "required", "items", "additionalProperties", "enum",
    "default", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
    "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-map-type",
}  # fmt: skip


def test_the_schema_is_structural():
    """Only words that the cluster knows; a type everywhere, or unknown fields kept."""
    for path, node in NODES.items():
        assert set(node) <= ALLOWED, path
        assert "type" in node or node.get("x-kubernetes-preserve-unknown-fields"), path
        assert not ("properties" in node and "additionalProperties" in node), path


def test_everything_is_bounded():
    """Unbounded lists, maps and strings make the cluster refuse rules for their cost."""
    for path, node in NODES.items():
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if isinstance(node.get("additionalProperties"), dict):
            assert "maxProperties" in node, path
        if node.get("type") == "string" and path not in {".apiVersion", ".kind"}:
            assert {"maxLength", "enum", "format"} & set(node), path


def test_every_field_is_described():
    """`kubectl explain` has a sentence for each field."""
    for path, node in NODES.items():
        if not path.endswith("[]") and path != ".metadata":
            assert node.get("description"), path


@pytest.mark.parametrize(
    ("path", "bounds"),
    [
        (".spec.trials.max", {"minimum": 1, "maximum": 100_000}),
        (".spec.trials.timeoutSeconds", {"minimum": 0, "exclusiveMinimum": True}),
        (
            ".spec.constraints[].acceptProbability",
            {"minimum": 0, "maximum": 1, "exclusiveMaximum": True},
        ),
        (".spec.pruner.reductionFactor", {"minimum": 2, "maximum": 100}),
    ],
)
def test_bounds_are_the_models_bounds(path, bounds):
    """The cluster refuses the numbers that the models refuse, optional ones too."""
    assert bounds.items() <= NODES[path].items()


def test_named_lists_are_maps():
    """A list with a key is merged by it, and its key is required."""
    for path, node in NODES.items():
        for key in node.get("x-kubernetes-list-map-keys", ()):
            assert key in node["items"]["required"], path
    assert NODES[".spec.parameters"]["x-kubernetes-list-map-keys"] == ["name"]


def test_a_course_is_bounded_as_its_models_are():
    """Phases, finals and limits have the bounds that the models check."""
    assert NODES[".spec.phases"]["x-kubernetes-list-map-keys"] == ["name"]
    assert NODES[".spec.phases"]["maxItems"] == 16
    assert (
        NODES[".spec.phases[].narrow.shrink"].items()
        >= {
            "minimum": 0,
            "exclusiveMinimum": True,
            "maximum": 1,
        }.items()
    )
    assert NODES[".spec.finalists"]["required"] == ["seeds"]
    assert NODES[".spec.finalists.seeds"]["x-kubernetes-list-type"] == "set"
    assert NODES[".spec.stopping.budget.gpuHours"]["exclusiveMinimum"] is True
    assert NODES[".spec.checkpoints.keep"]["enum"] == ["Best", "Finalists", "All"]


def test_the_committed_definition_is_the_generated_one():
    """The definition in the repository follows from the wire types: run `make generate`."""
    committed = (ROOT / "crds" / crd.FILE_NAME).read_text()
    assert committed == crd.render()


def test_the_printed_columns_exist():
    """Each column shows a field of the status, or the age."""
    columns = VERSION["additionalPrinterColumns"]
    shown = [item["name"] for item in columns if not item.get("priority")]
    assert shown == ["Phase", "Succeeded", "Best", "Complete", "Active", "Failed", "Age"]
    for item in columns:
        if item["name"] not in {"Succeeded", "Age"}:
            assert item["jsonPath"] in NODES
