"""PromQL of a study: checked where the manifest is, bound to its namespace where it is sent.

The operator reads what no tenant may: a query is sent only with `namespace="..."` in every
selector. The rewriting is done on the syntax tree and checked on its own output; what cannot be
rewritten with certainty is refused.
"""

import re
from collections.abc import Iterator

import promql_parser
from promql_parser import (
    Call,
    Expr,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    ValueType,
    VectorSelector,
)

from kubetune.api.promql_faults import locate

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)

_HIDDEN = frozenset({"info"})
"""Functions that read series which they do not name."""

_HEAD = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)?(\{)?", re.ASCII)
_OUTSIDE = r"[^\x00-\x09\x0b-\x1f\x7f-\U0010ffff\\`'#\"]"
_STRING = r'"(?:[^\x00-\x1f\x7f"\\]|\\["\\nrt])*"'
_CERTAIN = re.compile(f"(?:{_OUTSIDE}|{_STRING})*")
"""Text that every reader of PromQL divides into the same strings and the same rest."""

LENGTH_LIMIT = 2_000
"""Characters of a query."""

OPERATOR_LIMIT = 64
"""Operators and brackets of a query. The parser recurses for each, without a bound of its own: a
few hundred end the process."""

_OPERATOR = re.compile(r"[-(\[+*/%^<>]|[=!]=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


class PromqlFault(Exception):  # noqa: N818 - named by what it is, as other faults are
    """A query that cannot be used as written; the message says what to write.

    `column` counts from 1; None where the whole query is meant.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


def check(text: str) -> None:
    """Checks a query as written.

    Raises:
        PromqlFault: it does not parse, is no vector of values, or cannot be bound to a namespace.
    """
    within_namespace(text, "any")


def within_namespace(text: str, namespace: str) -> str:
    """The same query over this namespace alone.

    Raises:
        PromqlFault: as `check`; or the namespace is none.
    """
    if not NAMESPACE.fullmatch(namespace):
        raise PromqlFault(f"no namespace: {namespace[:64]!r}")
    tree = _parse(text)
    _refuse(tree)
    bound = promql_parser.transform(tree, lambda node: _bound(node, namespace)).prettify()
    bound = " ".join(bound.split("\n"))
    again = promql_parser.parse(bound)
    if not _CERTAIN.fullmatch(bound):
        raise PromqlFault("has a control character or an escape in a text: write it plainly")
    selectors = tuple(_selectors(again))
    if len(selectors) != len(tuple(_selectors(tree))) or not all(
        _is_bound(one, namespace) for one in selectors
    ):
        raise PromqlFault("cannot be bound to the study's namespace: write it more simply")
    return bound


def selects_only(text: str) -> bool:
    """Whether the query gives series as they are, computing nothing."""
    tree = _parse(text)
    while isinstance(tree, ParenExpr):
        tree = tree.expr
    return isinstance(tree, VectorSelector)


def _parse(text: str) -> Expr:
    if len(text) > LENGTH_LIMIT or sum(1 for _ in _OPERATOR.finditer(text)) > OPERATOR_LIMIT:
        raise PromqlFault(
            f"is too long: at most {LENGTH_LIMIT} characters and {OPERATOR_LIMIT} operators;"
            " write a recording rule for it"
        )
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise PromqlFault(*locate(text, str(error))) from error


def _refuse(tree: Expr) -> None:
    """What cannot be bound, and what is no vector with a label to tell trials by."""
    for node in _nodes(tree):
        if isinstance(node, Call) and node.func.name in _HIDDEN:
            raise PromqlFault(f"{node.func.name}() reads series of others: write a join with on()")
        if isinstance(node, VectorSelector) and node.matchers.or_matchers:
            raise PromqlFault("has 'or' inside {}: write two selectors with 'or' between them")
    if isinstance(tree, MatrixSelector | SubqueryExpr):
        raise PromqlFault("is a range: write a function over it, such as last_over_time(...)")
    if isinstance(tree, NumberLiteral | StringLiteral) or not any(_selectors(tree)):
        raise PromqlFault("selects no series: write the name of one")
    if isinstance(tree, Call) and tree.func.return_type == ValueType.Scalar:
        raise PromqlFault("is one number without labels: leave out scalar()")


def _bound(node: Expr, namespace: str) -> Expr | None:
    if not isinstance(node, VectorSelector):
        return None
    text = node.prettify()
    head = _HEAD.match(text)
    assert head is not None
    rest = text[head.end() :]
    matcher = f'{{namespace="{namespace}"'
    return promql_parser.parse(f"{head[1] or ''}{matcher}{',' if head[2] else '}'}{rest}")


def _is_bound(selector: VectorSelector, namespace: str) -> bool:
    return not selector.matchers.or_matchers and any(
        one.op == MatchOp.Equal and one.name == "namespace" and one.value == namespace
        for one in selector.matchers.matchers
    )


def _nodes(tree: Expr) -> list[Expr]:
    found: list[Expr] = []
    promql_parser.walk(tree, found.append)
    return found


def _selectors(tree: Expr) -> Iterator[VectorSelector]:
    return (node for node in _nodes(tree) if isinstance(node, VectorSelector))
