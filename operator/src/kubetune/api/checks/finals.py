"""What ends a search and what comes after it: limits and finals that mean something."""

from collections import Counter
from collections.abc import Iterator, Mapping

from kubetune.api import convert
from kubetune.api.checks import values
from kubetune.api.mending import Draft
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault, Path
from kubetune.domain.feasibility import spread
from kubetune.domain.space import refitted
from kubetune.domain.study import StudySpec

_LOOKED_AT = 100
"""So many points of each phase's space."""


def check(draft: Draft, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Finals, plateaus and budgets that cannot be; `kinds` are those of the study's names."""
    spec = draft.study.spec
    if spec.finalists is not None and draft.sound("finalists"):
        yield from _single(draft, ("spec", "finalists"))
        yield from _seeds(spec.finalists.seeds)
        yield from _held_out(draft, spec.finalists.held_out_metric)
        fixed = ("spec", "finalists", "fixed")
        yield from values.check(draft, fixed, spec.finalists.fixed, kinds)
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


def warn_of_values(spec: StudySpec) -> Iterator[Fault]:
    """Values of finalists with which every configuration breaks a hard constraint, as it seems.

    Looked at are points all over the space of each phase.
    """
    if spec.finalists is None or not spec.finalists.fixed:
        return
    bites: Counter[str] = Counter()
    for phase in spec.course:
        coordinates = Coordinates(phase.space)
        for units in spread(len(coordinates.axes), _LOOKED_AT):
            pairs = zip(coordinates.axes, units, strict=True)
            candidate = coordinates.candidate({axis.name: axis.at(unit) for axis, unit in pairs})
            if candidate.broken:
                continue
            fitted = refitted(phase.space, candidate.parameters, spec.finalists.fixed)
            broken = coordinates.broken(fitted)
            if not broken:
                return
            bites.update(broken)
    worst = ", ".join(name for name, _ in bites.most_common(1))
    message = f"with these every configuration breaks a constraint, most often '{worst}'"
    yield Fault(("spec", "finalists", "fixed"), f"{message}: there would be no finals")


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
