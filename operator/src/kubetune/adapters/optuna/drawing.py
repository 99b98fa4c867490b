"""The next trial of a study: a function of its seed, its number and the trials before it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import zip_longest
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from kubetune.adapters.optuna import seeds
from kubetune.adapters.optuna.enumeration import POINTS, Grid, Sobol
from kubetune.adapters.optuna.lessons import Lesson, imputes_cuts, taught
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Candidate, Coordinates, Point, Repair
from kubetune.domain.draw import Draw, NoFeasibleDraw, draw
from kubetune.domain.faults import Fault, InvalidSpec
from kubetune.domain.study import SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Assignment

if TYPE_CHECKING:
    from kubetune.adapters.optuna.mirror import Mirror

PATIENCE = 100
"""After so many of a model's proposals turned down in a row, uniform ones follow."""

GP_PATIENCE = 5
"""The same for GP: each costs a second, and the best of one acquisition hardly moves."""

ROUNDS = 20
"""So often an enumeration goes on after the limit of one draw; then it counts as exhausted."""

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="drawing")
"""A slow model, such as GP, leaves room for another study's quick one."""

T = TypeVar("T")

_GRIDS = frozenset({SamplerAlgorithm.GRID, SamplerAlgorithm.BRUTE_FORCE})
_AT_ONCE = frozenset({SamplerAlgorithm.NSGAII, SamplerAlgorithm.NSGAIII})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drawn trial before it is stored; `proposals` is what the draw used up."""

    candidate: Candidate
    rejected: Mapping[str, int] = field(default_factory=dict)
    proposals: int = 1
    memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def record(self, trial: Trial) -> Record:
        """The record of the trial made of it."""
        return Record(
            trial=trial,
            point=self.candidate.point,
            drawn=self.candidate.parameters,
            proposals=self.proposals,
            memory=self.memory,
        )


async def beside(work: Callable[[], T]) -> T:
    """Runs a draw in a thread of its own kind: models take from milliseconds to a second."""
    return await asyncio.wrap_future(_THREADS.submit(work))


def encoded(coordinates: Coordinates, parameters: Assignment, active: frozenset[str]) -> Point:
    """The point of given parameters; an inactive one's `otherwise` need not be on its axis."""
    return coordinates.encode({name: parameters[name] for name in active})


class Drafter:
    """Drafts the next trial of any history of one study.

    Raises:
        InvalidSpec: the algorithm needs a package that is not installed.
    """

    def __init__(self, spec: StudySpec, coordinates: Coordinates) -> None:
        algorithm = spec.sampler.algorithm
        if algorithm is SamplerAlgorithm.GP and find_spec("torch") is None:
            where = ("spec", "sampler", "algorithm")
            raise InvalidSpec([Fault(where, "sampler GP needs torch: install kubetune[gp]")])
        self._spec = spec
        self._coordinates = coordinates
        self._mirror: Mirror | None = None
        self._draft: Callable[[Sequence[Record]], Draft | None] = self._modelled
        if algorithm is SamplerAlgorithm.RANDOM:
            self._draft = self._uniform
        elif algorithm in _GRIDS or algorithm is SamplerAlgorithm.QMC:
            self._draft = _Enumerated(spec, coordinates).draft

    def draft(self, history: Sequence[Record]) -> Draft | None:
        """The next trial; None when there is no further one.

        Raises:
            NoFeasibleDraw: nothing that may be launched was found.
        """
        return self._draft(history)

    def _uniform(self, history: Sequence[Record], repair: Repair = Repair.SPREAD) -> Draft | None:
        return _drafted(draw(self._coordinates, self._points(history), self._coin(history), repair))

    def _modelled(self, history: Sequence[Record]) -> Draft | None:
        if not self._has_learnt(history):
            return self._uniform(history, Repair.NEAREST)
        if self._mirror is None:
            from kubetune.adapters.optuna.mirror import Mirror  # noqa: PLC0415 - loads Optuna

            self._mirror = Mirror(self._spec, self._coordinates)
        mirror, uniform = self._mirror, self._points(history)
        gaussian = self._spec.sampler.algorithm is SamplerAlgorithm.GP
        patience = GP_PATIENCE if gaussian else PATIENCE
        with mirror.asking(history, self._seed(history, "model")) as asking:

            def propose(attempt: int) -> Point | None:
                return asking.propose() if attempt < patience else uniform(attempt)

            found = draw(self._coordinates, propose, self._coin(history))
            memory = {}
            if found and found.proposals <= patience and self._remembers():
                memory = asking.memory(mirror.known(history))
        return _drafted(found, memory)

    def _has_learnt(self, history: Sequence[Record]) -> bool:
        """Whether the model would be asked at all: until then, no model is loaded."""
        sampler = self._spec.sampler
        if sampler.algorithm in _AT_ONCE:
            return True
        lessons = [taught(record) for record in history]
        imputes = imputes_cuts(self._spec) and Lesson.VALUED in lessons
        counted = {Lesson.VALUED}
        if imputes or sampler.algorithm is SamplerAlgorithm.TPE:
            counted |= {Lesson.CUT, Lesson.AVOID}
        finished = sum(lesson in counted for lesson in lessons)
        return finished >= max(sampler.startup_trials, 1)

    def _remembers(self) -> bool:
        from kubetune.adapters.optuna.samplers import REMEMBERING  # noqa: PLC0415 - loads Optuna

        return self._spec.sampler.algorithm in REMEMBERING

    def _seed(self, history: Sequence[Record], purpose: str) -> int:
        return seeds.seed(self._spec.sampler.seed, len(history), purpose)

    def _coin(self, history: Sequence[Record]) -> Callable[[str], float]:
        """Tossed once a draw for each soft constraint."""
        return lambda name: seeds.share(self._spec.sampler.seed, len(history), "coin", name)

    def _points(self, history: Sequence[Record]) -> Callable[[int], Point]:
        random = Random(self._seed(history, "uniform")).random  # noqa: S311 - no secret
        axes = self._coordinates.axes
        return lambda _: {axis.name: axis.at(random()) for axis in axes}


