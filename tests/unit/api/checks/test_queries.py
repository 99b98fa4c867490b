"""A study's queries are checked when it is admitted."""

from pathlib import Path

from kubetune.api import admission, reader

BASE = (Path(__file__).parents[1] / "studies" / "base.yaml").read_text()


def faults(*queries: str) -> list[str]:
    """What is said of these items of metrics.queries."""
    lines = "".join(f"    - {query}\n" for query in queries)
    text = BASE.replace("  trials:\n", f"  metrics:\n    queries:\n{lines}  trials:\n", 1)
    return [str(fault) for fault in admission.check(reader.parse(text).data).faults]


def test_a_right_query_is_taken() -> None:
    """A query that parses stands in the spec as it was written."""
    assert faults("{name: use, promQL: 'avg by (pod) (gpu_use)'}") == []


def test_a_wrong_query_is_told_its_place() -> None:
    """Each query that cannot be asked has its own fault, with a column."""
    assert faults(
        "{name: a, promQL: 'sum by pod (x)'}", "{name: b, promQL: x}", "{name: c, promQL: '1'}"
    ) == [
        "spec.metrics.queries[0].promQL (column 8): 'pod' cannot stand here",
        "spec.metrics.queries[2].promQL: selects no series: write the name of one",
    ]


def test_a_name_given_twice_is_refused() -> None:
    """Two queries of one name would be one metric."""
    (said,) = faults("{name: a, promQL: x}", "{name: a, promQL: y}")
    first = "'a' is already used at spec.metrics.queries[0].name: write another"
    assert said == f"spec.metrics.queries[1].name: {first}"
