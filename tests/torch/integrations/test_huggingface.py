"""The callback in a real `Trainer` with a model of a few weights."""

import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments

from kubetune_trainer.integrations.huggingface import KubetuneCallback
from tests.torch.integrations.documents import trained
from tests.torch.recorded import Recorded

STEPS = 12


class Line(nn.Module):
    """A line through points, with dropout, so that random states count; `bad` has a NaN loss."""

    def __init__(self, *, bad: bool = False) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.dropout = nn.Dropout(0.2)
        self.bad = bad

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        guess = self.layer(self.dropout(x)).squeeze(-1)
        loss = nn.functional.mse_loss(guess, labels)
        return {"loss": loss * math.nan if self.bad else loss, "logits": guess}


class At(TrainerCallback):
    """Does something when a step has been done."""

    def __init__(self, step: int, act: Any) -> None:
        self.step, self.act = step, act

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            self.act()


def train(trial: Recorded, *callbacks: TrainerCallback, bad: bool = False, **more: Any) -> Recorded:
    """A training of 12 steps in 3 epochs, as the how-to writes it; what it left is `trial`."""
    points = torch.randn(32, 4, generator=torch.Generator().manual_seed(1))
    data = [{"x": x, "labels": x.sum()} for x in points]
    try:
        with trial:
            torch.manual_seed(trial.seed)
            trainer = Trainer(
                model=Line(bad=bad),
                args=TrainingArguments(
                    output_dir=str(trial.folder / "out"),
                    learning_rate=0.05,
                    per_device_train_batch_size=8,
                    num_train_epochs=3,
                    seed=trial.seed,
                    use_cpu=True,
                    report_to="none",
                    disable_tqdm=True,
                    **{
                        "logging_steps": 1,
                        "eval_strategy": "steps",
                        "eval_steps": 2,
                        "save_strategy": "no",
                        **more,
                    },
                ),
                train_dataset=data,
                eval_dataset=data[:8],
                callbacks=[*callbacks, KubetuneCallback(trial)],
            )
            trainer.train(resume_from_checkpoint=trial.resumed_from)
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
    """Each log and each evaluation is reported at its global step; the end is a completion."""
    assert list(losses(unbroken, "loss")) == list(range(1, STEPS + 1))
    assert list(losses(unbroken, "eval_loss")) == [2, 4, 6, 8, 10, 12]
    assert losses(unbroken, "eval_loss")[12] < losses(unbroken, "eval_loss")[2]
    assert unbroken.result["state"] == "Complete"
    assert [step for step, _ in unbroken.result["curve"]] == [2, 4, 6, 8, 10, 12]
    assert unbroken._live.progress == 1


def test_a_stopped_trial_goes_on(tmp_path: Path, unbroken: Recorded) -> None:
    """SIGTERM ends training after the step with a checkpoint; then it goes on with its losses."""
    stop = At(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    first = train(Recorded(tmp_path, {}), stop)
    assert (first.exit_code, first.result["state"]) == (143, "Stopped")
    assert list(losses(first, "loss")) == list(range(1, 6))
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["step-000000005"]

    second = train(Recorded(tmp_path, {}))
    assert second.exit_code == 0
    assert losses(first, "loss") | losses(second, "loss") == pytest.approx(losses(unbroken, "loss"))
    assert losses(second, "eval_loss")[12] == pytest.approx(losses(unbroken, "eval_loss")[12])


@pytest.mark.parametrize(("strategy", "evaluated"), [("steps", [2, 4]), ("epoch", [4])])
def test_a_stop_is_quick(tmp_path: Path, strategy: str, evaluated: list[int]) -> None:
    """An evaluation that is due at the step of the stop is left out; a stop is no epoch's end."""
    stop = At(6, lambda: os.kill(os.getpid(), signal.SIGTERM))
    trial = train(Recorded(tmp_path, {}), stop, eval_strategy=strategy)
    assert list(losses(trial, "eval_loss")) == evaluated
    assert trial.result["state"] == "Stopped"
    assert (tmp_path / "checkpoint" / "step-000000006" / "trainer_state.json").exists()


def test_a_stop_at_the_last_step_is_a_completion(tmp_path: Path, unbroken: Recorded) -> None:
    """SIGTERM when all is done but the last evaluation: it is made and the trial complete."""
    stop = At(STEPS, lambda: os.kill(os.getpid(), signal.SIGTERM))
    trial = train(Recorded(tmp_path, {}), stop)
    assert (trial.exit_code, trial.result["state"]) == (0, "Complete")
    assert losses(trial, "eval_loss") == pytest.approx(losses(unbroken, "eval_loss"))


def test_its_own_checkpoints_are_the_trial_s(tmp_path: Path, unbroken: Recorded) -> None:
    """A crashed trial goes on from the last checkpoint that `Trainer` saved, one is kept.

    It need not find `output_dir` again.
    """

    def crash() -> None:
        raise RuntimeError("a node is gone")

    options: dict[str, Any] = {"save_strategy": "steps", "save_steps": 3, "save_total_limit": 1}
    first = train(Recorded(tmp_path, {}), At(8, crash), **options)
    assert first.exit_code == 1
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["step-000000006"]
    (tmp_path / "out").rename(tmp_path / "gone")

    second = train(Recorded(tmp_path, {}), **options)
    assert list(losses(second, "loss")) == list(range(7, STEPS + 1))
    assert losses(second, "loss")[12] == pytest.approx(losses(unbroken, "loss")[12])
    (kept,) = (tmp_path / "checkpoint").glob("step-*")
    assert (kept / "trainer_state.json").exists()


def test_nan_is_passed_on(tmp_path: Path) -> None:
    """A loss that is NaN is reported as NaN, which `Trainer` would have smoothed over."""
    trial = train(Recorded(tmp_path, {}), bad=True, max_steps=3)
    assert [math.isnan(loss) for loss in trial.values("loss")] == [True] * 3
    assert trial.result["metrics"]["eval_loss"] == "NaN"


@pytest.mark.filterwarnings("ignore")  # torch's own, of memory that no device here has
def test_the_how_to_s_script_is_a_trial(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_lm: Path
) -> None:
    """With its manifest and a tiny model: evaluated every 5 steps, and saved with the last."""
    lines = [f"the {word} is {size}" for word in ("cat", "dog", "hen") for size in range(8)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    result = trained(monkeypatch, tmp_path, "hf.py", model=str(tiny_lm), steps=10)
    assert result["state"] == "Complete"
    assert [step for step, _ in result["curve"]] == [5, 10]
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["step-000000010"]
