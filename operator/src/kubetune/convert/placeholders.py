"""`${trialParameters.X}`: text that Katib fills in before it launches a trial.

A study launches the same template every time. What differs between trials reaches the container
that trains as variables, which Kubernetes fills in where `command`, `args` and `env` name them as
`$(NAME)`. What is the same for all trials is written out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.convert.parameters import Givens
from kubetune.convert.pods import PATH as SPEC
from kubetune.domain.contract import PARAMETER_PREFIX, text
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path

TRIAL_NAME = "KATIB_TRIAL_NAME"
TRIAL_NAMESPACE = "KATIB_TRIAL_NAMESPACE"
FIELDS: Mapping[str, str] = {
    TRIAL_NAME: "metadata.labels['batch.kubernetes.io/job-name']",
    TRIAL_NAMESPACE: "metadata.namespace",
}
"""Variables that the pod fills in itself: a trial is named as its Job."""

_PATH: Path = ("spec", "trialTemplate", "trialParameters")
_PLACEHOLDER = re.compile(r"\$\{trialParameters\.([^{}]+)\}")
_OF_TRIAL = re.compile(r"\$\{trialSpec\.(\w+)(?:\[(.*)\])?\}")


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands for a placeholder: a variable's name, text that never changes, or either."""

    variable: str = ""
    literal: str | None = None


class Placeholders:
    """Fills in placeholders, and remembers which were met."""

    def __init__(self, draft: Draft, replacements: Mapping[str, Replacement]) -> None:
        self._draft = draft
        self._replacements = replacements
        self._met: set[str] = set()

    def fill(self, value: Any, path: Path, *, expanded: bool) -> Any:
        """The value with all its placeholders filled in.

        `expanded`: Kubernetes fills in variables here. Elsewhere only what is the same for all
        trials can be written; the rest is a fault.
        """
        if isinstance(value, Mapping):
            return {
                self.fill(key, (*path, key), expanded=False): self.fill(
                    item, (*path, key), expanded=expanded
                )
                for key, item in value.items()
            }
        if isinstance(value, list):
            pairs = enumerate(value)
            return [self.fill(item, (*path, index), expanded=expanded) for index, item in pairs]
        if not isinstance(value, str):
            return value
        return _PLACEHOLDER.sub(lambda found: self._one(found, path, expanded=expanded), value)

    def unmet(self) -> list[str]:
        """Names that no placeholder has."""
        return [name for name in self._replacements if name not in self._met]

    def _one(self, found: re.Match[str], path: Path, *, expanded: bool) -> str:
        name = found.group(1)
        self._met.add(name)
        replacement = self._replacements.get(name)
        if replacement is None:
            message = f"{found.group()} is no trialParameter{suggest(name, self._replacements)}"
            self._draft.findings.refuse(path, message)
            return found.group()
        if expanded and replacement.variable:
            return f"{_escape(found)}{variable(replacement.variable)}"
        if replacement.literal is not None:
            return replacement.literal.replace("$(", "$$(") if expanded else replacement.literal
        message = (
            f"{found.group()}: only command, args and env of the container that trains differ "
            "between trials: write a value, or take the parameter out"
        )
        self._draft.findings.refuse(path, message)
        return found.group()


def variable(name: str) -> str:
    """The spelling that Kubernetes fills in."""
    return f"$({name})"


def _escape(found: re.Match[str]) -> str:
    """A `$` that stands by itself before a variable has to be doubled: `$$` is a plain one."""
    before = found.string[: found.start()]
    return "$" * ((len(before) - len(before.rstrip("$"))) % 2)


def read(experiment: Experiment, draft: Draft, givens: Givens) -> Placeholders:
    """The Experiment's trialParameters."""
    replacements: dict[str, Replacement] = {}
    references: set[str | None] = set()
    for index, _ in enumerate(experiment.items(_PATH)):
        path = (*_PATH, index)
        experiment.mapping(path, ("name", "description", "reference"))
        name = experiment.text((*path, "name"), needed="the placeholder's name")
        reference = experiment.text((*path, "reference"), needed="a parameter's name")
        if name in replacements:
            draft.findings.refuse((*path, "name"), f"{show(name)} is there twice: write another")
        elif name is not None:
            replacements[name] = Replacement(variable="UNKNOWN")
            found = _replacement(experiment, draft, (*path, "reference"), reference, givens)
            replacements[name] = found or replacements[name]
            references.add(reference)
    for index, _ in enumerate(experiment.items(("spec", "parameters"))):
        where = ("spec", "parameters", index, "name")
        name = experiment.text(where)
        if name is not None and name in givens and name not in references:
            ours = f"{PARAMETER_PREFIX}{givens[name].name}"
            message = f"{show(name)}: no trialParameter refers to it: the trial finds it in ${ours}"
            draft.note(Kind.TO_DO, where, message)
    return Placeholders(draft, replacements)


def _replacement(
    experiment: Experiment, draft: Draft, path: Path, reference: str | None, givens: Givens
) -> Replacement | None:
    if reference is None:
        return None
    if reference in givens:
        given = givens[reference]
        literal = None if given.constant is None else text(given.constant)
        return Replacement(f"{PARAMETER_PREFIX}{given.name}", literal)
    found = _OF_TRIAL.fullmatch(reference)
    if found is None:
        if not draft.findings.faults:
            message = f"{show(reference)} is no parameter{suggest(reference, givens)}"
            draft.findings.refuse(path, message)
        return None
    return _of_trial(experiment, draft, path, found)


def _of_trial(
    experiment: Experiment, draft: Draft, path: Path, found: re.Match[str]
) -> Replacement | None:
    """What Katib knows of the trial itself."""
    word, key = found.groups()
    sources = {
        "Namespace": ("metadata", "namespace"),
        "Kind": (*SPEC, "kind"),
        "APIVersion": (*SPEC, "apiVersion"),
        "Labels": (*SPEC, "metadata", "labels", key),
        "Annotations": (*SPEC, "metadata", "annotations", key),
    }
    variables = {"Name": TRIAL_NAME, "Namespace": TRIAL_NAMESPACE}
    if word in sources and (key is None) == (word not in {"Labels", "Annotations"}):
        literal = experiment.text(sources[word])
        if literal is not None:
            return replace(Replacement(), literal=literal)
    if word in variables and key is None:
        return Replacement(variables[word])
    message = (
        f"{show(found.group())} is nothing that a trial has: write Name, Namespace, Kind, "
        "APIVersion, or Labels[...] and Annotations[...] that trialSpec has"
    )
    draft.findings.refuse(path, message)
    return None