class _Enumerated:
    """Draws along a sequence; how far it has come is the sum of what earlier draws used up."""

    def __init__(self, spec: StudySpec, coordinates: Coordinates) -> None:
        self._spec = spec
        self._coordinates = coordinates
        self._distinct = spec.sampler.algorithm in _GRIDS
        self._repair = Repair.NONE if self._distinct else Repair.SPREAD
        settings, seed = spec.sampler.settings, spec.sampler.seed
        self._sequence: Grid | Sobol
        if self._distinct:
            points = int(settings.get("points", POINTS))
            self._sequence = Grid(coordinates.axes, seed, points)
        else:
            scramble = bool(settings.get("scramble", True))
            self._sequence = Sobol(coordinates.axes, seed, scramble=scramble)
        self._seen: list[Assignment] = []
        self._tried: set[frozenset[tuple[str, Any]]] = set()

    def draft(self, history: Sequence[Record]) -> Draft | None:
        """The next combination that was not tried yet."""
        start = sum(record.proposals for record in history)
        self._learn(history)
        index, rejected, key = start, dict[str, int](), frozenset[tuple[str, Any]]()

        def propose(_: int) -> Point | None:
            nonlocal index, key
            while index < self._sequence.size:
                point = self._sequence[index]
                index += 1
                candidate = self._coordinates.candidate(point, self._repair)
                key = _key(candidate.parameters, candidate.active)
                if not self._distinct or key not in self._tried:
                    return point
            return None

        def coin(name: str) -> float:
            """The same for the same combination, however many points lead to it."""
            what = sorted(key) if self._distinct else len(history)
            return seeds.share(self._spec.sampler.seed, "coin", name, what)

        for _ in range(ROUNDS):
            try:
                found = draw(self._coordinates, propose, coin, self._repair)
            except NoFeasibleDraw as nothing:
                _add(rejected, nothing.rejected)
                continue
            if found is None:
                return None
            _add(rejected, found.rejected)
            return Draft(candidate=found.candidate, rejected=rejected, proposals=index - start)
        raise NoFeasibleDraw(rejected)

    def _learn(self, history: Sequence[Record]) -> None:
        if not self._distinct:
            return
        known = len(self._seen)
        drawn = [record.drawn for record in history]
        if any(one is not other for one, other in zip_longest(self._seen, drawn[:known])):
            self._tried, known = set(), 0
        self._tried.update(
            _key(item.drawn, item.trial.active)
            for item in history[known:]
            if item.trial.stage is Stage.SEARCH
        )
        self._seen = drawn


class Drawing:
    """Draws for people to look at: nothing is stored, each draw counts as running.

    In a study with phases they are those of the first.
    """

    def __init__(self, spec: StudySpec, history: Sequence[Trial] = ()) -> None:
        first = spec.course[0]
        spec = replace(spec, space=first.space, sampler=first.sampler)
        self._coordinates = Coordinates(spec.space)
        self._drafter = Drafter(spec, self._coordinates)
        self._records = [
            Record(
                trial=trial,
                point=encoded(self._coordinates, trial.parameters, trial.active),
                drawn=trial.parameters,
                proposals=0 if trial.initial else 1,
            )
            for trial in history
        ]

    def draw(self) -> Draw | None:
        """The next draw, None when the space is exhausted.

        Raises:
            NoFeasibleDraw: nothing that may be launched was found.
        """
        draft = self._drafter.draft(self._records)
        if draft is None:
            return None
        trial = Trial(
            number=len(self._records),
            state=TrialState.RUNNING,
            parameters=draft.candidate.parameters,
            active=draft.candidate.active,
            rejected=draft.rejected,
        )
        self._records.append(draft.record(trial))
        return Draw(candidate=draft.candidate, rejected=draft.rejected, proposals=draft.proposals)


def _drafted(
    found: Draw | None, memory: Mapping[str, Mapping[str, Any]] | None = None
) -> Draft | None:
    if found is None:
        return None
    return Draft(
        candidate=found.candidate,
        rejected=found.rejected,
        proposals=found.proposals,
        memory=memory or {},
    )


def _key(parameters: Assignment, active: frozenset[str]) -> frozenset[tuple[str, Any]]:
    """What makes a combination: fixed values may change during a study."""
    return frozenset((name, parameters[name]) for name in active)


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
