"""What a course is worth: coarse to fine and finals, against the best trial of a plain search.

Studies of the real planner, engine and store over trained models that are functions: a smooth
response to five parameters, whose best point differs from seed to seed, and curves that converge to
it. A validation value has the luck of its training's seed, held-out data have noise of their own.
Each study has the same number of trial-steps. A plain one takes its best validation value; a course
searches at random, then closely around the best, trains the leaders again with other seeds, and
pays for the held-out run too. Figures are means of the held-out loss above the least possible, with
the standard error of the difference, seed by seed; lower is better.
"""

import math
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from bench.table import Figure
from kubetune.domain.trial import Stage, Trial
from tests.simulated import Course, simulate

SEEDS = 30
STEPS = 4
LEAST = 0.5
"""The loss at the best point."""

NOISE = 0.05
"""The spread of one configuration's validation values: what half a decade of the rate costs."""

LITTLE = 0.02
HELD_OUT_NOISE = 0.02

PARAMETERS = (
    {"name": "learning_rate", "type": "Double", "min": 1e-6, "max": 1e-1, "scale": "Log"},
    {"name": "weight_decay", "type": "Double", "min": 1e-5, "max": 1e-1, "scale": "Log"},
    {"name": "dropout", "type": "Double", "min": 0.0, "max": 0.5},
    {"name": "warmup", "type": "Double", "min": 0.0, "max": 0.3},
    {"name": "batch_size", "type": "Integer", "values": [8, 16, 32, 64, 128, 256]},
)
WEIGHTS = {
    "learning_rate": 12.0,
    "weight_decay": 1.5,
    "dropout": 2.0,
    "warmup": 1.0,
    "batch_size": 1.5,
}
COARSE, FINE, TOP, REPEATS = 20, 30, 5, (1, 2, 3)
TRIALS = COARSE + FINE + TOP * len(REPEATS) + 1
"""Of every study: the held-out run is one."""


@dataclass(frozen=True)
class Result:
    """What a study has to show in the end.

    `claimed` is the value it would quote without held-out data: the best validation value, or the
    winner's mean in the finals. `search` is the held-out loss of the best validation trial.
    """

    claimed: float
    held_out: float
    search: float
    steps: int


@dataclass(frozen=True)
class Problem:
    """Where the best point is, and how much luck there is."""

    seed: int
    noise: float

    def loss(self, parameters: Mapping[str, Any]) -> float:
        """What a configuration is worth: its loss in the mean of all seeds."""
        best = Random(self.seed)
        distance = sum(
            WEIGHTS[item["name"]] * (_place(item, parameters[item["name"]]) - where) ** 2
            for item, where in ((item, best.uniform(0.15, 0.85)) for item in PARAMETERS)
        )
        return LEAST + 0.5 * (1.0 - math.exp(-distance))

    def validation(self, parameters: Mapping[str, Any], seed: int) -> float:
        """The loss of one training, with its luck."""
        luck = self._chance("validation", parameters, seed)
        return self.loss(parameters) + self.noise * luck

    def held_out(self, parameters: Mapping[str, Any], seed: int) -> float:
        """Its loss on held-out data."""
        luck = self._chance("held-out", parameters, seed)
        return self.loss(parameters) + HELD_OUT_NOISE * luck

    def training(self, parameters: Mapping[str, Any], seed: int) -> Course:
        """Its reports: they fall towards the last one."""
        end = self.validation(parameters, seed)
        falls = [(1.5 - end) * math.exp(-0.9 * step) for step in range(1, STEPS)]
        reports = [{"loss": end + above} for above in (*falls, 0.0)]
        final = {"test_loss": self.held_out(parameters, seed)}
        return Course(reports, seconds_a_step=5.0, final=final)

    def _chance(self, what: str, parameters: Mapping[str, Any], seed: int) -> float:
        """The same for the same training."""
        values = [parameters[item["name"]] for item in PARAMETERS]
        return Random(f"{what} {self.seed} {seed} {values}").gauss(0.0, 1.0)


