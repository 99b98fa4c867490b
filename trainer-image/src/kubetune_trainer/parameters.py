"""Parameters as a typed dataclass: every fault named at once, nothing guessed."""

import dataclasses
import json
import types
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from kubetune_trainer.contract import Value
from kubetune_trainer.exits import BadConfiguration

ConfigT = TypeVar("ConfigT")


class _Mistyped(Exception):  # noqa: N818 - never leaves this module
    pass


def bind(config: type[ConfigT], values: Mapping[str, Value]) -> ConfigT:
    """Builds the dataclass from the parameters of the same names.

    Fields may be bool, int, float, str, an Enum, a Literal, or one of these `| None`. A whole
    float such as 64.0 is taken for an int and an int for a float; nothing else is converted.
    Values without a field are left alone: a study has values that only its constraints need.

    Raises:
        BadConfiguration: a value is missing or of another type, or the dataclass itself refuses
            the combination with a ValueError. The message names all of them.
    """
    if not dataclasses.is_dataclass(config):
        raise TypeError(f"{config.__name__} is no dataclass: write @dataclass above it")
    hints = get_type_hints(config)
    bound: dict[str, Any] = {}
    faults: list[str] = []
    for field in dataclasses.fields(config):
        if not field.init:
            continue
        if field.name in values:
            try:
                bound[field.name] = _typed(values[field.name], hints[field.name])
            except _Mistyped as wanted:
                faults.append(f"{field.name}: {values[field.name]!r} is wrong, write {wanted}")
        elif _required(field):
            faults.append(f"{field.name}: missing, write {describe(hints[field.name])}")
    if faults:
        raise BadConfiguration("; ".join(faults))
    try:
        return config(**bound)
    except ValueError as error:
        raise BadConfiguration(str(error)) from None


def unused(config: Any, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The names in `values` that the dataclass has no field for."""
    return tuple(sorted(set(values) - {field.name for field in dataclasses.fields(config)}))


def read_config(path: Path) -> tuple[dict[str, Value], int | None]:
    """The parameters of a best_config.yaml, and its seed when it has one.

    Raises:
        BadConfiguration: the file cannot be read, or has no map of plain values `parameters`.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only needed with --config
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - only needed with --config

    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise BadConfiguration(f"--config {path}: {error}") from None
    parameters = data.get("parameters") if isinstance(data, dict) else None
    if not isinstance(parameters, dict):
        raise BadConfiguration(f"--config {path}: a map named `parameters` is needed")
    for name, value in parameters.items():
        if not isinstance(value, bool | int | float | str):
            raise BadConfiguration(f"--config {path}: parameters.{name} is no plain value")
    seed = data.get("seed")
    return dict(parameters), seed if type(seed) is int else None


def read_setting(text: str) -> tuple[str, Value]:
    """Reads `name=value`; the value is JSON where it can be, else it is text.

    Raises:
        BadConfiguration: there is no `=`, or no name before it.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadConfiguration(f"--set {text!r}: write name=value")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name.strip(), parsed if isinstance(parsed, bool | int | float | str) else value


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _typed(value: Value, hint: Any) -> Any:
    """The value as the type asks for it.

    Raises:
        _Mistyped: with what is wanted, in words.
    """
    if get_origin(hint) in (Union, types.UnionType):
        for option in get_args(hint):
            with suppress(_Mistyped):
                return _typed(value, option)
    for choice in _choices(hint):
        plain = choice.value if isinstance(choice, Enum) else choice
        if value == plain and isinstance(value, bool) == isinstance(plain, bool):
            return choice
    if hint is Any or type(value) is hint:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if hint is float:
            return float(value)
        if hint is int and float(value).is_integer():
            return int(value)
    raise _Mistyped(describe(hint))


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values that a Literal or an Enum lists; none for any other type."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(hint) if isinstance(hint, type) and issubclass(hint, Enum) else ()


def describe(hint: Any) -> str:
    """A type in the words of who writes a manifest."""
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    if choices := _choices(hint):
        shown = (choice.value if isinstance(choice, Enum) else choice for choice in choices)
        return "one of " + ", ".join(str(choice) for choice in shown)
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(describe(o) for o in get_args(hint) if o is not types.NoneType)
    return words.get(hint, getattr(hint, "__name__", str(hint)))
