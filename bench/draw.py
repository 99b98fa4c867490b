"""The price of one draw: constrained and stored, against Optuna's unconstrained one.

Both draw from the same parameters with TPE and store into SQLite; ours honours the nine
constraints of `w0.yaml`, and its row holds the whole trial.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import optuna

from bench.studies import load
from bench.table import Figure
from kubetune.adapters.optuna.samplers import distribution
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import InitialTrial, StudySpec
from kubetune.domain.trial import Outcome, TrialState


class _Clock:
    def now(self) -> float:
        return time.time()


def figures(sizes: tuple[int, ...] = (10, 100, 1000), draws: int = 15) -> list[Figure]:
    """Medians over some draws, ours and the peer's in turn."""
    spec = load("w0.yaml")
    return [asyncio.run(_figure(spec, size, draws)) for size in sizes]


async def _figure(spec: StudySpec, size: int, draws: int) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        store = await OptunaStore.open(
            f"sqlite:///{Path(folder, 'ours.sqlite3')}", "bench", spec, _Clock()
        )
        peer, ask = _peer(spec, f"sqlite:///{Path(folder, 'peer.sqlite3')}", size)
        await _fill(store, spec, size, random.Random(size))
        ours, theirs = [], []
        for _ in range(draws):
            begin = time.perf_counter()
            trial = (await store.draw(1)).trials[0]
            ours.append(time.perf_counter() - begin)
            await store.tell(trial.number, _outcome(random.random()), 0.0, 1.0)
            begin = time.perf_counter()
            asked = ask()
            theirs.append(time.perf_counter() - begin)
            peer.tell(asked, random.random())
        await store.close()
    ours_ms, theirs_ms = (1000 * statistics.median(times) for times in (ours, theirs))
    return Figure(f"one draw at {size} finished trials", ours_ms, theirs_ms, 1.5, "ms")


def _peer(spec: StudySpec, url: str, size: int) -> tuple[optuna.Study, Callable[[], optuna.Trial]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    axes = Coordinates(spec.space).axes
    distributions = {axis.name: distribution(axis) for axis in axes}
    study = optuna.create_study(storage=url, sampler=optuna.samplers.TPESampler(seed=1))
    generator = random.Random(size)
    study.add_trials(
        [
            optuna.create_trial(
                value=generator.random(),
                params={axis.name: axis.at(generator.random()) for axis in axes},
                distributions=distributions,
            )
            for _ in range(size)
        ]
    )
    return study, lambda: study.ask(distributions)


async def _fill(store: OptunaStore, spec: StudySpec, size: int, generator: random.Random) -> None:
    """Imports finished trials: a draw each would only take longer."""
    coordinates = Coordinates(spec.space)
    for number in range(size):
        point = {axis.name: axis.at(generator.random()) for axis in coordinates.axes}
        candidate = coordinates.candidate(point, Repair.SPREAD)
        parameters = {name: candidate.parameters[name] for name in candidate.active}
        initial = InitialTrial(name=f"past-{number}", parameters=parameters)
        await store.add_initial(initial, _outcome(generator.random()))


def _outcome(value: float) -> Outcome:
    return Outcome(TrialState.COMPLETE, TrialReason.NONE, values=(value,))
