"""The callback in a real Lightning `Trainer` with a model of a few weights."""

import math
import os
import signal
from pathlib import Path
from typing import Any

import lightning.pytorch as lightning
import pytest
import torch
from torch import nn

from kubetune_trainer.integrations.lightning import KubetuneCallback
from tests.torch.integrations.documents import trained
from tests.torch.recorded import Recorded

EPOCHS, BATCHES = 4, 3

PROJECT = """
import torch
from lightning import LightningDataModule, LightningModule

class Model(LightningModule):
    def __init__(self, learning_rate):
        super().__init__()
        self.layer, self.rate = torch.nn.Linear(2, 1), learning_rate

    def training_step(self, batch, _):
        return self.layer(batch).square().mean()

    def validation_step(self, batch, _):
        self.log("eval_loss", self.layer(batch).square().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.rate)

class Data(LightningDataModule):
    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.ones(8, 2), batch_size=2)

    val_dataloader = train_dataloader
"""

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own, of torch and of its advice


class Line(lightning.LightningModule):
    """A line through points; nothing random, for Lightning's checkpoints keep no random states."""

    def __init__(self, *, stop_at: int | None = None, bad: bool = False) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.stop_at, self.bad = stop_at, bad

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        loss = self._loss(batch)
        self.log("train/loss", loss)
        if self.global_step + 1 == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        self.log("eval_loss", self._loss(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.05)

    def _loss(self, batch: list[torch.Tensor]) -> torch.Tensor:
        x, y = batch
        loss = nn.functional.mse_loss(self.layer(x).squeeze(-1), y)
        return loss * math.nan if self.bad else loss


def train(trial: Recorded, **model: Any) -> Recorded:
    """A training of 12 steps in 4 epochs, as the how-to writes it; what it left is `trial`."""
    points = torch.randn(24, 4, generator=torch.Generator().manual_seed(1))
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(points, points.sum(1)), batch_size=8
    )
    callback = KubetuneCallback(trial)
    try:
        with trial:
            torch.manual_seed(trial.seed)
            trainer = lightning.Trainer(
                max_epochs=EPOCHS,
                accelerator="cpu",
                devices=1,
                log_every_n_steps=1,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                default_root_dir=trial.folder,
                callbacks=[callback],
            )
            trainer.fit(Line(**model), loader, loader, ckpt_path=callback.checkpoint)
    except SystemExit as left:
        trial.exit_code = int(left.code or 0)
    return trial


def losses(trial: Recorded, name: str) -> dict[float, float]:
    """What was reported under a name, by step."""
    return {step: metrics[name] for step, metrics in trial.reports if name in metrics}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A training that nothing disturbs."""
    return train(Recorded(tmp_path_factory.mktemp("unbroken"), {}))


def test_reports(unbroken: Recorded) -> None:
    """What is logged is reported at the global step, validations too; the end is a completion."""
    assert list(losses(unbroken, "train_loss")) == list(range(1, EPOCHS * BATCHES + 1))
    assert list(losses(unbroken, "eval_loss")) == [3, 6, 9, 12]
    assert unbroken.result["state"] == "Complete"
    assert [step for step, _ in unbroken.result["curve"]] == [3, 6, 9, 12]
    assert unbroken._live.progress == 1


def test_a_stopped_trial_goes_on(tmp_path: Path, unbroken: Recorded) -> None:
    """SIGTERM ends training after the step with a checkpoint; at an epoch's end nothing is lost."""
    first = train(Recorded(tmp_path, {}), stop_at=2 * BATCHES)
    assert (first.exit_code, first.result["state"]) == (143, "Stopped")
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["step-000000006"]

    second = train(Recorded(tmp_path, {}))
    assert second.exit_code == 0
    both = losses(first, "train_loss") | losses(second, "train_loss")
    assert both == pytest.approx(losses(unbroken, "train_loss"))
    assert second.result["state"] == "Complete"
    assert losses(second, "eval_loss")[12] == pytest.approx(losses(unbroken, "eval_loss")[12])


def test_a_stop_within_an_epoch_is_quick(tmp_path: Path) -> None:
    """SIGTERM within an epoch: a checkpoint of that step and no validation; it goes on after it."""
    first = train(Recorded(tmp_path, {}), stop_at=4)
    assert (first.exit_code, first.result["state"]) == (143, "Stopped")
    assert list(losses(first, "train_loss")) == [1, 2, 3, 4]
    assert list(losses(first, "eval_loss")) == [3]
    second = train(Recorded(tmp_path, {}))
    assert list(losses(second, "train_loss")) == list(range(5, EPOCHS * BATCHES + 1))


def test_nan_is_passed_on(tmp_path: Path) -> None:
    """A loss that is NaN is reported as NaN."""
    trial = train(Recorded(tmp_path, {}), bad=True)
    assert all(math.isnan(loss) for loss in trial.values("train_loss"))
    assert trial.result["metrics"]["eval_loss"] == "NaN"


def test_the_how_to_s_script_is_a_trial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a model and data of its reader's: validated after each of 4 epochs, and saved."""
    (tmp_path / "project.py").write_text(PROJECT)
    result = trained(monkeypatch, tmp_path, "lit.py")
    assert result["state"] == "Complete"
    assert [step for step, _ in result["curve"]] == [4, 8, 12, 16]
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["step-000000016"]
