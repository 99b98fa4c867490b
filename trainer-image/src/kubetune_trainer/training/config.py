"""The parameters that every recipe on torch has, under the same names."""

from dataclasses import dataclass, fields
from typing import ClassVar

from kubetune_trainer.training import devices, optimizers, schedules


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What a recipe's own configuration inherits.

    `batch_size` examples make a batch, `gradient_accumulation_steps` batches an optimizer step.
    `max_steps` ends training before `epochs` do, 0 does not. `lr_warmup_steps` counts optimizer
    steps; `lr_warmup_ratio`, a share of all steps, counts where it is 0. `evaluate_every` steps
    the model is evaluated, 0 means after each epoch, and with `evaluate_first` before the first
    step too: what it is without this training, reported as step 0. `early_stop_evaluations` after
    that without an improvement of `early_stop_min_delta` end the trial, 0 never does.
    `data_workers` processes make batches beside the training, 0 makes them in it.
    """

    epochs: int = 1
    max_steps: int = 0
    batch_size: int = 8
    gradient_accumulation_steps: int = 1
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    optimizer_type: optimizers.OptimizerType = "AdamW"
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    prodigy_d_coef: float = 1.0
    lr_scheduler: schedules.SchedulerType = "cosine"
    lr_warmup_steps: int = 0
    lr_warmup_ratio: float = 0.0
    lr_scheduler_num_cycles: int = 1
    max_grad_norm: float = 1.0
    precision: devices.Precision = "auto"
    evaluate_every: int = 0
    evaluate_first: bool = True
    log_every: int = 10
    early_stop_evaluations: int = 0
    early_stop_min_delta: float = 0.0
    data_workers: int = 0

    POSITIVE: ClassVar[tuple[str, ...]] = (
        "epochs",
        "batch_size",
        "gradient_accumulation_steps",
        "lr_scheduler_num_cycles",
        "log_every",
    )
    """Whole numbers from 1."""

    NOT_NEGATIVE: ClassVar[tuple[str, ...]] = (
        "max_steps",
        "learning_rate",
        "weight_decay",
        "lr_warmup_steps",
        "max_grad_norm",
        "evaluate_every",
        "early_stop_evaluations",
        "early_stop_min_delta",
        "data_workers",
    )

    SHARES: ClassVar[tuple[str, ...]] = ("lr_warmup_ratio", "adam_beta1", "adam_beta2")
    """From 0 to less than 1."""

    def __post_init__(self) -> None:
        """Refuses what cannot be trained with.

        Raises:
            ValueError: every field at fault, with what it may be.
        """
        faults = self.faults()
        if faults:
            raise ValueError("; ".join(faults))

    def faults(self) -> list[str]:
        """What is wrong, a sentence for each field; a recipe's own configuration adds to it."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        found = [
            f"{name}: {known[name]} is too small, write 1 or more"
            for name in self.POSITIVE
            if known[name] < 1
        ]
        found += [
            f"{name}: {known[name]} must be 0 or more"
            for name in self.NOT_NEGATIVE
            if not known[name] >= 0
        ]
        return found + [
            f"{name}: {known[name]} must be from 0 to less than 1"
            for name in self.SHARES
            if not 0 <= known[name] < 1
        ]

    @property
    def optimizer(self) -> optimizers.Recipe:
        """The optimizer's part."""
        return optimizers.Recipe(
            kind=self.optimizer_type,
            betas=(self.adam_beta1, self.adam_beta2),
            eps=self.adam_epsilon,
            d_coef=self.prodigy_d_coef,
        )

    def steps(self, steps_per_epoch: int) -> int:
        """Optimizer steps in all."""
        steps = self.epochs * steps_per_epoch
        return min(steps, self.max_steps) if self.max_steps else steps

    def course(self, steps: int, one_cycle: schedules.OneCycle | None = None) -> schedules.Course:
        """The schedule over that many steps."""
        return schedules.Course(
            kind=self.lr_scheduler,
            steps=steps,
            warmup_steps=self.lr_warmup_steps or round(steps * self.lr_warmup_ratio),
            cycles=self.lr_scheduler_num_cycles,
            one_cycle=one_cycle or schedules.OneCycle(),
        )
