"""Names: Katib's may have any characters, a study's are words of an expression."""

import re
from collections.abc import Collection

from kubetune.api.compiling import CEL_WORDS, RUNTIME_VARIABLES
from kubetune.api.v1alpha1.base import IDENTIFIER
from kubetune.api.wording import better_name

LENGTH_LIMIT = 63


def identifier(name: str, taken: Collection[str] = ()) -> str:
    """The nearest name of letters, digits and `_` that is not `taken`."""
    plain = name if re.search(IDENTIFIER, name, re.ASCII) else better_name(name)
    plain = plain[:LENGTH_LIMIT]
    number, found = 2, plain
    while found in taken:
        found = f"{plain[: LENGTH_LIMIT - len(str(number)) - 1]}_{number}"
        number += 1
    return found


def parameter(name: str, taken: Collection[str] = ()) -> str:
    """A parameter's name, which no word of the expression language may be."""
    plain = identifier(name)
    if plain in CEL_WORDS:
        plain = f"{plain}_value"
    elif plain in RUNTIME_VARIABLES:
        plain = f"my_{plain}"
    return identifier(plain, taken)
