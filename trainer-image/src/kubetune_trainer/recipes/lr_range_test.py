"""Which learning rates are worth searching: the rate grows from step to step until the loss breaks.

The chosen recipe's model trains for some steps, each with a higher rate than the one before. The
result is a range for a study's learning rate, and a picture of the curve (Smith 2017).

Some batches are harder than others, by far so for diffusion, where each has its own noise. So every
loss is compared with the one that the untouched model has on the same batch, with the same random
numbers: what is left is what training did.
"""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.main import run
from kubetune_trainer.notes import note
from kubetune_trainer.training import chosen, gradients, loading, memory, rates, seeds
from kubetune_trainer.training.chosen import Choice, Chosen
from kubetune_trainer.training.order import Order
from kubetune_trainer.training.passes import mean_loss
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.rates import Suggestion
from kubetune_trainer.training.task import Batch

NAMES = {
    "steepest": "steepest_rate",
    "last_stable": "last_stable_rate",
    "low": "suggested_low_rate",
    "high": "suggested_high_rate",
}
"""What the parts of a suggestion are reported as; NaN where the loss never fell."""


@dataclass(frozen=True, kw_only=True)
class Config(Choice):
    """From which rate to which, in how many steps. Groups keep the ratio of their rates.

    A rate stands for the recipe's `learning_rate`: of the scheduler `one_cycle` its peak is tried.
    """

    first_rate: float = 1e-7
    last_rate: float = 1.0
    range_steps: int = 100

    def __post_init__(self) -> None:
        """Refuses what is no range.

        Raises:
            ValueError: the message names the field.
        """
        if not 0 < self.first_rate < self.last_rate < math.inf:
            words = f"must be greater than 0 and less than last_rate, {self.last_rate}"
            raise ValueError(f"first_rate: {self.first_rate} {words}")
        if self.range_steps < 10:  # noqa: PLR2004 - a curve needs some points
            raise ValueError(f"range_steps: {self.range_steps} is too small, write 10 or more")


def train(trial: Trial) -> None:
    """Reports the loss at each rate, and in the end what follows from the curve."""
    config = chosen.own(trial, Config)
    its = chosen.configured(trial, config, plain=False)
    if its.optimizer_type == "Prodigy":
        raise BadConfiguration("optimizer_type: Prodigy finds its own rate, write another one")
    if not its.learning_rate:
        raise BadConfiguration("learning_rate: 0 has no ratio to other rates, write any other")
    it = chosen.build(trial, config, its)
    note(f"first the losses of the untouched model, {config.range_steps} steps")
    before = _untouched(trial, it, config.range_steps)
    usual = sum(before) / max(1, len(before))
    tried = rates.grown(config.first_rate, config.last_rate, config.range_steps)
    losses: list[float] = []
    ended = False
    for (step, loss), rate in zip(_losses(trial, it, tried), tried, strict=False):
        losses.append(loss - before[step - 1] + usual)
        trial.report(step, train_loss=losses[-1], learning_rate=rate)
        ended = step == config.range_steps or rates.diverged(losses)
        if ended:
            break
    if ended:
        _conclude(trial, tried, losses)
        trial.progress(1.0)


def _losses(trial: Trial, it: Chosen, tried: list[float]) -> Iterator[tuple[int, float]]:
    """Each step and its loss, NaN where a gradient is not finite; the step itself comes after."""
    groups = it.optimizer.torch_optimizer.param_groups
    peak = it.built.one_cycle.peak_ratio if it.config.lr_scheduler == "one_cycle" else 1.0
    ratios = [group["lr"] / it.config.learning_rate * peak for group in groups]
    batches = _batches(trial, it)
    for step in trial.steps(len(tried)):
        for group, ratio in zip(groups, ratios, strict=True):
            group["lr"] = tried[step - 1] * ratio
        loss = _pass(it, next(batches), (trial.seed, step))
        norm = gradients.clip(it.optimizer.parameters, it.config.max_grad_norm)
        yield step, loss if math.isfinite(norm) else math.nan
        it.optimizer.torch_optimizer.step()
        it.optimizer.torch_optimizer.zero_grad(set_to_none=True)


