"""What an earlier study's results are worth in another one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubetune.domain import course, ranking
from kubetune.domain.axes import within
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.study import Direction, EarlierStudy, InitialTrial, StudySpec
from kubetune.domain.trial import Trial
from kubetune.domain.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier study as it is stored: its objectives (metric, direction), and its trials."""

    objectives: tuple[tuple[str, Direction], ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """Known results for the new study, and in words what was taken and what was left out."""

    trials: tuple[InitialTrial, ...]
    message: str


def prefix(earlier: EarlierStudy) -> str:
    """How the names of an earlier study's trials begin in the new one."""
    return f"{earlier.name}."


def differing_objectives(spec: StudySpec, earlier: Earlier) -> str:
    """How an earlier study's objectives differ, in words; empty when they are the same."""
    mine = tuple((item.metric, item.direction) for item in spec.objectives)
    if mine == earlier.objectives:
        return ""
    return f"{_spell(earlier.objectives)} there, {_spell(mine)} here"


def take_over(spec: StudySpec, wanted: EarlierStudy, earlier: Earlier, top: int) -> TakenOver:
    """The best trials of an earlier study that lie in this one's space, as known results.

    A trial is taken when each of its active parameters has a value here that the space holds, and
    no hard constraint forbids it: a result of another place would mislead the sampler.
    """
    coordinates = Coordinates(spec.space)
    complete = tuple(course.search(earlier.trials))
    taken: list[InitialTrial] = []
    left_out: Counter[str] = Counter()
    for trial in ranking.leaders(spec, complete, len(complete)):
        values = {**wanted.parameters, **trial.parameters}
        why = _unfit(coordinates, values)
        if why:
            left_out[why] += 1
            continue
        assert trial.outcome
        named = zip((item.metric for item in spec.objectives), trial.outcome.values, strict=False)
        taken.append(
            InitialTrial(
                name=f"{prefix(wanted)}{trial.number}",
                parameters=coordinates.assess(values).parameters,
                metrics={**trial.outcome.metrics, **dict(named)},
            )
        )
        if len(taken) == top:
            break
    return TakenOver(trials=tuple(taken), message=_message(spec, wanted, earlier, taken, left_out))


def _unfit(coordinates: Coordinates, values: Mapping[str, Value]) -> str:
    """Why a trial means nothing here, in words; empty when it does."""
    try:
        candidate = coordinates.assess(values)
    except KeyError as error:
        return f"no value of {error.args[0]}"
    for parameter in coordinates.space.parameters:
        if parameter.name not in candidate.active:
            continue
        if not within(parameter, candidate.parameters[parameter.name]):
            return f"{parameter.name} outside its range here"
    return f"constraint {candidate.broken[0]}" if candidate.broken else ""


def _message(
    spec: StudySpec,
    wanted: EarlierStudy,
    earlier: Earlier,
    taken: Sequence[InitialTrial],
    left_out: Mapping[str, int],
) -> str:
    text = f"{len(taken)} trials of {wanted.name} are taken over"
    if left_out:
        named = ", ".join(f"{why} ({count})" for why, count in sorted(left_out.items()))
        text += f"; left out: {named}"
    if differing := _differing_fixed(spec, earlier):
        text += f"; it had other fixed values: {differing}"
    return text


def _differing_fixed(spec: StudySpec, earlier: Earlier) -> str:
    if not earlier.trials:
        return ""
    theirs = earlier.trials[0].parameters
    named = {item.name for item in spec.space.parameters}
    return ", ".join(
        f"{name} {theirs[name]}"
        for name, value in sorted(spec.space.fixed.items())
        if name in theirs and name not in named and theirs[name] != value
    )


def _spell(objectives: Sequence[tuple[str, Direction]]) -> str:
    return ", ".join(f"{direction.value} {metric}" for metric, direction in objectives)
