"""The course of a study, a line each for its phases and its finals."""

from collections.abc import Iterator
from typing import Any

from kubetune.cli.output import count
from kubetune.domain import course
from kubetune.domain.study import Finalists, OnFailure, Phase, StudySpec


def lines(spec: StudySpec) -> Iterator[str]:
    """What a study does after what; nothing for one of a single search."""
    for phase in spec.phases:
        yield f"phase {phase.name}: {', '.join(_parts(spec, phase))}"
    if spec.finalists:
        yield f"finalists: {_finals(spec.finalists)}"


def plain(spec: StudySpec) -> list[dict[str, Any]]:
    """The phases for programs."""
    return [
        {
            "name": phase.name,
            "trials": phase.trials,
            "when": phase.when and phase.when.text,
            "gate": phase.gate and phase.gate.require.text,
            "parameters": _own(spec, phase),
        }
        for phase in spec.phases
    ]


def _parts(spec: StudySpec, phase: Phase) -> Iterator[str]:
    left = f"what is left of {count(spec.trials.max, 'trial')}"
    yield left if phase.trials is None else count(phase.trials, "trial")
    if phase.when:
        yield f"only if {phase.when.text}"
    if phase.narrow:
        yield f"ranges at {phase.narrow.shrink:.0%} around the best {phase.narrow.around_top}"
    if own := _own(spec, phase):
        yield f"with its own {' and '.join(own)}"
    if phase.sampler != spec.sampler:
        yield f"drawn by {phase.sampler.algorithm}"
    if phase.pruner != spec.pruner:
        yield f"pruned by {phase.pruner.algorithm}"
    if phase.gate:
        stops = phase.gate.on_failure is OnFailure.STOP
        rule = phase.gate.require.text
        yield f"the study ends unless {rule}" if stops else f"told whether {rule}"


def _finals(finalists: Finalists) -> str:
    runs = finalists.top * len(finalists.seeds)
    text = f"the best {finalists.top} with {count(len(finalists.seeds), 'seed')} each"
    text += f": {count(runs, 'run')} beside the trials"
    if finalists.held_out_metric is None:
        return text
    return f"{text}, then the winner once for {finalists.held_out_metric}"


def _own(spec: StudySpec, phase: Phase) -> list[str]:
    return [item.name for item in course.own_parameters(spec, phase)]
