"""Values given by name: of names that there are, of the kind that expressions expect."""

from collections.abc import Iterator, Mapping

from kubetune.api.checks import names
from kubetune.api.convert_space import kind_of_value, spelled
from kubetune.api.mending import Draft
from kubetune.api.wording import show
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault, Path
from kubetune.domain.values import Assignment


def check(
    draft: Draft, path: Path, values: Assignment, kinds: Mapping[str, Kind]
) -> Iterator[Fault]:
    """What cannot be taken for a value of the study; `kinds` are those of its names."""
    derived = {item.name for item in draft.study.spec.derived}
    for name, value in values.items():
        at = (*path, name)
        if name in derived:
            yield Fault(at, "is derived from others: write values for those")
        elif name not in kinds and name not in draft.lost and not draft.blind:
            yield Fault(at, names.unknown(draft, name, kinds))
        elif name in kinds and not _fits(kind_of_value(value), kinds[name]):
            yield Fault(at, f"{show(value)} is not {spelled(kinds[name])} like the others")


def _fits(kind: Kind, wanted: Kind) -> bool:
    return kind is wanted or (kind, wanted) == (Kind.INT, Kind.DOUBLE)
