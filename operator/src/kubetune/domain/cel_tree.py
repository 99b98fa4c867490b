"""The syntax tree of a CEL expression, read from the library's serialised form.

The CEL library checks and evaluates; it does not show its tree. What it serialises is the protocol
buffer message `cel.expr.ParsedExpr` or `CheckedExpr` (github.com/google/cel-spec, syntax.proto and
checked.proto), whose few fields that matter here are read directly. The tree serves two ends: to
name operands in messages, and to find where along one parameter a constraint changes its answer.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from kubetune.domain.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Value | None
    column: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str
    column: int = 0


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` when `test`."""

    operand: "Node"
    field: str
    test: bool = False
    column: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator (`_&&_`, `_<_`, `!_`, `double`); `target` for methods."""

    function: str
    args: tuple["Node", ...]
    target: "Node | None" = None
    column: int = 0


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    column: int = 0


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else (comprehensions, messages): only what it contains is known."""

    children: tuple["Node", ...] = field(default=())
    column: int = 0


Node: TypeAlias = Literal | Name | Select | Call | Items | Opaque

Fields: TypeAlias = dict[int, list[int | bytes]]

OPERATORS = {
    "_&&_": "&&", "_||_": "||", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=",
    "_==_": "==", "_!=_": "!=", "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%",
    "@in": "in",
}  # fmt: skip
"""CEL's internal operator names and their spelling."""


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.args if node.target is None else (node.target, *node.args)
        case Items():
            return node.items
        case Opaque():
            return node.children
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def spell(node: Node) -> str:
    """Writes the node as CEL text; an opaque node has no spelling.

    Raises:
        ValueError: there is an opaque node in it.
    """
    match node:
        case Literal(value=str()):
            return "'" + str(node.value).replace("\\", "\\\\").replace("'", "\\'") + "'"
        case Literal(value=bool()):
            return "true" if node.value else "false"
        case Literal():
            return "null" if node.value is None else repr(node.value)
        case Name():
            return node.name
        case Select():
            text = f"{spell(node.operand)}.{node.field}"
            return f"has({text})" if node.test else text
        case Items():
            return "[" + ", ".join(map(spell, node.items)) + "]"
        case Call():
            return _spell_call(node)
        case Opaque():
            raise ValueError("a comprehension cannot be spelled")


def _spell_call(node: Call) -> str:
    args = [spell(arg) for arg in node.args]
    if node.function in OPERATORS:
        return f"({args[0]} {OPERATORS[node.function]} {args[1]})"
    if node.function == "_?_:_":
        return f"({args[0]} ? {args[1]} : {args[2]})"
    if node.function in {"!_", "-_"}:
        return f"{node.function[0]}({args[0]})"
    if node.function == "_[_]":
        return f"{args[0]}[{args[1]}]"
    head = "" if node.target is None else f"{spell(node.target)}."
    return f"{head}{node.function}({', '.join(args)})"


def read(serialised: bytes) -> Node:
    """Reads what the library's `Expression.serialize()` gives."""
    wrapper = _fields(serialised)
    message = _fields(_bytes(wrapper, 2))
    checked = _bytes(wrapper, 1).endswith(b"CheckedExpr")
    source = _fields(_bytes(message, 5 if checked else 3))
    offsets: dict[int, int] = {}
    for entry in source.get(4, []):
        pair = _fields(_raw(entry))
        offsets[_int(pair, 1)] = _int(pair, 2)
    return _node(_bytes(message, 4 if checked else 2), offsets)


def _node(data: bytes, offsets: dict[int, int]) -> Node:
    fields = _fields(data)
    column = offsets.get(_int(fields, 2), -1) + 1
    if 3 in fields:
        return Literal(_constant(_fields(_bytes(fields, 3))), column)
    if 4 in fields:
        return Name(_bytes(_fields(_bytes(fields, 4)), 1).decode(), column)
    if 5 in fields:
        inner = _fields(_bytes(fields, 5))
        operand = _node(_bytes(inner, 1), offsets)
        return Select(operand, _bytes(inner, 2).decode(), bool(_int(inner, 3)), column)
    if 6 in fields:
        inner = _fields(_bytes(fields, 6))
        target = _node(_bytes(inner, 1), offsets) if 1 in inner else None
        args = tuple(_node(_raw(arg), offsets) for arg in inner.get(3, []))
        return Call(_bytes(inner, 2).decode(), args, target, column)
    if 7 in fields:
        inner = _fields(_bytes(fields, 7))
        return Items(tuple(_node(_raw(item), offsets) for item in inner.get(1, [])), column)
    if 9 in fields:
        inner = _fields(_bytes(fields, 9))
        parts = [_bytes(inner, key) for key in (2, 4, 5, 6, 7) if key in inner]
        return Opaque(tuple(_node(part, offsets) for part in parts), column)
    return Opaque((), column)


def _constant(fields: Fields) -> Value | None:
    if 2 in fields:
        return bool(_int(fields, 2))
    if 3 in fields:
        number = _int(fields, 3)
        return number - (1 << 64) if number >= 1 << 63 else number
    if 4 in fields:
        return _int(fields, 4)
    if 5 in fields:
        value: float = struct.unpack("<d", _bytes(fields, 5))[0]
        return value
    if 6 in fields:
        return _bytes(fields, 6).decode()
    return None


def _fields(data: bytes) -> Fields:
    """Splits a protocol buffer message into its fields (varint, fixed 64, length-delimited)."""
    found: Fields = {}
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        value: int | bytes
        match key & 7:
            case 0:
                value, position = _varint(data, position)
            case 1:
                value, position = data[position : position + 8], position + 8
            case 2:
                length, position = _varint(data, position)
                value, position = data[position : position + length], position + length
            case _:
                value, position = data[position : position + 4], position + 4
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def _raw(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _bytes(fields: Fields, key: int) -> bytes:
    return _raw(fields[key][0]) if key in fields else b""


def _int(fields: Fields, key: int) -> int:
    value = fields[key][0] if key in fields else 0
    assert isinstance(value, int)
    return value
