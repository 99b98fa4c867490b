"""Can the model learn a few examples by heart at all? If not, no tuning will help.

The chosen recipe's model trains on the same few examples with everything off that keeps it from
learning by heart. It has passed when its loss on them falls to a share of what it was at first.
"""

import math
from dataclasses import dataclass

from kubetune_trainer import Trial
from kubetune_trainer.main import run
from kubetune_trainer.training import chosen, gradients, memory, seeds
from kubetune_trainer.training.chosen import Choice, Chosen
from kubetune_trainer.training.passes import backward


@dataclass(frozen=True, kw_only=True)
class Config(Choice):
    """How hard it is tried.

    On `overfit_examples` from all over the data, for at most `overfit_steps`, until the loss is
    `overfit_loss_ratio` of the first one.
    """

    overfit_examples: int = 8
    overfit_steps: int = 200
    overfit_loss_ratio: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what can never pass or fail.

        Raises:
            ValueError: the message names the field.
        """
        for name in ("overfit_examples", "overfit_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is too small, write 1 or more")
        if not 0 < self.overfit_loss_ratio < 1:
            raise ValueError(
                f"overfit_loss_ratio: {self.overfit_loss_ratio} must be within 0 and 1"
            )


def train(trial: Trial) -> None:
    """Reports `train_loss` and `loss_ratio` at each step, and in the end `memorised`, 1 or 0."""
    config = chosen.own(trial, Config)
    it = chosen.build(trial, config, plain=True)
    examples = spread(config.overfit_examples, it.built.task.length)
    first = math.nan
    ratio = math.inf
    for step in trial.steps(config.overfit_steps):
        loss = _step(it, examples, trial.seed)
        first = loss if step == 1 else first
        ratio = loss / first if first else 0.0
        trial.report(step, train_loss=loss, loss_ratio=ratio)
        if not math.isfinite(loss) or ratio <= config.overfit_loss_ratio:
            break
    if not trial.should_stop:
        trial.report(memorised=float(ratio <= config.overfit_loss_ratio))


def spread(count: int, length: int) -> list[tuple[int, int]]:
    """So many examples from all over the data: files by the first class alone teach nothing."""
    count = min(count, length)
    return [(index * length // count, 1) for index in range(count)]


def _step(it: Chosen, examples: list[tuple[int, int]], seed: int) -> float:
    """One step on all examples, with the same random numbers each time; the mean loss before it."""
    task, optimizer = it.built.task, it.optimizer
    batches = [task.collate(some) for some in _batches(it, examples)]
    targets = sum(task.targets(batch) for batch in batches)
    task.module.train()
    with seeds.aside(seed), memory.watched(f"a step of {len(examples)} examples"):
        total = sum(backward(task, batch, it.device, targets) for batch in batches)
    norm = gradients.clip(optimizer.parameters, it.config.max_grad_norm)
    if math.isfinite(total) and math.isfinite(norm):
        optimizer.torch_optimizer.step()
    optimizer.torch_optimizer.zero_grad(set_to_none=True)
    return total / targets


def _batches(it: Chosen, examples: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Of at most the batch size, and of one bin each."""
    size, bins = it.config.batch_size, it.built.bins
    found: dict[int, list[tuple[int, int]]] = {}
    for index, epoch in examples:
        found.setdefault(bins[index] if bins else 0, []).append((index, epoch))
    return [some[at : at + size] for some in found.values() for at in range(0, len(some), size)]


if __name__ == "__main__":
    run(train)
