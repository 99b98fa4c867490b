"""A classifier without a model: how its training goes follows from its parameters.

It takes what `image-classifier` takes, and reports under its names: training twice an epoch, an
evaluation after each. The lowest rates are too slow, the highest overfit in the second epoch; with
the highest peaks the loss stays high, with the least regularisation the gap grows. The highest
`div_factor` crashes while the batch is above 8, the longest way up with every batch: without a
word, as a process does that the machine has killed.
"""

import math
import os
import signal

from watched import Watched

LIFE_SECONDS = 600
EPOCH = 10
"""Steps of one."""

TOO_SLOW, TOO_FAST, PEAK, DIVISOR, WAY_UP = 1.2e-5, 4.5e-5, 9.9, 24.9, 0.299
FITS = 8


def crashes(given):
    """Whether this configuration breaks the process."""
    if given["pct_start"] >= WAY_UP:
        return True
    return given["div_factor"] >= DIVISOR and given["batch_size"] > FITS


def train_loss(epoch, given):
    """After so much of the training."""
    return 1.4 if given["peak_ratio"] >= PEAK else 0.3 + math.exp(-epoch)


def evaluation(epoch, given):
    """After whole epochs."""
    rate = given["learning_rate"]
    accuracy = 0.95 - 0.1 * math.exp(-epoch) - 0.02 * abs(math.log(rate / 3e-5))
    if rate <= TOO_SLOW:
        accuracy = 0.8 + 0.01 * epoch
    elif rate >= TOO_FAST:
        accuracy = 0.9 - 0.01 * epoch
    little = given["weight_decay"] <= 0.051 and given["drop_rate"] <= 0.201
    gap = 0.02 * epoch if little else 0.005 * epoch
    return {
        "eval_accuracy": accuracy,
        "eval_loss": 1 - accuracy,
        "eval_macro_f1": accuracy - 0.01,
        "train_accuracy": accuracy + gap,
        "accuracy_gap": gap,
        "eval_epoch": float(epoch),
        "epoch_seconds": 60.0,
    }


def train(trial):
    """Each report is waited with until somebody has seen it."""
    given = trial.parameters
    if crashes(given):
        os._exit(1)
    for step in trial.steps(EPOCH * given["epochs"]):
        if step % (EPOCH // 2):
            continue
        epoch = step / EPOCH
        trial.report(step, train_loss=train_loss(epoch, given), epoch=epoch)
        if step % EPOCH == 0:
            trial.report(step, **evaluation(step // EPOCH, given))
        trial.settle()


signal.alarm(LIFE_SECONDS)
with Watched.from_environment() as trial:
    train(trial)
