"""A study's own queries: PromQL that parses, and that can be bound to the study's namespace."""

from collections.abc import Iterator

from kubetune.api import promql
from kubetune.api.mending import Draft
from kubetune.domain.faults import Fault, Path


def check(draft: Draft) -> Iterator[Fault]:
    """Queries that cannot be asked, and names given twice."""
    if not draft.sound("metrics"):
        return
    first: dict[str, int] = {}
    for index, query in enumerate(draft.study.spec.metrics.queries):
        path: Path = ("spec", "metrics", "queries", index)
        if query.name in first:
            at = f"spec.metrics.queries[{first[query.name]}].name"
            yield Fault((*path, "name"), f"'{query.name}' is already used at {at}: write another")
        first.setdefault(query.name, index)
        try:
            promql.check(query.promql)
        except promql.PromqlFault as fault:
            yield Fault((*path, "promQL"), str(fault), fault.column)
