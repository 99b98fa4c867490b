"""Studies run to their end in this process: real engine, store and draws; trials are functions."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubetune.adapters.optuna.store import OptunaStore
from kubetune.api import admission
from kubetune.app.engine import Engine
from kubetune.domain.observation import Reading
from kubetune.domain.runs import Exit, Run
from kubetune.domain.trial import Point, Trial
from tests.fakes.clock import FakeClock
from tests.fakes.executor import FakeExecutor
from tests.fakes.metrics import FakeMetrics
from tests.fakes.sink import FakeSink

TEMPLATE = {"spec": {"containers": [{"name": "trainer", "image": "t:1", "args": ["digits"]}]}}


@dataclass(frozen=True)
class Course:
    """What a trial would report, step by step, and how it would end were it let alone."""

    reports: Sequence[Mapping[str, float]]
    state: str = "Complete"
    reason: str = ""
    seconds_a_step: float = 60.0
    exit: Exit | None = None
    final: Mapping[str, float] = field(default_factory=dict)


Trainer = Callable[[Mapping[str, Any], int], Course]
"""What becomes of a trial's parameters and seed."""


def simulate(folder: Path, trainer: Trainer, **spec: Any) -> tuple[Trial, ...]:
    """Runs a study into a run's folder, as `kubetune run` would have left it."""
    study = {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": "simulated"},
        "spec": {"trialTemplate": TEMPLATE} | spec,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(json.dumps(study, indent=1))
    verdict = admission.check(study)
    assert verdict.spec, verdict.faults
    return asyncio.run(_run(folder, trainer, verdict.spec))


async def _run(folder: Path, trainer: Trainer, spec: Any) -> tuple[Trial, ...]:
    ground = _Ground(trainer)
    url = f"sqlite:///{folder / 'trials.sqlite3'}"
    store = await OptunaStore.open(url, spec.name, spec, ground.clock)
    engine = Engine(
        spec=spec,
        study_uid="uid",
        store=store,
        executor=ground.executor,
        metrics=ground.metrics,
        sink=FakeSink(),
        clock=ground.clock,
    )
    ended = False
    while not ended or ground.executor.alive:
        decided = await engine.reconcile()
        await asyncio.sleep(0)  # the answer of the metric source
        if not decided.actions:
            ended = decided.status.ended
            ground.go_on()
    trials = await store.trials()
    await store.close()
    return trials


class _Ground:
    """Where the runs are: time goes by in tens of seconds, and every run with it."""

    def __init__(self, trainer: Trainer) -> None:
        self.clock, self.metrics = FakeClock(), FakeMetrics()
        self.executor = FakeExecutor(self.clock.now)
        self._trainer = trainer
        self._courses: dict[str, Course] = {}
        self._came: dict[str, float] = {}

    def go_on(self) -> None:
        """Lets ten seconds pass."""
        self.clock.advance(10.0)
        for run in self.executor.alive:
            self._go_on(run)

    def _go_on(self, run: Run) -> None:
        if run.stopping:
            stopped = b'{"schema": 1, "state": "Stopped"}'
            self.executor.end(run, Exit(code=143, message=stopped))
            return
        course = self._course(run)
        came = self._came[run.uid] = self._came.get(run.uid, 0.0) + 10.0 / course.seconds_a_step
        steps = min(int(came), len(course.reports))
        points = tuple(Point(float(at + 1), dict(course.reports[at])) for at in range(steps))
        self.metrics.readings[run.number] = Reading(points, steps / max(len(course.reports), 1))
        if came >= len(course.reports) + 0.5:
            self.executor.end(run, course.exit or _exit(course, steps))

    def _course(self, run: Run) -> Course:
        if run.uid not in self._courses:
            trial = next(
                order.trial
                for order in self.executor.orders
                if (order.trial.number, order.trial.attempt) == (run.number, run.attempt)
            )
            self._courses[run.uid] = self._trainer(trial.parameters, trial.seed)
        return self._courses[run.uid]


def _exit(course: Course, steps: int) -> Exit:
    last = course.reports[-1] if course.reports else {}
    words = {
        "schema": 1,
        "state": course.state,
        "reason": course.reason,
        "step": steps,
        "metrics": {**last, **course.final},
    }
    message = json.dumps(words).replace("NaN", '"NaN"').replace("Infinity", '"Infinity"')
    return Exit(code=0 if course.state == "Complete" else 1, message=message.encode())
