"""Reading other people's objects: what has not the expected shape reads as if it were absent."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]


def at(found: Any, *path: str) -> Any:
    """What stands under these keys; None where one of them is missing."""
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def text(found: Any, *path: str) -> str:
    """The text under these keys, or an empty one."""
    value = at(found, *path)
    return value if isinstance(value, str) else ""


def whole(found: Any, *path: str) -> int | None:
    """The whole number under these keys."""
    value = at(found, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def objects(found: Any, *path: str) -> Iterator[Object]:
    """The objects in the list under these keys."""
    value = at(found, *path)
    if isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, Mapping))


def seconds(found: Any, *path: str) -> float | None:
    """The timestamp under these keys in Unix seconds; the epoch itself stands for no time."""
    try:
        moment = datetime.fromisoformat(text(found, *path))
        value = moment.timestamp() if moment.tzinfo else 0.0
    except (ValueError, OverflowError):
        return None
    return value if value > 0 else None


def numeral(found: Any, *path: str) -> int | None:
    """The number that a label holds, as this program writes it."""
    value = text(found, *path)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004 - as many digits as anybody counts to


def condition(found: Any, kind: str) -> Object:
    """The condition of a status with this type, or an empty one."""
    conditions = objects(found, "status", "conditions")
    return next((item for item in conditions if item.get("type") == kind), {})


def holds(found: Any, kind: str) -> bool:
    """Whether the condition with this type is True."""
    return condition(found, kind).get("status") == "True"


def controller(found: Any) -> Object:
    """The reference to the object that controls this one, or an empty one."""
    owners = objects(found, "metadata", "ownerReferences")
    return next((owner for owner in owners if owner.get("controller") is True), {})
