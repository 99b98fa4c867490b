"""For `Trainer` of transformers.

    with Trial.from_environment() as trial:
        trainer = Trainer(..., callbacks=[KubetuneCallback(trial)])
        trainer.train(resume_from_checkpoint=trial.resumed_from)

What `Trainer` logs is reported under its own names: `loss`, `eval_loss`, `learning_rate`. Its own
checkpoints become the trial's as they are saved.
"""
# ruff: noqa: ARG002 - what a callback is called with is transformers' choice

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from kubetune_trainer.integrations.names import reportable
from kubetune_trainer.trial import Trial


class KubetuneCallback(TrainerCallback):
    """Reports to the trial, stops when it is told to, keeps checkpoints to go on from.

    When the trial is told to stop, `Trainer` saves after the step and `train` returns; an
    evaluation due at that step is left out. A loss that is NaN is reported as NaN:
    `logging_nan_inf_filter` is switched off, which would show the mean of earlier ones instead.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._stopping = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Nothing is hidden from the study."""
        args.logging_nan_inf_filter = False
        self._stopping = False

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Reports what was measured, evaluations too, at the global step."""
        metrics = reportable(logs or {})
        if metrics and state.is_world_process_zero:
            self._trial.report(state.global_step, **metrics)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stops after this step, when that is wanted and it is not the last one anyway."""
        if state.max_steps > 0:
            self._trial.progress(min(1.0, state.global_step / state.max_steps))
        if _agreed(self._trial.should_stop, args) and state.global_step < state.max_steps:
            self._stopping = True
            control.should_training_stop = True
            control.should_save = True
            control.should_evaluate = False

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """A stop within an epoch is not its end."""
        if self._stopping:
            control.should_evaluate = control.should_save = control.should_log = False

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Makes the checkpoint that was saved just now the trial's."""
        if args.world_size > 1:
            distributed.barrier()
        saved = Path(str(args.output_dir)) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        if state.is_world_process_zero:
            self._trial.save(lambda folder: _copy(saved, folder), step=state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Training that ended by itself is complete, early or not."""
        if not self._stopping:
            self._trial.progress(1.0)


def _agreed(told: bool, args: TrainingArguments) -> bool:  # noqa: FBT001 - it is the one thing asked
    """Whether any process of the trial was told to stop: all stop at the same step."""
    if args.world_size == 1:
        return told
    flag = torch.tensor(float(told), device=args.device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag)


def _copy(source: Path, target: Path) -> None:
    """The same files, linked where both folders are of one file system."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copyfile(one, other)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)
