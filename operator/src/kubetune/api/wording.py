"""What pydantic finds wrong, in plain words: the value, and what to write instead."""

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from kubetune.api.v1alpha1.study import TuningStudy
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Fault, Path

_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_LENGTHS = {
    "too_short": "empty: write at least {min_length}",
    "too_long": "too many: at most {max_length} are allowed",
    "string_too_short": "empty: write some text",
    "string_too_long": "too long: at most {max_length} characters are allowed",
}


def faults_of(errors: list[ErrorDetails]) -> list[Fault]:
    """One fault for each error; a missing field that is only misspelt beside it is left out."""
    faults = []
    hints = [_guess(error) for error in errors]
    for error in errors:
        path = location(error)
        if error["type"] == "missing" and (path[:-1], path[-1]) in hints:
            continue
        faults.append(Fault(path, _words(error, path)))
    return list(dict.fromkeys(faults))


def location(error: ErrorDetails) -> Path:
    """Where an error is, in the manifest's own terms."""
    return tuple(part for part in error["loc"] if part != "[key]")


def show(value: Any) -> str:
    """A value as the user would recognise it, cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - one line of a terminal


def quoted(text: str) -> str:
    """A text in single quotes, cut short."""
    return show(str(text))


def better_name(name: str) -> str:
    """What a name could be instead."""
    return re.sub(r"^(\d)", r"_\1", re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")) or "my_name"


def _words(error: ErrorDetails, path: Path) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return f"missing: write {_expected(path)}"
    if kind == "extra_forbidden":
        return f"unknown field{suggest(str(path[-1]), _known(path[:-1]))}"
    if kind in _LENGTHS:
        return _LENGTHS[kind].format(**context)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{show(value)} is out of bounds: write {words} {context[key]:g}"
    if kind in {"enum", "literal_error"}:
        return _no_choice(value, context)
    if kind == "string_pattern_mismatch":
        return _not_a_name(str(value), context["pattern"])
    return _wrong_type(error, path)


def _wrong_type(error: ErrorDetails, path: Path) -> str:
    kind, value = error["type"], error["input"]
    match kind:
        case "number" | "finite" | "whole" | "too_large" | "scalar":
            return _not_a(value, error["msg"])
        case "string_type":
            return _not_text(value)
        case "bool_type":
            meant = _BOOLEANS.get(str(value).lower(), "true or false")
            return f"{show(value)} is neither true nor false: write {meant}"
        case "list_type":
            return f"{show(value)} is no list: write {_expected(path)}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{show(value)} is no map: write {_expected(path)}"
        case _:
            return f"{show(value)}: {error['msg']}"


def _no_choice(value: Any, context: Mapping[str, Any]) -> str:
    choices = re.findall(r"'([^']*)'", context["expected"])
    if len(choices) == 1:
        return f"{show(value)}: write {choices[0]}"
    return f"{show(value)} is none of {', '.join(choices)}{_close(value, choices)}"


def _not_a(value: Any, what: str) -> str:
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return f"{show(value)} is text: write {what}"
        return f"{show(value)} is text: write it without quotes"
    return f"{show(value)}: write {what}"


def _not_text(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return f"{show(value)} is no text: write '{show(value)}' in quotes"
    return f"{show(value)} is no text: write text"


def _not_a_name(value: str, pattern: str) -> str:
    if pattern.startswith("^[a-z0-9]"):
        better = better_name(value).lower().replace("_", "-").strip("-")
        return f"{quoted(value)}: use small letters, digits and '-', e.g. {better}"
    if pattern.startswith("^[A-Za-z0-9]("):
        better = better_name(value).replace("_", "-").strip("-")
        return f"{quoted(value)}: use letters, digits, '-', '_' and '.', e.g. {better}"
    return (
        f"{quoted(value)} is no name for an expression: use letters, digits and '_',"
        f" e.g. {better_name(value)}"
    )


def _close(value: Any, choices: list[str]) -> str:
    if not isinstance(value, str):
        return ""
    for choice in choices:
        if choice.lower() == value.lower():
            return f": write {choice}"
    found = suggest(value, choices)
    return found if found.startswith("; did you mean") else ""


def _guess(error: ErrorDetails) -> tuple[Path, str] | None:
    """The known field that an unknown one stands for: (parent, field)."""
    if error["type"] != "extra_forbidden":
        return None
    path = location(error)
    found = re.search(r"did you mean '([^']+)'", suggest(str(path[-1]), _known(path[:-1])))
    return (path[:-1], found.group(1)) if found else None


def _known(path: Path) -> list[str]:
    model = _annotation(path)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [item.alias or name for name, item in model.model_fields.items()]
    return []


def _expected(path: Path) -> str:
    annotation = _annotation(path)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        needed = [
            item.alias or name
            for name, item in annotation.model_fields.items()
            if item.is_required()
        ]
        return f"a map with {', '.join(needed)}" if needed else "a map"
    if get_origin(annotation) is list:
        return "a list"
    if get_origin(annotation) is dict:
        return "a map of names and values"
    members = [str(item) for item in getattr(annotation, "__members__", {}).values()]
    choices = members or [str(choice) for choice in get_args(annotation)]
    if choices:
        return " or ".join(choices)
    if path[-1] in {"name", "metric"}:
        return "a name"
    return {bool: "true or false", str: "text", int: "a whole number", float: "a number"}.get(
        annotation, "a value"
    )


def _annotation(path: Path) -> Any:
    """The plain type that the wire models have at a path."""
    current: Any = TuningStudy
    for part in path:
        if isinstance(part, int):
            current = _plain(get_args(current)[0]) if get_origin(current) is list else None
        elif isinstance(current, type) and issubclass(current, BaseModel):
            current = _field(current, part)
        else:
            current = _plain(get_args(current)[1]) if get_origin(current) is dict else None
    return current


def _field(model: type[BaseModel], alias: str) -> Any:
    for name, item in model.model_fields.items():
        if alias == (item.alias or name):
            return _plain(item.annotation)
    return None


def _plain(annotation: Any) -> Any:
    """Without Annotated and None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, types.UnionType}:
        choices = [choice for choice in get_args(annotation) if choice is not type(None)]
        return _plain(choices[0]) if len(choices) == 1 else annotation
    return annotation
