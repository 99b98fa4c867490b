"""The loop that every recipe on torch trains with."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LRScheduler

from kubetune_trainer.exits import ExitCode
from kubetune_trainer.notes import note
from kubetune_trainer.training import gradients, keeping, loading, memory, seeds, state
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.optimizers import Optimizer
from kubetune_trainer.training.order import Order
from kubetune_trainer.training.passes import moved
from kubetune_trainer.training.progress import Progress
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.task import Batch, Plan, Task
from kubetune_trainer.training.trackers import Trackers
from kubetune_trainer.trial import Trial

EVALUATION_SEED = 20_240_229
"""Every evaluation of every trial draws the same numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything that a training stands on."""

    task: Task
    optimizer: Optimizer
    scheduler: LRScheduler
    order: Order
    plan: Plan
    device: Device
    ranks: Ranks
    trackers: Trackers
    workers: int = 0


class Loop:
    """Trains, reports, evaluates, saves; ends early when it is told to, or when it must.

    What is reported as step 0 is the model as it came: another attempt that goes on from a
    checkpoint does not repeat it.

    A step's loss and gradient norm are looked at before the weights are changed: where one is not
    finite the step is left out, and after three of them in a row the trial has diverged: its
    objectives are reported as NaN. After SIGTERM the step is finished, all is saved, and the next
    attempt goes on with the same losses as if nothing had been: what is random in a step follows
    from its number alone.
    """

    def __init__(self, trial: Trial, setup: Setup) -> None:
        self._trial, self._setup = trial, setup
        self._task, self._plan, self._ranks = setup.task, setup.plan, setup.ranks
        self._torch_device = setup.device.torch_device
        self._module = setup.ranks.wrapped(setup.task.module)
        self._parameters = setup.optimizer.parameters
        self._epoch_steps = setup.order.steps_per_epoch
        self._scaler = setup.device.scaler()
        self._progress = Progress()
        self._best: dict[str, torch.Tensor] | None = None
        self._done = 0
        self._norm = 0.0
        self._noted = False

    def run(self) -> None:
        """From the first step, or the one after the checkpoint's, to the end."""
        trial = self._trial
        trial.agree_by(lambda told: self._ranks.any(flag=told, device=self._torch_device))
        if trial.resumed_from:
            self._restore(trial.resumed_from)
        if self._trained() and trial.stage == "heldout":
            self._test()

    def _trained(self) -> bool:
        """Trains to the end; False where the trial was told to stop before, or has diverged."""
        plan = self._plan
        due = self._progress.evaluation_due or (plan.evaluate_first and not self._done)
        if due and not self._evaluated(self._done):
            return False
        if self._out_of_patience():
            return True
        batches: Iterator[list[Batch]] | None = None
        for step in self._trial.steps(plan.steps):
            batches = batches or self._batches(step)
            self._train(step, batches)
            self._done = step
            if self._progress.diverged:
                self._diverge(step)
                return False
            if step % plan.log_every == 0 or step == plan.steps:
                self._report_training(step)
            if step % plan.evaluate_every == 0 or step == plan.steps:
                if not self._evaluated(step):
                    return False
                if self._out_of_patience():
                    return True
        if self._done < plan.steps:
            self._save()
        return self._done == plan.steps

    def _evaluated(self, step: int) -> bool:
        """Evaluates and saves; False when the trial was told to stop meanwhile."""
        self._progress.evaluation_due = not self._evaluate(step)
        self._save()
        return not self._progress.evaluation_due

    def _batches(self, step: int) -> Iterator[list[Batch]]:
        return loading.batches(
            self._task.collate,
            self._setup.order,
            from_step=step,
            ranks=self._ranks,
            workers=self._setup.workers,
        )

    def _train(self, step: int, batches: Iterator[list[Batch]]) -> None:
        """One optimizer step over its batches."""
        began = time.perf_counter()
        if step % self._epoch_steps == 1 % self._epoch_steps:
            self._progress.epoch_seconds = 0.0
        given = next(batches)
        own = sum(self._task.targets(batch) for batch in given)
        targets = self._ranks.total(own, self._torch_device)
        seeds.seed_step(self._trial.seed, step, self._ranks.rank)
        self._module.train()
        scale_too_large = False
        with memory.watched(f"step {step}, {len(given)} batches of {_shapes(given[0])}"):
            loss = self._backward(given, max(targets, 1.0))
            self._scaler.unscale_(self._setup.optimizer.torch_optimizer)
            norm = gradients.clip(self._parameters, self._plan.largest_gradient_norm)
            loss = self._ranks.total(loss, self._torch_device)
            finite = math.isfinite(loss) and math.isfinite(norm)
            if finite:
                self._scaler.step(self._setup.optimizer.torch_optimizer)
            elif math.isfinite(loss) and self._scaler.get_scale() > 1:
                scale_too_large = True
            self._scaler.update()
        self._setup.optimizer.torch_optimizer.zero_grad(set_to_none=True)
        if step < self._plan.steps:
            self._setup.scheduler.step()
        if not scale_too_large:
            self._progress.saw(step, norm, finite=finite)
        if finite:
            self._progress.count(loss, targets)
        self._progress.took(time.perf_counter() - began)
        self._norm = norm

    def _backward(self, batches: Sequence[Batch], targets: float) -> float:
        """Adds up the gradients of the mean loss over all targets; the sum of the losses."""
        total = torch.zeros((), device=self._torch_device)
        for index, batch in enumerate(batches):
            given = moved(batch, self._torch_device)
            with _synchronised(self._module, last=index == len(batches) - 1):
                with self._setup.device.autocast():
                    loss = self._task.loss(self._module, given)
                share = loss * (self._ranks.size / targets)
                self._scaler.scale(share).backward()
            total += loss.detach()
        return float(total)

    def _report_training(self, step: int) -> None:
        progress, plan = self._progress, self._plan
        mean = progress.loss_sum / progress.targets if progress.targets else math.nan
        seconds = max(progress.seconds, 1e-9)
        rates = self._setup.optimizer.rates()
        metrics = {
            "train_loss": mean,
            "gradient_norm": self._norm,
            "gradient_explosions": float(progress.explosions.count),
            "weight_norm": gradients.weight_norm(self._parameters),
            "skipped_steps": float(progress.skipped),
            "step_seconds": seconds / max(1, progress.steps),
            f"{plan.unit}_per_second": progress.targets / seconds,
            "epoch": step / self._epoch_steps,
            **_named_rates(rates),
        }
        if peak := memory.peak_bytes():
            metrics["gpu_memory_peak_bytes"] = float(peak)
        progress.begin_window()
        self._report(step, metrics)

    def _evaluate(self, step: int) -> bool:
        """Reports how good the model is; False when the trial was told to stop meanwhile."""
        metrics: Mapping[str, float] | None = {}
        if self._ranks.first:
            began = time.perf_counter()
            self._module.eval()
            with seeds.aside(EVALUATION_SEED), memory.watched(f"evaluation after step {step}"):
                metrics = self._task.evaluate(lambda: self._trial.should_stop)
            if metrics is not None:
                seconds = {"evaluation_seconds": time.perf_counter() - began}
                if step and step % self._epoch_steps == 0:
                    seconds["epoch_seconds"] = self._progress.epoch_seconds
                self._report(step, {**metrics, "eval_epoch": step / self._epoch_steps, **seconds})
                self._judge(step, metrics)
        self._ranks.wait()
        return not self._ranks.any(flag=metrics is None, device=self._torch_device)

    def _judge(self, step: int, metrics: Mapping[str, float]) -> None:
        """Keeps the model where it is the best so far."""
        plan = self._plan
        value = metrics.get(plan.watched, math.nan)
        if not self._progress.judge(
            step, value, plan.min_improvement, higher=plan.higher_is_better
        ):
            return
        if self._trial.stage == "heldout":
            self._best = state.copied(state.trained(self._task.module))
        if self._trial.artifact_dir is not None:
            try:
                keeping.keep(self._trial.artifact_dir / "best", self._task.keep)
            except Exception as error:
                if not state.unwritable(error):
                    raise
                note(f"the best model cannot be kept: {memory.first_line(error)}")

    def _out_of_patience(self) -> bool:
        plan = self._plan
        if not plan.patience:
            return False
        over = self._progress.without_improvement >= plan.patience
        if self._ranks.any(flag=over, device=self._torch_device):
            if self._ranks.first:
                note(f"{plan.watched} has not improved for {plan.patience} evaluations: it ends")
            return True
        return False

    def _diverge(self, step: int) -> None:
        """Says NaN of everything that the trial is judged by."""
        names = {"train_loss", *self._trial.objectives}
        if self._ranks.first:
            note("neither loss nor gradients are finite any more; training ends here")
            self._report(step, dict.fromkeys(sorted(names), math.nan))

    def _test(self) -> None:
        """The held-back data, opened once: with the best weights, after all choices are made.

        Raises:
            SystemExit: the trial was told to stop before this was done; all is saved.
        """
        if not self._ranks.first:
            return
        if self._best is not None:
            state.load_trained(self._task.module, self._best)
        self._module.eval()
        with seeds.aside(EVALUATION_SEED), memory.watched("test on held-back data"):
            metrics = self._task.test(lambda: self._trial.should_stop)
        if metrics is None:
            raise SystemExit(int(ExitCode.STOPPED))
        if metrics:
            self._report(self._done, metrics)

    def _report(self, step: int, metrics: Mapping[str, float]) -> None:
        if self._ranks.first:
            self._trial.report(step, **metrics)
            self._setup.trackers.log(step, metrics)

    def _save(self) -> None:
        if not self._ranks.first or not self._done:
            return
        setup = self._setup
        rest: dict[str, Any] = {
            "optimizer": setup.optimizer.torch_optimizer.state_dict(),
            "scheduler": setup.scheduler.state_dict(),
            "scaler": self._scaler.state_dict(),
            "progress": self._progress.state(),
            "counters": dict(self._task.counters),
        }
        trained = state.trained(self._task.module)
        try:
            self._trial.save(lambda folder: state.write(folder, trained, rest, self._best))
        except Exception as error:
            if not state.unwritable(error):
                raise
            if not self._noted:
                note(f"no checkpoint, training goes on: {memory.first_line(error)}")
            self._noted = True

    def _restore(self, folder: Path) -> None:
        trained, rest, self._best = state.read(folder)
        state.load_trained(self._task.module, trained)
        self._setup.optimizer.torch_optimizer.load_state_dict(rest["optimizer"])
        self._setup.scheduler.load_state_dict(rest["scheduler"])
        self._scaler.load_state_dict(rest["scaler"])
        self._progress = Progress.of(rest["progress"])
        self._task.counters = dict(rest["counters"])
        self._done = self._trial.done


def _synchronised(module: nn.Module, *, last: bool) -> AbstractContextManager[object]:
    """Several devices exchange gradients once a step, with its last batch."""
    if last or not isinstance(module, DistributedDataParallel):
        return nullcontext()
    return module.no_sync()


def _named_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """`learning_rate` of the first group, which is what everybody looks for, and each by name."""
    first = next(iter(rates.values()))
    others = {f"learning_rate_{name}": rate for name, rate in rates.items()}
    return {"learning_rate": first, **(others if len(rates) > 1 else {})}


def _shapes(batch: Batch) -> str:
    """The largest tensor of a batch, in words."""
    tensors = [value for value in batch.values() if isinstance(value, torch.Tensor)]
    if not tensors:
        return "nothing"
    return " x ".join(str(size) for size in max(tensors, key=torch.Tensor.numel).shape)
