"""No query of a study reads another namespace, however it is written."""

import promql_parser
from hypothesis import assume, given
from hypothesis import strategies as st

from kubetune.api.promql import PromqlFault, within_namespace

TEXTS = st.text(alphabet="ab{}\"'`\\()#,\n =~é", max_size=6)


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


MATCHERS = st.lists(
    st.builds(
        lambda name, op, text: f"{name}{op}{_string(text)}",
        st.sampled_from(["a", "namespace", "pod"]),
        st.sampled_from(["=", "!="]),
        TEXTS,
    ),
    max_size=3,
)
SELECTORS = st.builds(
    lambda name, matchers, offset: f"{name}{{{','.join(matchers)}}}{offset}",
    st.sampled_from(["x", "rate", "by:sum", "namespace", "group_left"]),
    MATCHERS,
    st.sampled_from(["", " offset 5m", " @ 10", " @ start()"]),
) | st.sampled_from(["x", "y_total", 'x # "{\n'])
QUERIES = st.recursive(
    SELECTORS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"-{one}"),
        inner.map(lambda one: f"abs({one})"),
        inner.map(lambda one: f"max_over_time(({one})[5m:1m])"),
        inner.map(lambda one: f'label_replace({one}, "namespace", "$1", "a", "(.*)")'),
        st.builds(lambda a, b: f"{a} + on (a) group_left (b) {b}", inner, inner),
        st.builds(lambda a, b: f"{a} or {b}", inner, inner),
        st.builds(lambda a, b: f"sum by (namespace) ({a} * {b})", inner, inner),
        st.builds(lambda a, b: f"topk(scalar({a}), {b})", inner, inner),
    ),
    max_leaves=6,
)


def selectors(text: str) -> list[promql_parser.VectorSelector]:
    """Every selector of a query."""
    found: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(text), found.append)
    return [one for one in found if isinstance(one, promql_parser.VectorSelector)]


def matchers(selector: promql_parser.VectorSelector) -> set[tuple[str, str, str]]:
    """Its matchers as values."""
    return {(str(one.op), one.name, one.value) for one in selector.matchers.matchers}


@given(QUERIES)
def test_every_selector_of_what_is_sent_is_bound(text: str) -> None:
    """All selectors are still there, each with its own matchers and the namespace's."""
    try:
        sent = within_namespace(text, "team-a")
    except PromqlFault:
        assume(False)
    before, after = selectors(text), selectors(sent)
    assert len(before) == len(after)
    for one, bound in zip(before, after, strict=True):
        assert one.name == bound.name
        assert matchers(bound) == matchers(one) | {("MatchOp.Equal", "namespace", "team-a")}


@given(
    st.text(max_size=60) | QUERIES.flatmap(lambda q: st.integers(0, len(q)).map(lambda n: q[:n]))
)
def test_nothing_but_a_fault_is_raised(text: str) -> None:
    """Any text is bound or refused."""
    try:
        sent = within_namespace(text, "team-a")
    except PromqlFault:
        return
    assert all(("MatchOp.Equal", "namespace", "team-a") in matchers(one) for one in selectors(sent))
