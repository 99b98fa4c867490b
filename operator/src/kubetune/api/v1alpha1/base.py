"""What every wire type shares: spelling, strictness, bounded plain types, notes for the cluster."""

import math
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from kubetune.domain.values import Value

WHOLE_LIMIT = 2**53
"""Whole numbers beyond this are not kept exactly by JSON."""
NUMBER_LIMIT = 1e300
"""Numbers stay below this so that the width of a range is a number too."""
IDENTIFIER = "^[A-Za-z_][A-Za-z0-9_]*$"
LABEL = "^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"


class Wire(BaseModel):
    """A part of the resource: camelCase, nothing unknown, no silent conversion of types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,
    )


def rule(expression: str, message: str, field: str | None = None) -> dict[str, str]:
    """A rule in CEL that the cluster checks itself; a static message keeps its cost bounded."""
    where = {} if field is None else {"fieldPath": f".{field}"}
    return {"rule": expression, "message": message, **where}


def rules(*items: dict[str, str]) -> dict[str, Any]:
    """The JSON schema extra that carries rules."""
    return {"x-kubernetes-validations": list(items)}


def keyed(key: str = "name") -> dict[str, Any]:
    """The JSON schema extra of a list whose items are told apart by one field."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def filled() -> dict[str, Any]:
    """The JSON schema extra of a map that the cluster fills in: left out or spelled is the same."""
    return {"default": {}}


def _number(value: Any, what: str = "a number") -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "{what}", {"what": what})
    if isinstance(value, int) and abs(value) > WHOLE_LIMIT:
        raise PydanticCustomError("too_large", "a number of at most 2^53, or one with a point")
    if not math.isfinite(value) or abs(value) > NUMBER_LIMIT:
        raise PydanticCustomError("finite", "a number between -1e300 and 1e300")
    return float(value)


def _whole(value: Any) -> int:
    number = _number(value, "a whole number")
    if not number.is_integer() or abs(number) > WHOLE_LIMIT:
        raise PydanticCustomError("whole", "a whole number of at most 2^53")
    return int(number)


def _scalar(value: Any) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if len(value) > 1024:  # noqa: PLR2004 - the bound is stated in the message beside it
            raise PydanticCustomError("scalar", "text of at most 1024 characters")
        return value
    if not isinstance(value, int | float):
        raise PydanticCustomError("scalar", "text, a number, true or false")
    _number(value)
    return value


Number: TypeAlias = Annotated[float, BeforeValidator(_number)]
Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Scalar: TypeAlias = Annotated[
    Value,
    PlainValidator(_scalar),
    WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True}),
]
Identifier: TypeAlias = Annotated[str, Field(min_length=1, max_length=63, pattern=IDENTIFIER)]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL)]
Cel: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]
Sentence: TypeAlias = Annotated[str, Field(max_length=1024)]
Assignment: TypeAlias = Annotated[dict[Identifier, Scalar], Field(max_length=128)]
Measures: TypeAlias = Annotated[dict[Identifier, Number], Field(max_length=128)]
