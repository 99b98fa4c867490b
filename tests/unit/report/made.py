"""A made study with something for every section of a report, and its trials."""

from typing import Any

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Condition, Constraint, Derived, Double, Space
from kubetune.domain.study import (
    Direction,
    Objective,
    OutcomeClass,
    Pruner,
    PrunerAlgorithm,
    StudySpec,
    TrialPolicy,
)
from kubetune.domain.trial import Outcome, Point, Trial, TrialState
from kubetune.report.findings import Findings, gather
from tests.builders import make_outcome, make_points, make_study, make_trial

_SCOPE = {"rate": Kind.DOUBLE, "kind": Kind.STRING, "width": Kind.INT, "momentum": Kind.DOUBLE}
_ENDS = {"state": Kind.STRING, "reason": Kind.STRING, "metrics": Kind.DOUBLES}

SPACE = Space(
    parameters=(
        Double(name="rate", low=1e-4, high=1.0, log=True),
        Choice(name="kind", values=("plain", "heavy")),
        Choice(name="width", values=(8, 16, 32), ordered=True),
        Double(
            name="momentum",
            low=0.5,
            high=0.9,
            condition=Condition(compile_expression("kind == 'heavy'", _SCOPE), 0.0),
        ),
    ),
    derived=(Derived("double_rate", compile_expression("rate * 2.0", _SCOPE)),),
    fixed={"epochs": 8},
    constraints=(
        Constraint(
            name="no-fast-heavy",
            forbid=compile_expression("kind == 'heavy' && rate > 0.1", _SCOPE),
            message="it diverges | always",
        ),
        Constraint(
            name="rarely-narrow",
            forbid=compile_expression("width == 8", _SCOPE),
            accept_probability=0.3,
        ),
    ),
)
TWO = (
    Objective(metric="accuracy", direction=Direction.MAXIMIZE),
    Objective(metric="latency", direction=Direction.MINIMIZE),
)
TEMPLATE = {"spec": {"containers": [{"name": "trainer", "args": ["digits"]}]}}


def study(**changes: Any) -> StudySpec:
    """A study with a condition, both kinds of constraints, a class and a pruner."""
    return make_study(
        **{
            "name": "made",
            "space": SPACE,
            "trials": TrialPolicy(max=12),
            "pruner": Pruner(algorithm=PrunerAlgorithm.ASHA, max_resource=8),
            "outcomes": (
                OutcomeClass(
                    name="usable",
                    when=compile_expression(
                        "state == 'Complete' && metrics.accuracy >= 0.9", _SCOPE | _ENDS
                    ),
                ),
            ),
            "template": TEMPLATE,
        }
        | changes
    )


def trial(
    number: int,
    value: float | None = None,
    *,
    rate: float = 0.01,
    kind: str = "plain",
    width: int = 16,
    **changes: Any,
) -> Trial:
    """A trial of the made study; complete after eight steps when it has a value."""
    heavy = kind == "heavy"
    parameters = {"epochs": 8, "rate": rate, "kind": kind, "width": width}
    parameters |= {"momentum": 0.75 if heavy else 0.0, "double_rate": 2 * rate}
    active = frozenset({"rate", "kind", "width"} | ({"momentum"} if heavy else set()))
    ready: dict[str, Any] = {"parameters": parameters, "active": active, "seed": 100 + number}
    if value is not None:
        ready["outcome"] = make_outcome(value, metrics={"accuracy": value, "loss": 1 - value})
        ready["curve"] = make_points(*(value - 0.01 * (8 - step) for step in range(1, 9)))
    return make_trial(number, **(ready | changes))


def failed(number: int, reason: TrialReason, message: str = "", **changes: Any) -> Trial:
    """A trial that failed after two steps."""
    end = Outcome(TrialState.FAILED, reason, message, metrics={"accuracy": float("nan")})
    return trial(number, outcome=end, curve=make_points(0.1, float("nan")), **changes)


def pruned(number: int, steps: int = 2, **changes: Any) -> Trial:
    """A trial that was cut."""
    end = Outcome(TrialState.PRUNED, TrialReason.PRUNED, f"value 0.5 at step {steps} is too low")
    return trial(number, outcome=end, curve=make_points(*[0.5] * steps), **changes)


def overfitted(number: int, **changes: Any) -> Trial:
    """A complete trial that was best at its third step of eight; its training loss went on."""
    judged = (0.7, 0.8, 0.9, 0.86, 0.8, 0.75, 0.7, 0.66)
    losses = (0.8, 0.6, 0.5, 0.42, 0.35, 0.3, 0.2, 0.15)
    pairs = enumerate(zip(judged, losses, strict=True))
    curve = tuple(Point(step + 1, {"accuracy": one, "loss": loss}) for step, (one, loss) in pairs)
    return trial(number, max(judged), **({"curve": curve} | changes))


def trials() -> tuple[Trial, ...]:
    """A whole study: a baseline, good and bad trials, hostile words, rejected draws."""
    hostile = "loss is nan\n\n# You won | <b>`rm -rf`</b> [x](http://x)\x1b[31m\u202e"
    return (
        trial(0, 0.81, rate=0.05, initial="hand-tuned", baseline=True),
        trial(1, 0.9, rate=0.02),
        trial(2, 0.93, rate=0.004, width=32, rejected={"rarely-narrow": 2}),
        pruned(3, rate=0.5),
        failed(4, TrialReason.DIVERGED, hostile, kind="heavy", rate=0.09),
        trial(5, 0.94, rate=0.003, width=32, rejected={"no-fast-heavy": 1}),
        trial(6, 0.95, rate=0.0021, width=32),
        failed(7, TrialReason.DIVERGED, "accuracy is inf at step 2", kind="heavy", rate=0.1),
        failed(8, TrialReason.DIVERGED, kind="heavy", rate=0.08),
        pruned(9, 4, rate=0.3),
        trial(10, 0.9612, rate=0.0001, width=32, attempt=2),
        failed(11, TrialReason.CRASHED, "exit code 1", rate=0.2),
    )


def pair(number: int, accuracy: float, latency: float, **changes: Any) -> Trial:
    """A complete trial of two objectives."""
    metrics = {"accuracy": accuracy, "latency": latency}
    return trial(number, outcome=make_outcome(values=tuple(metrics.values()), metrics=metrics))


def findings(*these: Trial, **changes: Any) -> Findings:
    """What follows from some trials of the made study."""
    return gather(study(**changes), these, None)
