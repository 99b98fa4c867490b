"""A study's PromQL reads its own namespace, or is refused with the place and what to write."""

import pytest

from kubetune.api import promql
from kubetune.api.promql import PromqlFault, check, selects_only, within_namespace


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("up", 'up{namespace="team-a"}'),
        ('up{a="1"}', 'up{a="1",namespace="team-a"}'),
        ('{__name__=~"a.*"}', '{__name__=~"a.*",namespace="team-a"}'),
        ("rate(x[5m])", 'rate(x{namespace="team-a"}[5m])'),
        ("x offset 5m", 'x{namespace="team-a"} offset 5m'),
        (
            "max_over_time(rate(x[1m])[5m:30s])",
            'max_over_time(rate(x{namespace="team-a"}[1m])[5m:30s])',
        ),
        (
            "sum by (pod) (a / on (pod) group_left (b) c)",
            'sum by (pod) (a{namespace="team-a"} / on (pod) group_left (b) c{namespace="team-a"})',
        ),
        ("topk(scalar(n), x)", 'topk(scalar(n{namespace="team-a"}), x{namespace="team-a"})'),
        ("x # and y", 'x{namespace="team-a"}'),
        ("x{a='b'}", 'x{a="b",namespace="team-a"}'),
        ('x{a="}"} > 0', 'x{a="}",namespace="team-a"} > 0'),
        (r'x{a=~"\\d+\n"}', r'x{a=~"\\d+\n",namespace="team-a"}'),
        ("x{a=`b|c`}", 'x{a="b|c",namespace="team-a"}'),
    ],
)
def test_every_selector_is_bound(written: str, sent: str) -> None:
    """Wherever a selector stands, it selects in the study's namespace alone."""
    assert within_namespace(written, "team-a") == sent


def test_another_namespace_finds_nothing() -> None:
    """A matcher of the author's stays beside ours: both must hold."""
    bound = within_namespace('x{namespace="other"}', "team-a")
    assert bound == 'x{namespace="other",namespace="team-a"}'


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "ends too early"),
        ("sum(rate(x[5m])", 16, "ends too early"),
        ('x{a="b"', 8, "ends too early"),
        ("x +", 4, "ends too early"),
        ("x{a=b}", 5, "expected string"),
        ("x y", 3, "'y' cannot stand here"),
        ("sum by pod (x)", 8, "'pod' cannot stand here"),
        ('x{a="b"} {c="d"}', 10, "'{' cannot stand here"),
        ("rate(x[5m]))", 11, "right parenthesis"),
        ("1 + nosuch(x)", 5, "nosuch"),
        ("rate(x)", 1, "x[5m]"),
        ("x $ y", 3, "unexpected character"),
        ("x[5m]", None, "last_over_time"),
        ("1", None, "selects no series"),
        ("vector(1)", None, "selects no series"),
        ("scalar(x)", None, "leave out scalar"),
        ('x{a="1" or b="2"}', None, "two selectors"),
        ("info(x)", None, "reads series of others"),
        ('x{a="\x07"}', None, "control character"),
        ("x" * 2001, None, "2000 characters"),
    ],
)
def test_faults_say_where_and_what(text: str, column: int | None, words: str) -> None:
    """A query that cannot be used is refused with its column, if it has one, and a cure."""
    with pytest.raises(PromqlFault) as fault:
        check(text)
    assert words in str(fault.value)
    assert fault.value.column == column


@pytest.mark.parametrize(
    "text",
    ["-" * 1999 + "x", "abs(" * 400 + "x" + ")" * 400, "x and " * 300 + "x", "x^" * 900 + "x"],
)
def test_a_query_that_would_end_the_process_is_not_parsed(text: str) -> None:
    """The parser recurses without a bound: what is nested deeply is refused before it."""
    with pytest.raises(PromqlFault, match="too long"):
        check(text)


def test_the_largest_query_is_parsed() -> None:
    """At the bound the parser, the rewriting and the printing still work."""
    inner = promql.OPERATOR_LIMIT // 2
    within_namespace("abs(" * inner + "x" + ")" * inner, "team-a")
    within_namespace("x" + " and x" * promql.OPERATOR_LIMIT, "team-a")


@pytest.mark.parametrize("namespace", ["", "a|b", 'a"', "A", "a" * 64])
def test_a_namespace_must_be_one(namespace: str) -> None:
    """Only what Kubernetes takes for a namespace goes into a query."""
    with pytest.raises(PromqlFault, match="no namespace"):
        within_namespace("x", namespace)


def test_a_selector_alone_is_told_from_a_computation() -> None:
    """A series as it is, in brackets or not, is the trial's own word."""
    assert selects_only('((x{a="b"}))')
    assert not selects_only("x / 1")
    assert not selects_only("max by (pod) (x)")
