"""Where a query stops being PromQL: the parser names what it met, seldom the place."""

import re
from itertools import product

import promql_parser

_TOKEN = re.compile(
    r"""\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[A-Za-z_:][\w:]*|[\d.]+\w*|[=!]~|[=!<>]=|.""",
    re.ASCII | re.DOTALL,
)
_QUOTED = re.compile(r"'(.+?)'")
_SYNTAX = ("invalid promql", "invalid syntax", "unexpected", "unclosed", "missing", "no expression")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_REST = (
    "", "x", " x", "1", "x[5m]", "5m", "[5m]", "(a) x", " (a) (x)", "(x)", '="s"', '"s"', '=~"s"',
    " 5m",
)  # fmt: skip
"""What may follow the beginning of a right query, before its brackets are closed."""


def locate(text: str, message: str) -> tuple[str, int]:
    """The fault in words, and the column where it stands, counted from 1."""
    named = _QUOTED.search(message)
    if named and not message.startswith("expected type"):
        found = re.search(rf"(?<!\w){re.escape(named[1])}(?!\w)", text, re.ASCII)
        if found is None and named[1] in text:
            return message, text.index(named[1]) + 1
        if found is not None:
            return message, found.start() + 1
    if message.startswith("expected type matrix"):
        return f"{message}: write a range after the name, as in x[5m]", 1
    if not message.startswith(_SYNTAX):
        return message, 1
    tokens = [token for token in _TOKEN.finditer(text) if not token[0].isspace()]
    for token in tokens:
        if not _begins(text[: token.end()]):
            return f"'{token[0]}' cannot stand here", token.start() + 1
    return "ends too early: something is missing here", len(text.rstrip()) + 1


def _begins(text: str) -> bool:
    """Whether some right query begins like this."""
    closers = ""
    for token in _TOKEN.findall(text):
        if token in _CLOSERS:
            closers = _CLOSERS[token] + closers
        elif closers and token == closers[0]:
            closers = closers[1:]
    ends = ("", "x", "(x)", " (x)") if closers else ("",)
    return any(_parses(text + rest + closers + end) for rest, end in product(_REST, ends))


def _parses(text: str) -> bool:
    try:
        promql_parser.parse(text)
    except ValueError as error:
        return not str(error).startswith(_SYNTAX)
    return True
