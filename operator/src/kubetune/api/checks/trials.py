"""Trials: their budget, retries, measured limits, and the container that runs them."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from kubetune.api.checks.names import in_phases, unknown
from kubetune.api.compiling import elsewhere
from kubetune.api.mending import Draft
from kubetune.api.wording import show
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Fault, Path

TRAINER = "trainer"
"""The container that is the trial."""

_REFERENCE = re.compile(r"\$\(KUBETUNE_PARAM_([A-Za-z0-9_]+)\)")


def check_policy(draft: Draft, names: Collection[str]) -> Iterator[Fault]:
    """Adjustments of nothing, and ones that are never applied."""
    if not draft.sound("trials"):
        return
    policy = draft.study.spec.trials
    path: Path = ("spec", "trials", "onOutOfMemory")
    for index, item in enumerate(policy.on_out_of_memory):
        if item.name not in names and item.name not in draft.lost and not draft.blind:
            yield Fault((*path, index, "name"), unknown(draft, item.name, names))
    retries = policy.retries.out_of_memory or 0
    if policy.retries.crash_is_out_of_memory and retries == 0:
        message = "is for a retry: write outOfMemory: 2 beside it"
        yield Fault(("spec", "trials", "retries", "crashIsOutOfMemory"), message)
    if policy.on_out_of_memory and retries == 0:
        yield Fault(path, "is never applied: write retries: {outOfMemory: 2} beside it")
    if retries and not policy.on_out_of_memory:
        message = "the same values run out of memory again: write onOutOfMemory, or take it out"
        yield Fault(("spec", "trials", "retries", "outOfMemory"), message)


def check_limits(draft: Draft) -> Iterator[Fault]:
    """Measured limits without a limit."""
    for index, item in enumerate(draft.study.spec.outcome_constraints):
        path = draft.path("outcomeConstraints", index)
        if item.min is None and item.max is None:
            yield Fault(path, "has no limit: write min, max or both")
        elif item.min is not None and item.max is not None and item.min > item.max:
            yield Fault(path, f"min {item.min:g} is above max {item.max:g}: swap them")


def check_template(draft: Draft, names: Collection[str]) -> Iterator[Fault]:
    """A pod without a trainer, or one that has nothing to run."""
    if not draft.sound("trialTemplate"):
        return
    pod = draft.study.spec.trial_template.spec
    yield from _grace(pod.model_dump().get("terminationGracePeriodSeconds", 0))
    containers = pod.containers
    path: Path = ("spec", "trialTemplate", "spec", "containers")
    trainers = [index for index, item in enumerate(containers) if item.name == TRAINER]
    if len(trainers) != 1:
        found = ", ".join(item.name for item in containers)
        message = f"one container must be named {TRAINER}: it is the trial; found: {found}"
        yield Fault(path, message)
        return
    here = (*path, trainers[0])
    container = containers[trainers[0]].model_dump()
    if not any(container.get(key) for key in ("command", "args", "image")):
        yield Fault(here, "has nothing to run: write image, command or args")
    yield from _texts(draft, here, container, names)
    yield from _environment(here, container.get("env"))


def _grace(seconds: Any) -> Iterator[Fault]:
    """The time to stop in; a pod takes whole seconds only."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        path: Path = ("spec", "trialTemplate", "spec", "terminationGracePeriodSeconds")
        yield Fault(path, f"{show(seconds)} is no time: write whole seconds from 0")


def warn(draft: Draft) -> Iterator[Fault]:
    """What works, but hardly as meant."""
    spec = draft.study.spec
    if draft.sound("trials"):
        if spec.trials.parallelism > spec.trials.max:
            message = f"{spec.trials.parallelism} is more than max {spec.trials.max}"
            yield Fault(("spec", "trials", "parallelism"), message)
        if len(spec.initial_trials) > spec.trials.max:
            message = f"{len(spec.initial_trials)} are more than trials.max {spec.trials.max}"
            yield Fault(("spec", "initialTrials"), message)


def warn_locally(draft: Draft) -> Iterator[Fault]:
    """What works in a cluster alone."""
    if not draft.sound("trialTemplate"):
        return
    spec = draft.study.spec
    for index, item in enumerate(spec.trial_template.spec.containers):
        container = item.model_dump()
        runs = container.get("command") or container.get("args")
        if item.name == TRAINER and container.get("image") and not runs:
            path = ("spec", "trialTemplate", "spec", "containers", index)
            yield Fault(path, "has neither command nor args: a local run cannot start its image")


def _texts(
    draft: Draft, here: Path, container: dict[str, Any], names: Collection[str]
) -> Iterator[Fault]:
    """Commands and arguments: lists of texts, with references to values that exist."""
    for key in ("command", "args"):
        items = container.get(key)
        if items is None:
            continue
        if not isinstance(items, list):
            yield Fault((*here, key), f"{show(items)} is no list: write [{show(items)}]")
            continue
        for index, item in enumerate(items):
            at = (*here, key, index)
            if not isinstance(item, str):
                yield Fault(at, f"{show(item)} is no text: write it in quotes")
                continue
            for name in _REFERENCE.findall(item):
                if name not in names and name not in draft.lost and not draft.blind:
                    yield Fault(at, _no_value(draft, name, names))


def _no_value(draft: Draft, name: str, names: Collection[str]) -> str:
    phase = in_phases(draft).get(name)
    if phase is not None:
        return elsewhere(name, phase)
    return f"$(KUBETUNE_PARAM_{name}) is no value of this study{suggest(name, names)}"


def _environment(here: Path, entries: Any) -> Iterator[Fault]:
    if not isinstance(entries, list):
        if entries is not None:
            yield Fault(
                (*here, "env"), f"{show(entries)} is no list: write - {{name: A, value: b}}"
            )
        return
    for index, entry in enumerate(entries):
        at = (*here, "env", index)
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            yield Fault(at, "has no name: write {name: A, value: b}")
        elif not isinstance(entry.get("value", ""), str):
            yield Fault((*at, "value"), f"{show(entry['value'])} is no text: write it in quotes")
