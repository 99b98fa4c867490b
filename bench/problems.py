"""Search problems with forbidden regions whose optimum lies on a forbidden boundary.

Each has a space with hard constraints and a smooth objective to minimise, whose best allowed value
is close to zero. They differ in what forbids: a category that bounds a rate, a product of two
numbers, a memory budget over lists, a chain of rules with a conditional parameter.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Choice, Condition, Constraint, Double, Integer, Parameter, Space

Objective = Callable[[Mapping[str, Any]], float]


@dataclass(frozen=True)
class Problem:
    """A space and what to minimise over it."""

    name: str
    space: Space
    objective: Objective


def _kind(parameter: Parameter) -> Kind:
    if isinstance(parameter, Double):
        return Kind.DOUBLE
    if isinstance(parameter, Integer) or isinstance(parameter.values[0], int):
        return Kind.INT
    return Kind.STRING if isinstance(parameter.values[0], str) else Kind.DOUBLE


def _space(parameters: tuple[Parameter, ...], forbid: dict[str, str]) -> Space:
    scope = {parameter.name: _kind(parameter) for parameter in parameters}
    constraints = tuple(
        Constraint(name=name, forbid=compile_expression(text, scope))
        for name, text in forbid.items()
    )
    return Space(parameters=parameters, constraints=constraints)


def _octaves(value: float, best: float) -> float:
    return math.log2(value / best) ** 2


def _decades(value: float, best: float) -> float:
    return math.log10(value / best) ** 2


def optimizers() -> Problem:
    """The best optimiser's best rate is forbidden; the best allowed one is on the border."""
    best = {
        "AdamW": (2e-4, 0.12),
        "AdamW8bit": (3e-4, 0.0),
        "Lion": (5e-5, 0.10),
        "SGD": (5e-3, 0.35),
    }

    def objective(p: Mapping[str, Any]) -> float:
        rate, offset = best[p["optimizer"]]
        value = offset + 0.25 * _decades(p["learning_rate"], rate)
        value += 0.05 * _decades(p["weight_decay"], 0.02) + 4 * (p["warmup"] - 0.06) ** 2
        value += 0.6 * (p["dropout"] - 0.1) ** 2 + 0.03 * abs(math.log2(p["batch_size"] / 32))
        return value

    space = _space(
        (
            Choice(name="optimizer", values=tuple(best)),
            Double(name="learning_rate", low=1e-6, high=1e-2, log=True),
            Double(name="weight_decay", low=1e-4, high=0.3, log=True),
            Double(name="warmup", low=0.0, high=0.2),
            Choice(name="batch_size", values=(8, 16, 32, 64, 128), ordered=True),
            Double(name="dropout", low=0.0, high=0.5),
        ),
        {
            "eight-bit-rate": "optimizer == 'AdamW8bit' && learning_rate > 1.2e-4",
            "adamw-memory": "optimizer == 'AdamW' && batch_size >= 64",
            "lion-decay": "optimizer == 'Lion' && weight_decay < 1e-2",
        },
    )
    return Problem("optimizers", space, objective)


def products() -> Problem:
    """Rate times momentum's gain must stay small; the optimum lies on the curved border."""

    def objective(p: Mapping[str, Any]) -> float:
        value = 0.3 * _decades(p["learning_rate"], 0.3) + 12 * (p["momentum"] - 0.9) ** 2
        value += 0.1 * _decades(p["weight_decay"], 1e-3) + 2 * (p["dropout"] - 0.2) ** 2
        return value + 0.05 * abs(p["layers"] - 5)

    space = _space(
        (
            Double(name="learning_rate", low=1e-4, high=1.0, log=True),
            Double(name="momentum", low=0.0, high=0.99),
            Double(name="weight_decay", low=1e-6, high=1e-1, log=True),
            Double(name="dropout", low=0.0, high=0.6),
            Integer(name="layers", low=1, high=10),
        ),
        {
            "effective-rate": "learning_rate / (1.0 - momentum) > 0.5",
            "deep-and-fast": "layers > 4 && learning_rate > 0.02",
        },
    )
    return Problem("products", space, objective)


def memory() -> Problem:
    """Bigger is better in every list, but their product has to fit."""

    def objective(p: Mapping[str, Any]) -> float:
        value = 0.08 * _octaves(p["hidden"], 1024) + 0.05 * _octaves(p["layers"], 24)
        value += 0.04 * _octaves(p["batch_size"], 64) + 0.2 * _decades(p["learning_rate"], 3e-4)
        return value + 1.5 * (p["dropout"] - 0.15) ** 2

    space = _space(
        (
            Choice(name="hidden", values=(64, 128, 256, 512, 768, 1024, 2048), ordered=True),
            Integer(name="layers", low=2, high=32),
            Choice(name="batch_size", values=(4, 8, 16, 32, 64, 128, 256), ordered=True),
            Double(name="learning_rate", low=1e-6, high=1e-1, log=True),
            Double(name="dropout", low=0.0, high=0.5),
        ),
        {
            "fits": "hidden * layers * batch_size > 262144",
            "big-batch-rate": "batch_size >= 64 && learning_rate < 1e-4",
        },
    )
    return Problem("memory", space, objective)


def schedules() -> Problem:
    """Rules that hang on each other, one of them on a parameter that is not always there."""
    scope = {"schedule": Kind.STRING}
    restarts = Condition(compile_expression("schedule == 'restarts'", scope), 1)

    def objective(p: Mapping[str, Any]) -> float:
        offset = {"constant": 0.3, "cosine": 0.1, "restarts": 0.0}[p["schedule"]]
        value = offset + 0.3 * _decades(p["learning_rate"], 1e-3) + 0.04 * abs(p["cycles"] - 4)
        value += 8 * (p["warmup"] - 0.02) ** 2 + 0.1 * _decades(p["clip"], 3.0)
        return value + 0.06 * abs(math.log2(p["epochs"] / 16))

    space = _space(
        (
            Choice(name="schedule", values=("constant", "cosine", "restarts")),
            Integer(name="cycles", low=1, high=6, condition=restarts),
            Double(name="learning_rate", low=1e-6, high=1e-1, log=True),
            Double(name="warmup", low=0.0, high=0.3),
            Double(name="clip", low=0.01, high=100.0, log=True),
            Choice(name="epochs", values=(2, 4, 8, 16, 32), ordered=True),
        ),
        {
            "hot-start": "learning_rate > 2e-4 && warmup < 0.1",
            "unclipped": "clip > 1.0 && learning_rate > 1e-4",
            "short-cycles": "cycles > 2 && epochs < 8",
            "long-constant": "schedule == 'constant' && epochs > 8",
        },
    )
    return Problem("schedules", space, objective)


PROBLEMS = (optimizers, products, memory, schedules)
