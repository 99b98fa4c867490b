"""Objectives, sampler and pruner: combinations that work, settings that do something."""

from collections.abc import Iterator

from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.pruner import Pruner
from kubetune.api.wording import show
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Fault
from kubetune.domain.sampling import SETTINGS, SINGLE_OBJECTIVE
from kubetune.domain.study import PrunerAlgorithm, SamplerAlgorithm
from kubetune.domain.values import Value

_ENUMERATING = {SamplerAlgorithm.GRID, SamplerAlgorithm.BRUTE_FORCE}
_LEARNING = {SamplerAlgorithm.TPE, SamplerAlgorithm.GP, SamplerAlgorithm.CMAES}
_LEAST = {"points": 2, "population_size": 2, "popsize": 2}
_RUNGS = ("min_resource", "max_resource", "reduction_factor")
_PATIENT = ("startup_trials", "warmup_steps")
_READS: dict[PrunerAlgorithm, tuple[str, ...]] = {
    PrunerAlgorithm.NONE: (),
    PrunerAlgorithm.ASHA: _RUNGS,
    PrunerAlgorithm.HYPERBAND: _RUNGS,
    PrunerAlgorithm.MEDIAN: _PATIENT,
    PrunerAlgorithm.PERCENTILE: ("percentile", *_PATIENT),
    PrunerAlgorithm.THRESHOLD: ("lower", "upper", *_PATIENT),
    PrunerAlgorithm.WILCOXON: ("p_threshold", *_PATIENT),
}


def check_objectives(draft: Draft) -> Iterator[Fault]:
    """What several objectives exclude."""
    spec = draft.study.spec
    if len(spec.objectives) == 1 or not draft.sound("objectives"):
        return
    for index, objective in enumerate(spec.objectives):
        if objective.target is not None:
            path = draft.path("objectives", index, "target")
            yield Fault(path, "needs a single objective: take it out, or keep one objective")
    if spec.pruner.algorithm is not PrunerAlgorithm.NONE:
        message = f"{spec.pruner.algorithm} needs a single objective: write None"
        yield Fault(("spec", "pruner", "algorithm"), message)
    if spec.pruner.patience is not None:
        yield Fault(("spec", "pruner", "patience"), "needs a single objective: take it out")
    if spec.sampler.algorithm in SINGLE_OBJECTIVE:
        message = f"{spec.sampler.algorithm} takes a single objective: write TPE or NSGAII"
        yield Fault(("spec", "sampler", "algorithm"), message)


def check_sampler(draft: Draft) -> Iterator[Fault]:
    """Parameters that an algorithm cannot search, settings that it does not know."""
    spec = draft.study.spec
    algorithm = spec.sampler.algorithm
    if draft.sound("sampler"):
        for name, value in spec.sampler.settings.items():
            yield from _setting(algorithm, name, value)
    if not draft.sound("sampler", "parameters"):
        return
    if algorithm is SamplerAlgorithm.CMAES:
        numeric = sum(item.type != "Categorical" for item in spec.parameters)
        if numeric < 2:  # noqa: PLR2004 - a covariance takes two
            message = "CMAES needs at least two parameters that are numbers: write TPE"
            yield Fault(("spec", "sampler", "algorithm"), message)
    if algorithm in _ENUMERATING and "points" not in spec.sampler.settings:
        for item in spec.parameters:
            if item.type == "Double" and item.values is None and item.step is None:
                message = (
                    f"{algorithm} needs to know how many values to take of '{item.name}':"
                    " write points: 5, or give the parameter a step"
                )
                yield Fault(("spec", "sampler", "settings"), message)


def check_pruner(draft: Draft) -> Iterator[Fault]:
    """Bounds that an algorithm needs."""
    if not draft.sound("pruner"):
        return
    pruner = draft.study.spec.pruner
    low, high = pruner.min_resource or 1.0, pruner.max_resource
    if pruner.algorithm in {PrunerAlgorithm.ASHA, PrunerAlgorithm.HYPERBAND}:
        if high is None:
            message = f"missing: {pruner.algorithm} needs the step at which a full trial ends"
            yield Fault(("spec", "pruner", "maxResource"), message)
        elif high <= low:
            message = f"{high:g} is not above minResource {low:g}: write a larger one"
            yield Fault(("spec", "pruner", "maxResource"), message)
    if pruner.algorithm is PrunerAlgorithm.THRESHOLD:
        if pruner.lower is None and pruner.upper is None:
            message = "Threshold needs lower, upper or both"
            yield Fault(("spec", "pruner"), message)
        elif pruner.lower is not None and pruner.upper is not None and pruner.lower >= pruner.upper:
            message = f"{pruner.lower:g} is not below upper {pruner.upper:g}: swap them"
            yield Fault(("spec", "pruner", "lower"), message)


def warn(draft: Draft) -> Iterator[Fault]:
    """Fields that the chosen algorithm does not read."""
    sampler, pruner = draft.study.spec.sampler, draft.study.spec.pruner
    given = sampler.startup_trials != type(sampler).model_fields["startup_trials"].default
    if given and sampler.algorithm not in _LEARNING:
        message = f"has no effect with {sampler.algorithm}"
        yield Fault(("spec", "sampler", "startupTrials"), message)
    for name in Pruner.model_fields:
        if name in {"algorithm", "patience", *_READS[pruner.algorithm]}:
            continue
        if getattr(pruner, name) is not None:
            alias = Pruner.model_fields[name].alias or name
            message = f"has no effect with the pruner {pruner.algorithm}"
            yield Fault(("spec", "pruner", alias), message)


def _setting(algorithm: SamplerAlgorithm, name: str, value: Value) -> Iterator[Fault]:
    path = ("spec", "sampler", "settings", name)
    known = SETTINGS[algorithm]
    if name not in known:
        hint = suggest(name, known) or "; it has no settings"
        yield Fault(path, f"{algorithm} has no such setting{hint}")
        return
    kind = known[name]
    if kind is bool:
        if not isinstance(value, bool):
            yield Fault(path, f"{show(value)} is neither true nor false")
    elif isinstance(value, bool | str):
        what = "a whole number" if kind is int else "a number from 0 to 1"
        yield Fault(path, f"{show(value)}: write {what}")
    elif kind is float:
        if not 0 <= value <= 1:
            yield Fault(path, f"{show(value)} is out of bounds: write a number from 0 to 1")
    elif not isinstance(value, int) or value < _LEAST.get(name, 1):
        least = _LEAST.get(name, 1)
        yield Fault(path, f"{show(value)}: write a whole number of at least {least}")
