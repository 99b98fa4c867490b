"""A recipe on torch in a pod: its image's Python, torch mounted, a tiny model."""

import math
from typing import Any

import pytest

from tests.cluster import torch_environment
from tests.cluster.fixtures import unavailable
from tests.e2e.lab import Lab

MAKE = """
from pathlib import Path
from kubetune_trainer.tiny import language

folder = Path({!r})
language.make_model(folder / "model", steps=0)
language.make_data(folder, train=24, evaluation=4, test=4)
"""

VOCABULARY = 1024

EVERY_TRIAL = {
    "model": "/data/model",
    "train_data": "/data/train.jsonl",
    "eval_data": "/data/eval.jsonl",
    "batch_size": 8,
    "epochs": 2,
    "log_every": 2,
    "evaluate_every": 3,
    "method": "full",
}

RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
}


@pytest.mark.timeout(900)
def test_a_language_model_is_tuned_in_pods(lab: Lab) -> None:
    """`causal-lm` learns on the node as nobody, offline, with a root that it cannot write to."""
    if reason := torch_environment.missing():
        unavailable(reason)
    data = lab.folder / "data"
    data.mkdir()
    torch_environment.run(MAKE.format(str(data)))
    for file in data.rglob("*.safetensors"):
        file.chmod(0o644)  # its library lets only the owner read, and a trial is another user
    environment = {
        "PYTHONPATH": torch_environment.TARGET,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": "/tmp/hf",
        "OMP_NUM_THREADS": "1",
    }
    study = lab.study(
        {
            "image": "kubetune-trainer:latest",
            "args": ["causal-lm"],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "securityContext": RESTRICTED,
            "volumeMounts": [
                torch_environment.mount(),
                {"name": "data", "mountPath": "/data", "readOnly": True},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        },
        pod={
            "volumes": [
                torch_environment.volume(),
                {"name": "data", "hostPath": {"path": str(data)}},
                {"name": "tmp", "emptyDir": {}},
            ]
        },
        mounted=False,
        objectives=[{"metric": "eval_loss", "direction": "Minimize"}],
        parameters=[{"name": "learning_rate", "type": "Double", "min": 1e-3, "max": 5e-3}],
        fixed=EVERY_TRIAL,
        trials={"max": 1},
    )
    trial = study.finish()[0]
    assert (trial.state, trial.outcome and trial.outcome.message) == ("Complete", "")
    assert trial.outcome is not None
    assert {"train_loss", "gradient_norm", "tokens_per_second"} <= trial.outcome.metrics.keys()
    assert trial.value is not None
    assert trial.value < math.log(VOCABULARY)  # which is what guessing has