def _untouched(trial: Trial, it: Chosen, steps: int) -> list[float]:
    """The losses of the model as it is, on the batches of all steps; fewer when told to stop.

    Raises:
        BadConfiguration: one is no number, which no rate can have done.
    """
    batches = _batches(trial, it)
    found: list[float] = []
    with torch.no_grad():
        while len(found) < steps and not trial.should_stop:
            found.append(_pass(it, next(batches), (trial.seed, len(found) + 1)))
            if not math.isfinite(found[-1]):
                raise BadConfiguration(
                    f"model: its loss on batch {len(found)} is {found[-1]} before any training: "
                    "look at it and at the data, or write precision fp32"
                )
    return found


def _batches(trial: Trial, it: Chosen) -> Iterator[list[Batch]]:
    """Of each step, the same whenever they are asked for."""
    order = Order(
        length=it.built.task.length,
        batch_size=it.config.batch_size,
        seed=trial.seed,
        accumulation=it.config.gradient_accumulation_steps,
        groups=it.built.bins,
    )
    workers = it.config.data_workers
    return loading.batches(
        it.built.task.collate, order, from_step=1, ranks=Ranks(), workers=workers
    )


def _pass(it: Chosen, batches: list[Batch], seed: tuple[int, int]) -> float:
    """The mean loss of a step's batches; adds up their gradients where there are any."""
    seeds.seed_step(*seed)
    with memory.watched(f"step {seed[1]}, {len(batches)} batches"):
        return mean_loss(it.built.task, batches, it.device)


def _conclude(trial: Trial, planned: list[float], losses: list[float]) -> None:
    tried = planned[: len(losses)]
    found = rates.suggest(tried, losses)
    if trial.artifact_dir is not None:
        _write(trial.artifact_dir, tried, losses, found)
        sys.stdout.write(f"The curve is drawn in {trial.artifact_dir / 'lr-range.png'}\n")
    if found is None:
        trial.report(**dict.fromkeys(NAMES.values(), math.nan))
        sys.stdout.write(f"{_advice(tried[-1], broke=len(losses) < len(planned))}\n")
        return
    trial.report(**{NAMES[name]: value for name, value in asdict(found).items()})
    words = f"Search learning_rate from {found.low:.1e} to {found.high:.1e}, scale Log"
    sys.stdout.write(f"{words}\n")


def _advice(last: float, *, broke: bool) -> str:
    """What to do where the loss never fell."""
    what = "broke at" if broke else "held up to"
    end = "lower first_rate" if broke else "higher last_rate"
    return (
        f"The loss {what} a rate of {last:.1e} and never fell: write a {end}, more range_steps or "
        "a larger batch_size; where none of them helps, see whether overfit-check passes"
    )


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
    finite = [loss for loss in losses if math.isfinite(loss)]
    smooth = rates.smoothed(finite)
    axes.semilogx(tried, losses, color="0.75", marker=".", label="loss of the step")
    axes.semilogx(tried[: len(finite)], smooth, label="smoothed")
    if found is not None:
        axes.axvspan(found.low, found.high, alpha=0.15, color="C2", label="range to search")
        axes.axvline(found.steepest, color="C1", linestyle="--", label="steepest descent")
        axes.axvline(found.last_stable, color="C3", linestyle=":", label="last stable")
    axes.set(xlabel="learning rate", ylabel="training loss", ylim=_limits(finite, smooth.tolist()))
    axes.legend(loc="upper left")
    figure.savefig(folder / "lr-range.png", dpi=120)
    plt.close(figure)


def _limits(losses: list[float], smooth: list[float]) -> tuple[float, float] | None:
    """From below the best loss to above the first one: the tail that broke would hide the rest."""
    if not smooth:
        return None
    least, first = min(losses), smooth[0]
    span = max(first - least, abs(first) / 100, 1e-9)
    return least - span / 10, first + span / 2


if __name__ == "__main__":
    run(train)
