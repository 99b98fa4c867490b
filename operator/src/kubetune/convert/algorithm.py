"""How trials are drawn: Katib's algorithms and their settings as samplers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubetune.api.wording import show
from kubetune.convert import hyperband, settings
from kubetune.convert.budget import parallelism
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, either
from kubetune.convert.settings import Target
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path

_PATH: Path = ("spec", "algorithm")
_AT: Path = ("spec", "sampler")
POINTS = 5
"""Values that a grid takes of a range without a step."""

_FIELDS = ("algorithm", "seed", "startupTrials", "settings")

NAS = frozenset({"enas", "darts"})
"""Searches for the architecture of a network."""

_NO_COUNTERPART = {
    "pbt": "TPE is written instead; with the pruner ASHA weak trials end early, as with pbt",
    "": "TPE is written instead, it learns from every trial",
}


@dataclass(frozen=True, slots=True)
class _Counterpart:
    """A sampler, what becomes of each setting, and what to know of it."""

    sampler: str
    settings: dict[str, Target] = field(default_factory=dict)
    comment: str = ""


_SEED = {"random_state": Target.seed()}
_COUNTERPARTS: dict[str, _Counterpart] = {
    "random": _Counterpart("Random", _SEED),
    "grid": _Counterpart("Grid", _SEED),
    "sobol": _Counterpart("QMC"),
    "hyperband": _Counterpart(
        "Random",
        {name: Target.elsewhere() for name in hyperband.SETTINGS},
        "Katib's hyperband draws at random; TPE learns from the trials that ran on",
    ),
    "tpe": _Counterpart(
        "TPE",
        {
            **_SEED,
            "n_EI_candidates": Target.setting("n_ei_candidates"),
            "gamma": Target.nothing("TPE takes the best tenth of the trials, 25 at most"),
            "prior_weight": Target.nothing("TPE weighs its prior with 1"),
        },
        "as in Katib: each parameter by itself, and only the first parallelTrialCount trials at\n"
        "random; without startupTrials and settings TPE learns the parameters together",
    ),
    "multivariate-tpe": _Counterpart(
        "TPE",
        {
            **_SEED,
            "n_startup_trials": Target.startup(),
            "startup_trials": Target.startup(),
            "n_ei_candidates": Target.setting("n_ei_candidates"),
            "ei_candidates": Target.setting("n_ei_candidates"),
        },
    ),
    "bayesianoptimization": _Counterpart(
        "GP",
        {
            **_SEED,
            "n_initial_points": Target.startup(),
            "base_estimator": Target.nothing("GP has no other model", but="GP"),
            "acq_func": Target.nothing("GP maximises expected improvement", but="EI"),
            "acq_optimizer": Target.nothing("GP has one optimizer of its own", but="auto"),
        },
        "Katib up to 0.19 draws every double on a logarithmic scale here, whatever its\n"
        "distribution: scale: Log does the same where min is above 0",
    ),
    "cmaes": _Counterpart(
        "CMAES",
        {
            **_SEED,
            "sigma": Target.nothing("CMAES starts with a sixth of each range"),
            "restart_strategy": Target.nothing("CMAES does not restart", but="none"),
        },
    ),
}


def name_of(experiment: Experiment) -> str | None:
    """The algorithm's name; None where it is missing, which is a fault."""
    return experiment.text((*_PATH, "algorithmName"), needed=either(list(_COUNTERPARTS)))


def convert(experiment: Experiment, draft: Draft) -> None:
    """Writes the sampler; the parameters are written already."""
    experiment.mapping(_PATH, ("algorithmName", "algorithmSettings"))
    name = name_of(experiment)
    if name is None:
        return
    counterpart = _COUNTERPARTS.get(name)
    if counterpart is None:
        own = Target.nothing(f"a setting of {name} alone")
        every = settings.listed(experiment, (*_PATH, "algorithmSettings"))
        counterpart = _Counterpart("TPE", {**dict.fromkeys(every, own), **_SEED})
        message = _NO_COUNTERPART.get(name, _NO_COUNTERPART[""])
        path = (*_PATH, "algorithmName")
        hint = suggest(name, _COUNTERPARTS)
        hint = hint if "did you mean" in hint else ""
        draft.note(Kind.LEFT_OUT, path, f"{show(name)} has no counterpart: {message}{hint}", _AT)
    sampler: dict[str, Any] = {"algorithm": counterpart.sampler}
    if refine := _REFINED.get(name):
        refine(experiment, draft, sampler)
    where = settings.Place((*_PATH, "algorithmSettings"), _AT, name)
    settings.convert(experiment, draft, where, counterpart.settings, sampler)
    if counterpart.comment:
        draft.comment(_AT, counterpart.comment)
    ordered = {field: sampler[field] for field in _FIELDS if field in sampler}
    draft.put("sampler", ordered, _PATH)


def _univariate(experiment: Experiment, draft: Draft, sampler: dict[str, Any]) -> None:
    del draft
    sampler["startupTrials"] = parallelism(experiment)
    sampler["settings"] = {"multivariate": False}


def _lying(experiment: Experiment, draft: Draft, sampler: dict[str, Any]) -> None:
    del experiment, draft
    sampler["settings"] = {"constant_liar": True}


def _points(experiment: Experiment, draft: Draft, sampler: dict[str, Any]) -> None:
    del experiment
    open_ended = [
        item["name"]
        for item in draft.spec.get("parameters", [])
        if item["type"] == "Double" and "values" not in item and "step" not in item
    ]
    if open_ended:
        sampler["settings"] = {"points": POINTS}
        message = f"of {', '.join(open_ended)} {POINTS} values are taken: there is no step"
        draft.note(Kind.APPROXIMATED, (*_PATH, "algorithmName"), message, _AT)


def _numeric(experiment: Experiment, draft: Draft, sampler: dict[str, Any]) -> None:
    """A covariance takes two numbers."""
    del experiment
    kinds = [item["type"] for item in draft.spec.get("parameters", [])]
    if len([kind for kind in kinds if kind != "Categorical"]) < 2:  # noqa: PLR2004 - see above
        sampler["algorithm"] = "TPE"
        message = "'cmaes' needs two parameters that are numbers: TPE is written instead"
        draft.note(Kind.APPROXIMATED, (*_PATH, "algorithmName"), message, _AT)


def _torch(experiment: Experiment, draft: Draft, sampler: dict[str, Any]) -> None:
    del experiment, sampler
    message = "GP needs torch where the study is tuned: install kubetune[gp]"
    draft.note(Kind.TO_DO, (*_PATH, "algorithmName"), message, _AT)


_REFINED: dict[str, Callable[[Experiment, Draft, dict[str, Any]], None]] = {
    "tpe": _univariate,
    "multivariate-tpe": _lying,
    "grid": _points,
    "cmaes": _numeric,
    "bayesianoptimization": _torch,
}
