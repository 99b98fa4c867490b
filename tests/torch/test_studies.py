"""Studies of real trainings: `kubetune run` with processes of its own, from start to end."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from diffusers import StableDiffusionPipeline
from peft import PeftModel
from PIL import Image
from transformers import AutoModelForCausalLM

from kubetune.domain.trial import TrialState
from tests.integration import tuner
from tests.integration.tuner import Workplace
from tests.torch.recorded import TINY_EVA

LONG = 5000
"""Steps of a trial that is to be stopped: it would take minutes."""

STOPPED_AT = 40.0

pytestmark = [
    pytest.mark.timeout(1700),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated"),  # peft's own
]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    monkeypatch.setattr(tuner, "WAIT_SECONDS", 800)
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


@pytest.fixture
def answers(tiny_lm: Path, definitions: Path) -> dict[str, Any]:
    """What all trials of a language model have."""
    return {
        "model": str(tiny_lm),
        "train_data": str(definitions / "train.jsonl"),
        "eval_data": str(definitions / "eval.jsonl"),
        "batch_size": 4,
        "lora_rank": 4,
        "precision": "fp32",
    }


def study(objective: str, direction: str, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """A single trial at one learning rate; more of the manifest is up to the test."""
    return {
        "objectives": [{"metric": objective, "direction": direction}],
        "parameters": [
            {"name": "learning_rate", "type": "Double", "min": 1e-9, "max": 1e-1, "scale": "Log"}
        ],
        "fixed": fixed,
        "initialTrials": [{"name": "only", "parameters": {"learning_rate": 3e-3}}],
        "trials": {"max": 1, "parallelism": 1, "retries": {"disruption": 3}},
        "metrics": {"source": "Prometheus", "intervalSeconds": 0.2},
        "checkpoints": {"keep": "All"},
    }


def command(recipe: str) -> list[str]:
    """What trials run."""
    return [sys.executable, "-m", "kubetune_trainer", recipe]


def test_language_models_are_tuned(
    workplace: Workplace, answers: dict[str, Any], tiny_lm: Path
) -> None:
    """Live values end a trial that learns nothing; killed with its tuner it went on before that.

    The good one's curve begins with the untouched model, its adapter loads back, and in its log
    no library has anything to say.
    """
    more = {"epochs": 1000, "lora_dropout": 0.1, "eval_samples": 4, "gradient_checkpointing": True}
    more |= {"generated_samples": 2, "max_new_tokens": 4, "evaluate_every": 2, "log_every": 2}
    given = study("eval_loss", "Minimize", {**answers, **more})
    given["parameters"].append({"name": "max_steps", "type": "Integer", "min": 1, "max": LONG})
    given["initialTrials"] = [
        {"name": name, "parameters": {"learning_rate": rate, "max_steps": steps}}
        for name, rate, steps in (("still", 1e-9, LONG), ("good", 3e-3, 6))
    ]
    given["trials"]["max"] = 2
    still = f"step >= {STOPPED_AT} && metrics.eval_loss > 3.0"
    given["guards"] = [{"name": "still", "when": still, "outcome": "Pruned", "message": "nothing"}]
    workplace.write(command=command("causal-lm"), **given)
    folder = workplace.run_folder / "trials"
    with workplace.running() as running:
        workplace.until(lambda: running.ended or any(folder.glob("0/checkpoint/step-*")))
        running.kill()
    workplace.kill_trials()
    done = workplace.run()
    assert done.returncode == 0, done.stdout + done.stderr
    bad, good = workplace.trials()
    assert (bad.state, bad.attempt) == (TrialState.PRUNED, 2)
    assert STOPPED_AT <= bad.curve[-1].step < LONG
    assert "going on after step" in "".join(path.read_text() for path in folder.glob("0/*.log"))
    assert (good.state, good.attempt) == (TrialState.COMPLETE, 1)
    assert [point.step for point in good.curve] == [0, 2, 4, 6]
    (log,) = folder.glob("1/*.log")
    lines = log.read_text().splitlines()
    (said,) = (line for line in lines if not line.startswith(("step ", "--- attempt 1, ")))
    assert said.startswith("kubetune-trainer: training 9,344 of 167,616 weights on 200 examples")
    base = AutoModelForCausalLM.from_pretrained(tiny_lm, dtype=torch.float32)
    best = folder / "1/checkpoint/artifacts/best"
    assert PeftModel.from_pretrained(base, best).active_adapter == "default"


def classifier_loads(folder: Path) -> None:
    """By timm."""
    assert timm.create_model(f"local-dir:{folder / 'best'}", pretrained=True).num_classes == 10


def lora_loads(folder: Path) -> None:
    """By diffusers."""
    assert StableDiffusionPipeline.lora_state_dict(str(folder / "best"))


def nothing_to_load(folder: Path) -> None:
    """A model that has learned some examples by heart is of no use."""
    assert not list(folder.glob("*"))


def range_is_drawn(folder: Path) -> None:
    """As figures, and as a picture."""
    told = json.loads((folder / "lr-range.json").read_text())
    assert told["suggestion"]["low"] < told["suggestion"]["high"]
    with Image.open(folder / "lr-range.png") as picture:
        assert picture.width > picture.height


SMALL: Mapping[str, tuple[str, str, Mapping[str, Any], Callable[[Path], None]]] = {
    "image-classifier": (
        "eval_macro_f1",
        "Maximize",
        {**TINY_EVA, "batch_size": 32, "epochs": 1, "log_every": 1},
        classifier_loads,
    ),
    "overfit-check": (
        "loss_ratio",
        "Minimize",
        {**TINY_EVA, "recipe": "image-classifier", "overfit_loss_ratio": 1e-6},
        nothing_to_load,
    ),
    "lr-range-test": (
        "suggested_high_rate",
        "Maximize",
        {"recipe": "causal-lm", "first_rate": 1e-4, "last_rate": 3e-2, "range_steps": 30},
        range_is_drawn,
    ),
    "diffusion-lora": (
        "eval_loss",
        "Minimize",
        {"resolution": 64, "network_dim": 8, "max_steps": 40, "log_every": 1, "sampling_steps": 2},
        lora_loads,
    ),
}
"""What is judged, the fixed parameters, and what is left in the end."""


@pytest.mark.parametrize("recipe", SMALL)
def test_every_recipe_runs_in_a_study(
    workplace: Workplace, request: pytest.FixtureRequest, recipe: str
) -> None:
    """Values are seen while it trains, the study completes, and what it made loads back."""
    objective, direction, fixed, loads = SMALL[recipe]
    if recipe == "lr-range-test":
        fixed = {**request.getfixturevalue("answers"), **fixed}
    if recipe == "diffusion-lora":
        paths = {"model": "tiny_sd", "train_data": "pictures"}
        paths = {name: str(request.getfixturevalue(path)) for name, path in paths.items()}
        fixed = {**paths, **fixed}
    workplace.write(command=command(recipe), **study(objective, direction, fixed))
    done = workplace.run()
    assert done.returncode == 0, done.stdout + done.stderr
    (trial,) = workplace.trials()
    assert (trial.state, trial.attempt) == (TrialState.COMPLETE, 1)
    assert trial.outcome
    assert trial.outcome.values
    live = [point.step for point in trial.curve if "train_loss" in point.metrics]
    assert live
    loads(workplace.run_folder / "trials/0/checkpoint/artifacts")
