"""The CEL library's complaints in plain words, with what to write instead."""

import difflib
import re
from collections.abc import Iterable, Mapping

from kubetune.domain import cel_tree

_COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\(?([^']*?)\)?'")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_INPUT = re.compile(r"input '([^']*)'")
_WORDS = {
    "and": "&&", "or": "||", "not": "!", "True": "true", "False": "false", "AND": "&&",
    "OR": "||", "NOT": "!", "is": "==", "**": "* (there is no power operator)",
}  # fmt: skip


def explain(
    text: str, complaint: str, scope: Mapping[str, str], tree: cel_tree.Node | None
) -> tuple[tuple[int, str], ...]:
    """Turns the library's complaint into (column, message) pairs, never an empty tuple."""
    faults = []
    for line, column, message in _COMPLAINT.findall(complaint):
        at = _offset(text, int(line)) + int(column)
        faults.append((at, _one(text, at, message, scope, tree)))
    if tree is None and faults:
        faults = faults[:1]  # after the first slip of syntax the rest is noise
    return tuple(dict.fromkeys(faults)) or ((1, complaint.splitlines()[0][:200]),)


def suggest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` when something known is close, else a short list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""  # noqa: PLR2004 - one line
    return f"; known here: {', '.join(names[:12])}{more}" if names else ""


def _offset(text: str, line: int) -> int:
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1])


def _one(
    text: str, at: int, message: str, scope: Mapping[str, str], tree: cel_tree.Node | None
) -> str:
    if found := _UNDECLARED.search(message):
        return _undeclared(found.group(1), scope)
    if found := _OVERLOAD.search(message):
        return _mismatch(found.group(1), found.group(2), at, tree)
    if "yntax error" in message:
        return _syntax(text, at, message)
    return message.removesuffix(" [INVALID_ARGUMENT]")[:200]


def _undeclared(name: str, scope: Mapping[str, str]) -> str:
    if name in _WORDS:
        return f"'{name}' is not CEL: write {_WORDS[name]}"
    return f"unknown name '{name}'{suggest(name, scope)}"


def _syntax(text: str, at: int, message: str) -> str:
    rest = text[at - 1 :]
    if rest.startswith("=") and not rest.startswith("=="):
        return "'=' does not compare: write =="
    found = _INPUT.search(message)
    slip = found.group(1) if found else ""
    if slip == "<EOF>":
        return "the expression ends too early"
    for word, instead in _WORDS.items():
        if slip == word or rest.startswith(word):
            return f"'{word}' is not CEL: write {instead}"
    shown = slip or rest[:1]
    return f"'{shown}' does not belong here" if shown else "not a CEL expression"


def _mismatch(function: str, types: str, at: int, tree: cel_tree.Node | None) -> str:
    kinds = [part.strip() for part in types.split(",")]
    symbol = cel_tree.OPERATORS.get(function)
    shown = f"{kinds[0]} {symbol} {kinds[1]}" if symbol and len(kinds) > 1 else f"{function}{types}"
    if symbol and set(kinds) == {"int", "double"}:
        operand = _operand(function, at, tree, kinds.index("int"))
        return f"{shown}: write {operand}"
    if symbol and {"string"} < set(kinds):
        return f"{shown}: a string is compared with a string; quote the value, or drop the quotes"
    if symbol in {"&&", "||"}:
        return f"{shown}: both sides must be true or false"
    name = function.strip("_")
    return f"'{symbol or name}' is not defined for ({', '.join(kinds)})"


def _operand(function: str, at: int, tree: cel_tree.Node | None, index: int) -> str:
    for node in cel_tree.walk(tree) if tree is not None else ():
        if isinstance(node, cel_tree.Call) and node.function == function and node.column == at:
            operand = node.args[index]
            if isinstance(operand, cel_tree.Literal):
                return f"{operand.value}.0"
            try:
                return f"double({cel_tree.spell(operand).removeprefix('(').removesuffix(')')})"
            except ValueError:
                break
    return "double(...) around the whole number"
