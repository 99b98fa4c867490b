"""Which learning rates are worth searching: the rate grows from step to step until the loss breaks.

The chosen recipe's model trains for some steps, each with a higher rate than the one before. The
result is a range for a study's learning rate, and a picture of the curve (Smith 2017).
"""

import json
import math
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.main import run
from kubetune_trainer.training import chosen, gradients, loading, optimizers, rates
from kubetune_trainer.training.chosen import Choice
from kubetune_trainer.training.order import Order
from kubetune_trainer.training.passes import backward
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.rates import Suggestion


@dataclass(frozen=True, kw_only=True)
class Config(Choice):
    """From which rate to which, in how many steps. Groups keep the ratio of their rates."""

    first_rate: float = 1e-7
    last_rate: float = 1.0
    range_steps: int = 100

    def __post_init__(self) -> None:
        """Refuses what is no range.

        Raises:
            ValueError: the message names the field.
        """
        if not 0 < self.first_rate < self.last_rate:
            raise ValueError(f"first_rate: {self.first_rate} must be within 0 and {self.last_rate}")
        if self.range_steps < 10:  # noqa: PLR2004 - a curve needs some points
            raise ValueError(f"range_steps: {self.range_steps} is too small, write 10 or more")


def train(trial: Trial) -> None:
    """Reports the loss at each rate, and in the end what follows from the curve."""
    config = chosen.own(trial, Config)
    it = chosen.build(trial, config, plain=False)
    if it.config.optimizer_type == "Prodigy":
        raise BadConfiguration("optimizer_type: Prodigy finds its own rate, write another one")
    optimizer = optimizers.build(it.built.groups, it.config.optimizer)
    ratios = [
        group["lr"] / it.config.learning_rate for group in optimizer.torch_optimizer.param_groups
    ]
    order = Order(
        length=it.built.task.length,
        batch_size=it.config.batch_size,
        seed=trial.seed,
        accumulation=it.config.gradient_accumulation_steps,
        groups=it.built.bins,
    )
    batches = loading.batches(it.built.task.collate, order, from_step=1, ranks=Ranks())
    planned = rates.grown(config.first_rate, config.last_rate, config.range_steps)
    losses: list[float] = []
    for step in trial.steps(config.range_steps):
        rate = planned[step - 1]
        for group, ratio in zip(optimizer.torch_optimizer.param_groups, ratios, strict=True):
            group["lr"] = rate * ratio
        parts = next(batches)
        targets = sum(it.built.task.targets(batch) for batch in parts)
        it.built.task.module.train()
        total = sum(backward(it.built.task, batch, it.device, targets) for batch in parts)
        losses.append(total / targets)
        trial.report(step, train_loss=losses[-1], learning_rate=rate)
        norm = gradients.clip(optimizer.parameters, it.config.max_grad_norm)
        if rates.diverged(losses) or not math.isfinite(norm):
            break
        optimizer.torch_optimizer.step()
        optimizer.torch_optimizer.zero_grad(set_to_none=True)
    if not trial.should_stop:
        _conclude(trial, planned[: len(losses)], losses)


def _conclude(trial: Trial, tried: list[float], losses: list[float]) -> None:
    found = rates.suggest(tried, losses)
    if trial.artifact_dir is not None:
        _write(trial.artifact_dir, tried, losses, found)
    if found is None:
        print("The loss never fell: begin with a lower first_rate, or look at the data.")  # noqa: T201 - a recipe's output
        return
    names = {
        "steepest": "steepest_rate",
        "last_stable": "last_stable_rate",
        "low": "suggested_low_rate",
        "high": "suggested_high_rate",
    }
    trial.report(**{names[name]: value for name, value in asdict(found).items()})
    print(f"Search learning_rate from {found.low:.1e} to {found.high:.1e}, on a logarithmic scale.")  # noqa: T201 - as above


def _write(folder: Path, tried: list[float], losses: list[float], found: Suggestion | None) -> None:
    """`lr-range.json` and `lr-range.png`."""
    import matplotlib as mpl  # noqa: PLC0415 - seconds, for the last step only

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of a backend

    folder.mkdir(parents=True, exist_ok=True)
    told = None if found is None else asdict(found)
    curve = {"rates": tried, "losses": [loss if math.isfinite(loss) else None for loss in losses]}
    (folder / "lr-range.json").write_text(json.dumps({**curve, "suggestion": told}, indent=1))
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    axes.semilogx(tried, losses, color="0.75", label="loss of the step")
    finite = [loss for loss in losses if math.isfinite(loss)]
    axes.semilogx(tried[: len(finite)], rates.smoothed(finite), label="smoothed")
    if found is not None:
        axes.axvspan(found.low, found.high, alpha=0.15, color="C2", label="range to search")
        axes.axvline(found.steepest, color="C1", linestyle="--", label="steepest descent")
        axes.axvline(found.last_stable, color="C3", linestyle=":", label="last stable")
    top = max(chain(rates.smoothed(finite)[:1] * 2, [min(finite, default=0.0)]))
    axes.set(xlabel="learning rate", ylabel="training loss", ylim=(None, top or None))
    axes.legend()
    figure.savefig(folder / "lr-range.png", dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run(train)
