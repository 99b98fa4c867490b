"""Databases with trials, written by the store itself."""

import asyncio
from pathlib import Path
from typing import Any

from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Point, TrialState
from tests.builders import NOW, make_outcome, make_points, make_study
from tests.fakes.clock import FakeClock

MANIFEST = """
apiVersion: kubetune.io/v1alpha1
kind: TuningStudy
metadata: {name: study}
spec:
  objectives: [{metric: accuracy, direction: Maximize}]
  parameters: [{name: x, type: Double, min: 0, max: 1}]
  sampler: {algorithm: Random, seed: 1}
  trials: {max: 3}
  trialTemplate: {spec: {containers: [{name: trainer, image: "t:1", args: [digits]}]}}
"""


def make_run(
    folder: Path, *names: str, manifest: str = MANIFEST, curve: tuple[Point, ...] = ()
) -> Path:
    """A run's folder: a complete, a diverged and a running trial for each study."""
    folder.mkdir()
    (folder / "study.yaml").write_text(manifest)
    for name in names or ("study",):
        asyncio.run(fill(f"sqlite:///{folder / 'trials.sqlite3'}", name, curve))
    return folder


async def fill(url: str, name: str, curve: tuple[Point, ...] = ()) -> None:
    """Three trials: Complete, Failed with words that are none, Running."""
    store = await OptunaStore.open(url, name, make_study(name=name), FakeClock(NOW))
    await store.draw(3)
    for number, outcome in enumerate((make_outcome(0.9), _failed())):
        await store.started(number, 1, NOW)
        await store.record(number, curve or make_points(0.8, 0.9))
        await store.tell(number, outcome, NOW, NOW + 10)
    await store.close()


def _failed(**changes: Any) -> Outcome:
    metrics = {"accuracy": float("nan")}
    message = "\x1b[2J accuracy is nan"
    return Outcome(TrialState.FAILED, TrialReason.DIVERGED, message, metrics=metrics, **changes)
