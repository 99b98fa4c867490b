"""Many draws from one study with any sampler: over many histories where a model learns."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.mirror import Mirror
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Candidate, Coordinates, Repair
from kubetune.domain.draw import draw
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Outcome, Trial, TrialState

MODELS = (
    SamplerAlgorithm.TPE,
    SamplerAlgorithm.GP,
    SamplerAlgorithm.CMAES,
    SamplerAlgorithm.NSGAII,
    SamplerAlgorithm.NSGAIII,
)


def draws(spec: StudySpec, count: int, *, each: int = 500) -> Iterator[Candidate]:
    """`count` draws; a model's history is replaced by another after `each` of them."""
    if spec.sampler.algorithm not in MODELS:
        yield from _running(spec, count)
        return
    for number in range(-(-count // each)):
        yield from _modelled(spec, min(each, count - number * each), number)


def _running(spec: StudySpec, count: int) -> Iterator[Candidate]:
    """Draws as a study makes them, each counted as running."""
    drafter = Drafter(spec, Coordinates(spec.space))
    records: list[Record] = []
    for number in range(count):
        draft = drafter.draft(records)
        assert draft is not None
        trial = Trial(
            number=number, state=TrialState.RUNNING, parameters=draft.candidate.parameters
        )
        records.append(draft.record(trial))
        yield draft.candidate


def _modelled(spec: StudySpec, count: int, seed: int) -> Iterator[Candidate]:
    """Proposals of one model over one history of finished trials."""
    coordinates = Coordinates(spec.space)
    mirror = Mirror(spec, coordinates)
    random = Random(seed)
    history = [_finished(coordinates, number, random) for number in range(12 + 2 * seed)]
    with mirror.asking(history, seed) as asking:
        for _ in range(count):
            tossed: dict[str, float] = {}
            found = draw(
                coordinates,
                lambda _: asking.propose(),
                lambda name, tossed=tossed: tossed.setdefault(name, random.random()),
            )
            assert found is not None
            yield found.candidate


def _finished(coordinates: Coordinates, number: int, random: Random) -> Record:
    point = {axis.name: axis.at(random.random()) for axis in coordinates.axes}
    candidate = coordinates.candidate(point, Repair.SPREAD)
    outcome = Outcome(TrialState.COMPLETE, TrialReason.NONE, values=(random.random(),))
    trial = Trial(
        number=number,
        state=TrialState.COMPLETE,
        parameters=candidate.parameters,
        active=candidate.active,
        outcome=outcome,
    )
    return Record(trial=trial, point=candidate.point, drawn=candidate.parameters, proposals=1)


def without_soft(spec: StudySpec) -> StudySpec:
    """The same study without its soft constraints."""
    hard = tuple(item for item in spec.space.constraints if item.hard)
    return replace(spec, space=replace(spec.space, constraints=hard))
