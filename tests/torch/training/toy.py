"""A network of 6,000 weights for tests of the loop: a step takes a millisecond."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from kubetune_trainer.contract import Value
from kubetune_trainer.training import seeds
from kubetune_trainer.training.built import Built, Judged
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.fit import fit
from kubetune_trainer.training.optimizers import Group
from tests.torch.recorded import Recorded

LENGTH = 22
"""With batches of 4 an epoch has 6, the last of which has 2 examples."""


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """`head_rate` is the rate of the last layer; most tests are of what comes after step 0."""

    head_rate: float = 1e-2
    batch_size: int = 4
    learning_rate: float = 1e-2
    log_every: int = 1
    evaluate_first: bool = False


class Task:
    """Sums of inputs are learned; example `i` has 1 + i % 4 targets.

    Tests replace `during` to do something at a moment: it is called with `"loss"`, `"evaluate"`,
    `"test"` or `"keep"`, and how often that has been so in this attempt.
    """

    def __init__(self, during: Callable[[str, int], object] = lambda _what, _count: None) -> None:
        with seeds.aside(3):
            self.module = nn.Sequential(nn.Linear(8, 80), nn.Dropout(0.3), nn.Linear(80, 64))
            self.module.append(nn.Linear(64, 1))
        self.counters: dict[str, float] = {"seen": 0.0}
        drawn = torch.Generator().manual_seed(3)
        self.inputs = torch.randn(LENGTH, 4, 8, generator=drawn)
        self.during = during
        self.counts: dict[str, int] = {}
        self.seen: list[list[int]] = []

    @property
    def length(self) -> int:
        return LENGTH

    def collate(self, examples: Sequence[tuple[int, int]]) -> Mapping[str, Any]:
        indices = [index for index, _ in examples]
        mask = torch.tensor([[at <= index % 4 for at in range(4)] for index in indices])
        return {"inputs": self.inputs[indices], "mask": mask, "indices": indices}

    def targets(self, batch: Mapping[str, Any]) -> float:
        return float(batch["mask"].sum())

    def loss(self, module: nn.Module, batch: Mapping[str, Any]) -> torch.Tensor:
        self._now("loss")
        self.seen.append(batch["indices"])
        self.counters["seen"] += len(batch["indices"])
        wanted = batch["inputs"].sum(-1)
        errors = (module(batch["inputs"]).squeeze(-1) - wanted) ** 2
        return (errors * batch["mask"]).sum()

    def evaluate(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        total = 0.0
        for part in self.inputs.split(8):
            self._now("evaluate")
            if stop():
                return None
            with torch.no_grad():
                total += float((self.module(part).squeeze(-1) - part.sum(-1)).square().sum())
        return {
            "eval_loss": total / (LENGTH * 4),
            "eval_noise": float(torch.rand(())),
            "eval_seen": self.counters["seen"],
        }

    def test(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        self._now("test")
        found = self.evaluate(stop)
        return None if found is None else {"test_loss": found["eval_loss"]}

    def keep(self, folder: Path) -> None:
        save_file(self.module.state_dict(), folder / "model.safetensors")
        self._now("keep")

    def load(self, folder: Path) -> None:
        """What `keep` wrote."""
        self.module.load_state_dict(load_file(folder / "model.safetensors"))

    def _now(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        self.during(what, self.counts[what])


def train(
    folder: Path,
    during: Callable[[str, int], object] | Task = lambda _what, _count: None,
    *,
    stage: str = "search",
    objectives: tuple[str, ...] = ("eval_loss",),
    **parameters: Value,
) -> Recorded:
    """One attempt of a trial; another one in the same folder goes on."""
    folder.mkdir(exist_ok=True)
    trial = Recorded(folder, parameters, stage=stage, objectives=objectives)

    def build(config: Config, _seed: int, _device: Device, _artifacts: Path | None) -> Built:
        task = during if isinstance(during, Task) else Task(during)
        body, head = task.module[:3], task.module[3]
        groups = (
            Group(
                name="body",
                parameters=list(body.parameters()),
                learning_rate=config.learning_rate,
                weight_decay=config.weight_decay,
            ),
            Group(
                name="head",
                parameters=list(head.parameters()),
                learning_rate=config.head_rate,
                weight_decay=0.0,
            ),
        )
        judged = Judged(watched="eval_loss", known=("eval_loss", "eval_seen"))
        return Built(task=task, groups=groups, judged=judged)

    try:
        with trial:
            fit(trial, Config, build)
    except SystemExit as left:
        trial.exit_code = int(left.code or 0)
    return trial


def terminate() -> None:
    """SIGTERM, as from a scheduler."""
    os.kill(os.getpid(), signal.SIGTERM)


def at(what: str, count: int, do: Callable[[], object]) -> Callable[[str, int], None]:
    """Does something the `count`th time that something happens."""

    def during(now: str, so_often: int) -> None:
        if (now, so_often) == (what, count):
            do()

    return during


def comparable(trial: Recorded) -> list[tuple[float, dict[str, float]]]:
    """All reports without what depends on the clock."""
    return [
        (
            step,
            {
                name: v
                for name, v in metrics.items()
                if not name.endswith("_seconds") and not name.endswith("_per_second")
            },
        )
        for step, metrics in trial.reports
    ]
