"""Text and numbers in YAML that readers of YAML 1.1 and of 1.2 take for the same."""

import math
import re
from typing import TypeAlias

from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter, SafeRepresenter

Representer: TypeAlias = type[SafeRepresenter] | type[RoundTripRepresenter]

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What an older YAML reader takes for something else than text."""


def teach(representer: Representer, plain: re.Pattern[str]) -> None:
    """Makes a representer write them so; text without quotes where all of it is `plain`."""

    def text(writer: SafeRepresenter | RoundTripRepresenter, value: str) -> ScalarNode:
        bare = plain.fullmatch(value) and value.lower() not in _WORDS
        style = None if bare else '"'
        node: ScalarNode = writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)
        return node

    representer.add_representer(str, text)
    representer.add_representer(float, _number)


def _number(writer: SafeRepresenter | RoundTripRepresenter, number: float) -> ScalarNode:
    """With a point before the exponent: `1e-05` is text to a reader of YAML 1.1."""
    if math.isfinite(number):
        digits, exponent, power = repr(number).partition("e")
        spelled = f"{digits}.0{exponent}{power}" if "." not in digits else repr(number)
    else:
        spelled = ".nan" if math.isnan(number) else ".inf" if number > 0 else "-.inf"
    node: ScalarNode = writer.represent_scalar("tag:yaml.org,2002:float", spelled)
    return node