def figures(seeds: int = SEEDS) -> Iterator[Figure]:
    """The course against plain searches, what the finals alone bring, and the winner's curse."""
    kinds = course, plain_tpe, plain_random
    for noise, goal in ((NOISE, 1.0), (LITTLE, None)):
        about = f"noise {noise}"
        ours, tpe, plain = measured(kinds, seeds, noise)
        yield _figure(f"{about}, against the best of TPE", *_held_out(ours, tpe), goal)
        yield _figure(f"{about}, against the best of Random", *_held_out(ours, plain), goal)
        searched = [each.search - LEAST for each in ours]
        found = [each.held_out - LEAST for each in ours]
        yield _figure(f"{about}, against its own search's best", found, searched, None)
        curse = _optimism(ours), _optimism(tpe)
        yield _figure(f"{about}, better said than held out", *curse, goal)


def measured(
    kinds: Sequence[Callable[[int], dict[str, Any]]], seeds: int, noise: float = NOISE
) -> list[list[Result]]:
    """What studies of each kind come to, seed by seed; always the same."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return [list(pool.map(partial(run, kind, noise), range(seeds))) for kind in kinds]


def run(kind: Callable[[int], dict[str, Any]], noise: float, seed: int) -> Result:
    """One study to its end."""
    problem = Problem(seed, noise)
    with tempfile.TemporaryDirectory() as folder:
        trials = simulate(Path(folder), problem.training, **kind(seed))
    best = min(
        (trial for trial in trials if trial.stage is Stage.SEARCH),
        key=lambda trial: (trial.value or 0.0, trial.number),
    )
    searched = problem.held_out(best.parameters, best.seed)
    steps = sum(len(trial.curve) for trial in trials)
    last = [trial for trial in trials if trial.stage is Stage.HELD_OUT]
    if not last:
        return Result(best.value or 0.0, searched, searched, steps)
    (winner,) = last
    assert winner.outcome
    return Result(_mean(trials, winner), winner.outcome.metrics["test_loss"], searched, steps)


def course(seed: int) -> dict[str, Any]:
    """Random, then TPE in narrow ranges, then finals."""
    narrow = {"aroundTop": 5, "shrink": 0.3}
    closely = {"algorithm": "TPE", "seed": seed, "startupTrials": 5}
    return _study(COARSE + FINE, "Random", seed) | {
        "phases": [
            {"name": "coarse", "trials": COARSE},
            {"name": "fine", "narrow": narrow, "sampler": closely},
        ],
        "finalists": {"top": TOP, "seeds": list(REPEATS), "heldOutMetric": "test_loss"},
    }


def plain_tpe(seed: int) -> dict[str, Any]:
    """What most people do."""
    return _study(TRIALS, "TPE", seed)


def plain_random(seed: int) -> dict[str, Any]:
    """What they did before."""
    return _study(TRIALS, "Random", seed)


def _study(trials: int, algorithm: str, seed: int) -> dict[str, Any]:
    return {
        "objectives": [{"metric": "loss", "direction": "Minimize", "summary": "Last"}],
        "parameters": list(PARAMETERS),
        "sampler": {"algorithm": algorithm, "seed": seed},
        "trials": {"max": trials, "parallelism": 4},
    }


def _place(parameter: Mapping[str, Any], value: float) -> float:
    """Where a value lies in its range, from 0 to 1 on its own scale."""
    if values := parameter.get("values"):
        return values.index(value) / (len(values) - 1)
    low, high = parameter["min"], parameter["max"]
    if parameter.get("scale") == "Log":
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def _mean(trials: Sequence[Trial], winner: Trial) -> float:
    """Of the winner's runs in the finals."""
    mine = (one for one in trials if one.stage is Stage.FINALIST and one.repeats == winner.repeats)
    return statistics.fmean(one.value or 0.0 for one in mine)


def _held_out(*kinds: Sequence[Result]) -> tuple[list[float], ...]:
    return tuple([each.held_out - LEAST for each in results] for results in kinds)


def _optimism(results: Sequence[Result]) -> list[float]:
    return [each.held_out - each.claimed for each in results]


def _figure(name: str, ours: list[float], peers: list[float], goal: float | None) -> Figure:
    gaps = [peer - mine for mine, peer in zip(ours, peers, strict=True)]
    error = statistics.stdev(gaps) / math.sqrt(len(gaps))
    note = f"{statistics.fmean(gaps):+.4f}, standard error {error:.4f}"
    return Figure(name, statistics.fmean(ours), statistics.fmean(peers), goal, note=note)
