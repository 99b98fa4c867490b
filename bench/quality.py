"""Search quality where parts of the space are forbidden: ours against what people do today.

Peers, with the same Optuna sampler over the space without its constraints: `anyway` launches a
forbidden trial, which fails and is spent; `redraw` tells the sampler of a failure and draws again.
Each runs 60 trials; the figure is the mean best value over the problems' seeds, lower is better.
"""

import itertools
import math
import os
import statistics
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import optuna
from optuna.trial import TrialState as OptunaState

from bench.problems import PROBLEMS, Problem
from bench.table import Figure
from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.records import Record
from kubetune.adapters.optuna.samplers import distribution
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import (
    Direction,
    Objective,
    Pruner,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
    TrialPolicy,
)
from kubetune.domain.trial import Outcome, Trial, TrialState

TRIALS = 60


def figures(algorithm: str = "TPE", seeds: int = 20) -> Iterator[Figure]:
    """A figure a problem and parallelism, against both peers, and the mean over all of them.

    A Gaussian process costs a third of a second a draw and is measured one at a time only.
    """
    against: dict[str, list[Figure]] = {"anyway": [], "redraw": []}
    widths = (1,) if algorithm == "GP" else (1, 8)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_one_thread) as pool:
        for index, width in itertools.product(range(len(PROBLEMS)), widths):
            best = {
                kind: list(pool.map(partial(_run, kind, index, algorithm, width), range(seeds)))
                for kind in _KINDS
            }
            for peer, rows in against.items():
                name = f"{PROBLEMS[index].__name__}, {width} at a time, against {peer}"
                rows.append(_figure(name, best, peer))
                yield rows[-1]
    for peer, rows in against.items():
        ours = statistics.mean(row.ours for row in rows)
        theirs = statistics.mean(row.peer for row in rows)
        goal = 0.75 if peer == "anyway" else None
        yield Figure(f"{algorithm}, mean of all, against {peer}", ours, theirs, goal)


def _run(kind: str, index: int, algorithm: str, width: int, seed: int) -> float:
    return _KINDS[kind](PROBLEMS[index](), algorithm, seed, width)


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)


def _figure(name: str, best: dict[str, list[float]], peer: str) -> Figure:
    ours, theirs = best["ours"], best[peer]
    error = math.hypot(_error(ours), _error(theirs))
    gap = statistics.mean(theirs) - statistics.mean(ours)
    note = f"{gap / error:+.1f} standard errors apart"
    return Figure(name, statistics.mean(ours), statistics.mean(theirs), note=note)


def _error(values: list[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values))


def _ours(problem: Problem, algorithm: str, seed: int, width: int) -> float:
    spec = StudySpec(
        name="bench",
        namespace="bench",
        objectives=(Objective(metric="loss", direction=Direction.MINIMIZE),),
        space=problem.space,
        sampler=Sampler(algorithm=SamplerAlgorithm(algorithm), seed=seed),
        pruner=Pruner(),
        trials=TrialPolicy(max=TRIALS, parallelism=width),
    )
    drafter = Drafter(spec, Coordinates(problem.space))
    records: list[Record] = []
    for number in range(TRIALS):
        if number >= width:
            _finish(records, number - width, problem)
        draft = drafter.draft(records)
        assert draft is not None
        trial = Trial(
            number=number, state=TrialState.RUNNING, parameters=draft.candidate.parameters
        )
        records.append(draft.record(trial))
    return min(problem.objective(record.trial.parameters) for record in records)


def _finish(records: list[Record], number: int, problem: Problem) -> None:
    trial = records[number].trial
    value = problem.objective(trial.parameters)
    outcome = Outcome(TrialState.COMPLETE, TrialReason.NONE, values=(value,))
    ended = replace(trial, state=TrialState.COMPLETE, outcome=outcome)
    records[number] = replace(records[number], trial=ended)


def _anyway(problem: Problem, algorithm: str, seed: int, width: int) -> float:
    return _plain(problem, algorithm, seed, width, forbidden_is_spent=True)


def _redraw(problem: Problem, algorithm: str, seed: int, width: int) -> float:
    return _plain(problem, algorithm, seed, width, forbidden_is_spent=False)


def _plain(
    problem: Problem, algorithm: str, seed: int, width: int, *, forbidden_is_spent: bool
) -> float:
    coordinates = Coordinates(problem.space)
    distributions = {axis.name: distribution(axis) for axis in coordinates.axes}
    study = optuna.create_study(sampler=_sampler(algorithm, seed))
    best, spent, pending = math.inf, 0, []
    while spent < TRIALS or pending:
        while len(pending) < width and spent < TRIALS:
            trial = study.ask(distributions)
            candidate = coordinates.candidate(trial.params, Repair.NONE)
            if candidate.broken:
                study.tell(trial, state=OptunaState.FAIL)
                spent += forbidden_is_spent
                continue
            spent += 1
            pending.append((trial, problem.objective(candidate.parameters)))
        if pending:
            trial, value = pending.pop(0)
            best = min(best, value)
            study.tell(trial, value)
    return best


def _sampler(algorithm: str, seed: int) -> Any:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    kinds = {"TPE": optuna.samplers.TPESampler, "GP": optuna.samplers.GPSampler}
    return kinds[algorithm](seed=seed)


_KINDS = {"ours": _ours, "anyway": _anyway, "redraw": _redraw}
