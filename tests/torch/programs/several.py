"""One of several processes of a trial: all add up a number each step, and one may go wrong.

Its parameters are `steps` and `fault`, which is of the process of rank 1.
"""

import os
import signal
import time
from dataclasses import dataclass

import torch

from kubetune_trainer import Trial
from kubetune_trainer.training import ranks

PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class Config:
    """What may be set."""

    steps: int
    fault: str = ""


def main() -> None:
    """Reports the sum over all processes at each step."""
    with Trial.from_environment() as trial:
        config = trial.parameters_as(Config)
        with ranks.joined() as joined:
            trial.agree_by(lambda told: joined.any(flag=told, device=torch.device("cpu")))
            for step in trial.steps(config.steps):
                if step == 3 and joined.rank == 1:
                    go_wrong(config.fault)
                total = joined.total(float(step), torch.device("cpu"))
                if joined.first:
                    trial.report(loss=total)
                    trial.save(lambda folder: None)
                time.sleep(PAUSE_SECONDS)
            joined.wait()


def go_wrong(fault: str) -> None:
    """The fault, as the real thing makes it."""
    if fault == "memory":
        bytearray(1 << 62)
    elif fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "bug":
        raise IndexError("a bug of the second process")


if __name__ == "__main__":
    main()
