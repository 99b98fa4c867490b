"""The training of a classifier without a model: its accuracies follow from parameters and seed.

It takes what `image-classifier` takes and reports under its names, once an epoch. The best rate is
another one for each architecture; dropout and decay matter little, and the seed brings luck.
The accuracy on held-back images is reported in the held-out stage alone.
"""

import math
import signal
from random import Random

from kubetune_trainer import Trial

LIFE_SECONDS = 600
ARCHITECTURES = {"resnet50": (1e-3, 0.90), "convnext_tiny": (2e-4, 0.94), "vit_small": (6e-5, 0.93)}
SCHEDULES = {"one_cycle": 0.0, "cosine": 0.0, "linear": 0.004, "constant": 0.02}
LUCK, HELD_OUT_LUCK = 0.004, 0.002


def accuracy(given):
    """In the mean of all seeds."""
    best, top = next(
        value for name, value in ARCHITECTURES.items() if given["model"].startswith(name)
    )
    lost = 0.06 * math.log10(given["learning_rate"] / best) ** 2 + SCHEDULES[given["lr_scheduler"]]
    lost += 0.004 * abs(math.log2(given["batch_size"] / 64))
    lost += 0.002 * abs(math.log10(given["weight_decay"] / 0.02))
    return max(0.1, top - lost - 0.1 * (given["drop_rate"] - 0.1) ** 2)


def train(trial):
    """Each epoch comes nearer to what the configuration reaches."""
    given = trial.parameters
    chance = Random(f"{trial.seed} {given['learning_rate']} {given['drop_rate']}")
    end = accuracy(given) + chance.gauss(0.0, LUCK)
    epochs = int(given["epochs"])
    for epoch in trial.steps(epochs):
        reached = end - 0.4 * math.exp(-6 * epoch / epochs)
        gap = 0.05 * epoch / epochs
        trial.report(epoch, eval_accuracy=reached, eval_loss=1 - reached, accuracy_gap=gap)
    if trial.stage == "heldout":
        trial.report(test_accuracy=accuracy(given) + chance.gauss(-0.002, HELD_OUT_LUCK))


signal.alarm(LIFE_SECONDS)
with Trial.from_environment() as trial:
    train(trial)
