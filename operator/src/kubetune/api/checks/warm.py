"""Earlier studies to begin from: each once, another one, with values that mean something here."""

from collections.abc import Iterator, Mapping

from kubetune.api.checks import values
from kubetune.api.mending import Draft
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault, Path


def check(draft: Draft, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Studies that give nothing to begin from; `kinds` are those of the study's names."""
    wanted = draft.study.spec.warm_start
    if wanted is None or not draft.sound("warmStart"):
        return
    first: dict[str, int] = {}
    for index, earlier in enumerate(wanted.studies):
        path: Path = ("spec", "warmStart", "studies", index)
        if earlier.name == draft.study.metadata.name:
            message = f"'{earlier.name}' is this study itself: write the name of an earlier one"
            yield Fault((*path, "name"), message)
        elif earlier.name in first:
            yield Fault((*path, "name"), f"'{earlier.name}' is there twice: write it once")
        first.setdefault(earlier.name, index)
        yield from values.check(draft, (*path, "parameters"), earlier.parameters, kinds)
