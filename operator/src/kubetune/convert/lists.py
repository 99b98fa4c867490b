"""Lists of values: Katib writes all of them as text, discrete ones mean numbers."""

import re
from typing import Any

from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.domain.faults import Path
from kubetune.domain.values import Value

_WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def convert(
    experiment: Experiment, draft: Draft, path: Path, at: Path, *, numbers: bool
) -> dict[str, Any] | Value | None:
    """A parameter without its name, or its only value; None after a fault."""
    here = (*path, "list")
    texts = [
        experiment.text((*here, index), needed="a value")
        for index, _ in enumerate(experiment.items(here))
    ]
    if not texts:
        draft.findings.refuse(here, 'missing: write a list of values, such as ["a", "b"]')
    if not texts or None in texts:
        return None
    kind, values = _read([text for text in texts if text is not None], numbers=numbers)
    if numbers and kind == "Categorical":
        message = f"{', '.join(map(show, values))} are not all numbers: they have no order here"
        draft.note(Kind.APPROXIMATED, here, message, at)
    _distribution(experiment, draft, path, at)
    once = list(dict.fromkeys(values))
    if len(once) < len(values):
        message = "a value stands there twice: each is drawn as often as any other"
        draft.note(Kind.APPROXIMATED, here, message, at)
    draft.come_from((*at, "values"), here)
    return {"type": kind, "values": once} if len(once) > 1 else once[0]


def _read(texts: list[str], *, numbers: bool) -> tuple[str, list[Value]]:
    if numbers and all(map(_WHOLE.fullmatch, texts)):
        return "Integer", [int(text) for text in texts]
    if numbers and all(map(_NUMBER.fullmatch, texts)):
        return "Double", [float(text) for text in texts]
    return "Categorical", list(texts)


def _distribution(experiment: Experiment, draft: Draft, path: Path, at: Path) -> None:
    name = experiment.text((*path, "distribution"))
    if name not in {None, "uniform", "unknown"}:
        message = f"{show(name)}: the values of a list are drawn alike: nothing to do"
        draft.note(Kind.LEFT_OUT, (*path, "distribution"), message, at)
