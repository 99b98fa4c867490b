"""Can the model learn a few examples by heart at all? If not, no tuning will help.

The chosen recipe's model trains on the same few examples with everything off that keeps it from
learning by heart. It has passed when its loss on them falls to a share of what it was at first.
"""

import math
import sys
from dataclasses import dataclass

from kubetune_trainer import Trial
from kubetune_trainer.main import run
from kubetune_trainer.training import chosen, gradients, memory, seeds
from kubetune_trainer.training.chosen import Choice, Chosen
from kubetune_trainer.training.passes import mean_loss
from kubetune_trainer.training.task import Batch


@dataclass(frozen=True, kw_only=True)
class Config(Choice):
    """How hard it is tried.

    On `overfit_examples` from all over the data, for at most `overfit_steps`, until the loss is
    `overfit_loss_ratio` of the first one. A LoRA of `diffusion-lora` learns noise by heart slowly:
    0.5 shows that it learns.
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
            words = "must be greater than 0 and less than 1"
            raise ValueError(f"overfit_loss_ratio: {self.overfit_loss_ratio} {words}")


def train(trial: Trial) -> None:
    """Reports `train_loss` and `loss_ratio` at each step, and in the end `memorised`, 1 or 0."""
    config = chosen.own(trial, Config)
    it = chosen.build(trial, config, chosen.configured(trial, config, plain=True))
    examples = spread(config.overfit_examples, it.built.task.length)
    batches = [it.built.task.collate(some) for some in _batches(it, examples)]
    first, ratio, finite, ended = 0.0, math.nan, True, False
    for step in trial.steps(config.overfit_steps):
        loss, finite = _step(it, batches, trial.seed)
        first = loss if step == 1 else first
        ratio = loss / first if first else 0.0
        trial.report(step, train_loss=loss, loss_ratio=ratio)
        ended = not finite or ratio <= config.overfit_loss_ratio or step == config.overfit_steps
        if ended:
            break
    if ended:
        trial.report(memorised=float(ratio <= config.overfit_loss_ratio))
        sys.stdout.write(f"{_words(config, len(examples), trial.done, ratio, finite=finite)}\n")
        trial.progress(1.0)


def _words(config: Config, examples: int, steps: int, ratio: float, *, finite: bool) -> str:
    """What came of it, and where to look next."""
    if not finite:
        cure = "write a lower learning_rate" if steps > 1 else "look at the model and the data"
        return f"Not learned by heart: step {steps} has no finite loss and gradients, {cure}"
    share = f"the loss is {ratio:.1%} of the first one after {steps} steps"
    if ratio <= config.overfit_loss_ratio:
        return f"Learned by heart: of {examples} examples {share}"
    aim = f"{config.overfit_loss_ratio:.0%} were to be reached"
    where = "another learning_rate, more overfit_steps; if none helps, look at data and labels"
    return f"Not learned by heart: of {examples} examples {share}, {aim}. Try {where}"


def spread(count: int, length: int) -> list[tuple[int, int]]:
    """So many examples from all over the data: files by the first class alone teach nothing."""
    count = min(count, length)
    return [(index * length // count, 1) for index in range(count)]


def _step(it: Chosen, batches: list[Batch], seed: int) -> tuple[float, bool]:
    """One step on all batches, with the same random numbers each time.

    The mean loss before it, and whether it and its gradients were finite: if not, nothing changes.
    """
    optimizer = it.optimizer
    with seeds.aside(seed), memory.watched(f"a step of {len(batches)} batches"):
        loss = mean_loss(it.built.task, batches, it.device)
    norm = gradients.clip(optimizer.parameters, it.config.max_grad_norm)
    finite = math.isfinite(loss) and math.isfinite(norm)
    if finite:
        optimizer.torch_optimizer.step()
    optimizer.torch_optimizer.zero_grad(set_to_none=True)
    return loss, finite


def _batches(it: Chosen, examples: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Of at most the batch size, and of one bin each."""
    size, bins = it.config.batch_size, it.built.bins
    found: dict[int, list[tuple[int, int]]] = {}
    for index, epoch in examples:
        found.setdefault(bins[index] if bins else 0, []).append((index, epoch))
    return [some[at : at + size] for some in found.values() for at in range(0, len(some), size)]


if __name__ == "__main__":
    run(train)
