"""What ends a search and what comes after it: limits and finals that mean something."""

from collections.abc import Iterator, Mapping

from kubetune.api import convert
from kubetune.api.checks import names
from kubetune.api.convert_space import kind_of_value, spelled
from kubetune.api.mending import Draft
from kubetune.api.wording import show
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault, Path


def check(draft: Draft, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Finals, plateaus and budgets that cannot be; `kinds` are those of the study's names."""
    spec = draft.study.spec
    if spec.finalists is not None and draft.sound("finalists"):
        yield from _single(draft, ("spec", "finalists"))
        yield from _seeds(spec.finalists.seeds)
        yield from _held_out(draft, spec.finalists.held_out_metric)
        yield from _fixed(draft, kinds)
    if draft.sound("stopping"):
        if spec.stopping.plateau is not None:
            yield from _single(draft, ("spec", "stopping", "plateau"))
        budget = spec.stopping.budget
        if budget is not None and budget.gpu_hours is None and budget.wall_clock_seconds is None:
            path = ("spec", "stopping", "budget")
            yield Fault(path, "has no limit: write gpuHours, wallClockSeconds or both")
    keep = spec.checkpoints.keep if spec.checkpoints else None
    if keep == "Finalists" and spec.finalists is None and draft.sound("finalists"):
        message = "there are no finalists: write spec.finalists, or keep: Best"
        yield Fault(("spec", "checkpoints", "keep"), message)


def warn(draft: Draft) -> Iterator[Fault]:
    """Limits that are never reached."""
    spec = draft.study.spec
    if not draft.sound("stopping", "trials", "phases", "trialTemplate"):
        return
    plateau, budget = spec.stopping.plateau, spec.stopping.budget
    lengths = [phase.trials or spec.trials.max for phase in spec.phases]
    most = min(max(lengths, default=spec.trials.max), spec.trials.max)
    if plateau is not None and plateau.trials >= most:
        message = f"is never looked at: {plateau.trials} trials of the {most} there are at most"
        yield Fault(("spec", "stopping", "plateau"), f"{message} come after a first one")
    if budget and budget.gpu_hours is not None and not convert.gpus(spec.trial_template):
        message = "is never used up: the trial's containers ask for no GPU"
        yield Fault(("spec", "stopping", "budget", "gpuHours"), message)


def _single(draft: Draft, path: Path) -> Iterator[Fault]:
    if len(draft.study.spec.objectives) > 1 and draft.sound("objectives"):
        yield Fault(path, "needs a single objective: take it out, or keep one objective")


def _seeds(seeds: list[int]) -> Iterator[Fault]:
    for index, seed in enumerate(seeds):
        if seed in seeds[:index]:
            path: Path = ("spec", "finalists", "seeds", index)
            yield Fault(path, f"{seed} is there twice: write it once")


def _held_out(draft: Draft, metric: str | None) -> Iterator[Fault]:
    """Held-out data that the search has seen is none."""
    spec = draft.study.spec
    seen = {item.metric: "an objective" for item in spec.objectives}
    seen |= {item.metric: "an outcome constraint" for item in spec.outcome_constraints}
    if metric in seen:
        path = ("spec", "finalists", "heldOutMetric")
        message = f"'{metric}' is {seen[metric]}, so the search has seen it: write another metric"
        yield Fault(path, message)


def _fixed(draft: Draft, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Values of names that there are, of the kind that expressions expect."""
    spec = draft.study.spec
    assert spec.finalists
    derived = {item.name for item in spec.derived}
    for name, value in spec.finalists.fixed.items():
        path = ("spec", "finalists", "fixed", name)
        if name in derived:
            yield Fault(path, "is derived from others: write values for those")
        elif name not in kinds and name not in draft.lost and not draft.blind:
            yield Fault(path, names.unknown(draft, name, kinds))
        elif name in kinds and not _fits(kind_of_value(value), kinds[name]):
            message = f"{show(value)} is not {spelled(kinds[name])} like the others"
            yield Fault(path, message)


def _fits(kind: Kind, wanted: Kind) -> bool:
    return kind is wanted or (kind, wanted) == (Kind.INT, Kind.DOUBLE)
