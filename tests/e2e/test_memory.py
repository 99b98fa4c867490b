"""Trials that run out of memory on a real node, and are tried again with less."""

import pytest

from kubetune.domain.trial import Trial
from tests.e2e.lab import Lab, Study, python

SCRIPT = """
import os, sys
from kubetune_trainer import Trial

class OutOfMemoryError(RuntimeError):
    "As torch calls it."

def kernel(size):
    held = b"1" * (size << 20)

def caught(size):
    if size > 32:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate " + str(size) + " MiB")

def plain(size):
    if size > 32:
        os._exit(70)

def child(size):
    if os.system(f"exec {sys.executable} -c 'x = b\\"1\\" * ({size} << 20)'"):
        os._exit(1)

with Trial.from_environment() as trial:
    values = trial.parameters
    with open(f"/lab/record-{trial._order.trial}", "a") as file:
        file.write(f"{trial.attempt} {values['size']} {values['steps']}\\n")
    {"kernel": kernel, "child": child, "caught": caught, "plain": plain, "hopeless": kernel}[
        values["kind"]
    ](values["size"])
    trial.report(loss=values["size"])
"""
"""Sizes are MiB; the container may have 128 of them, and a Python takes some 30."""

ENDS = {
    "kernel": ("Complete", "", ["1 256 1", "2 128 2", "3 64 4"]),
    "child": ("Complete", "", ["1 256 1", "2 128 2", "3 64 4"]),
    "caught": ("Complete", "", ["1 128 1", "2 64 2", "3 32 4"]),
    "plain": ("Complete", "", ["1 64 1", "2 32 2"]),
    "hopeless": ("Failed", "OutOfMemory", ["1 2048 1", "2 1024 2", "3 512 4", "4 256 8"]),
}
"""How each trial ends, and what it wrote down: attempt, size and steps."""


@pytest.fixture(scope="module")
def ended(lab: Lab) -> tuple[Study, dict[str, Trial]]:
    """One study with a trial of each kind."""
    first = {kind: int(record[0].split()[1]) for kind, (_, _, record) in ENDS.items()}
    sizes = {"name": "size", "type": "Integer", "min": 1, "max": 4096}
    study = lab.study(
        python(SCRIPT, resources={"limits": {"memory": "128Mi"}}),
        parameters=[{"name": "kind", "type": "Categorical", "values": list(ENDS)}, sizes],
        fixed={"steps": 1},
        initialTrials=[
            {"name": kind, "parameters": {"kind": kind, "size": size}}
            for kind, size in first.items()
        ],
        trials={
            "max": len(ENDS),
            "parallelism": 3,
            "retries": {"disruption": 0, "outOfMemory": 3},
            "onOutOfMemory": [
                {"name": "size", "value": "size / 2"},
                {"name": "steps", "value": "steps * 2"},
            ],
        },
    )
    return study, {str(trial.parameters["kind"]): trial for trial in study.finish().values()}


@pytest.mark.parametrize("kind", ENDS)
def test_out_of_memory_is_tried_again_smaller(
    ended: tuple[Study, dict[str, Trial]], kind: str
) -> None:
    """Killed by the kernel, alone or in a child, or caught and said: the rules make it smaller.

    As often as the study allows, and each attempt is told its own values.
    """
    study, trials = ended
    trial = trials[kind]
    assert trial.outcome is not None
    found = (trial.state, trial.outcome.reason, study.record(trial.number))
    assert found == ENDS[kind], trial
    assert trial.attempt == len(ENDS[kind][2])
    assert trial.disruptions == 0
