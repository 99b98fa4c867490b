"""Records real curves for the tests of failure marks; not a test itself.

python -m tests.torch.curves FOLDER
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch

from kubetune_trainer.contract import Value
from kubetune_trainer.tiny import language
from tests.torch.recorded import TINY_EVA, Recorded, run

KEPT = (
    *("train_loss", "eval_loss", "eval_macro_f1"),
    *("gradient_norm", "gradient_explosions"),
)
LANGUAGE: Mapping[str, Value] = {"batch_size": 8, "lr_warmup_steps": 5, "log_every": 1}
RATES: Mapping[str, float] = {
    "too-low": 1e-4,
    "low": 1e-3,
    "good": 3e-3,
    "high": 1e-2,
    "higher": 3e-2,
    "too-high": 1.0,
}
CLASSIFIER_RATES: Mapping[str, float] = {
    "too-low": 3e-6,
    "low": 1e-4,
    "good": 3e-4,
    "high": 1e-3,
    "higher": 3e-3,
    "too-high": 1.0,
}


def record(folder: Path) -> None:
    """Writes a file for each trial."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        language.make_model(work / "lm")
        language.make_data(work / "data")
        lines = (work / "data" / "train.jsonl").read_text().splitlines(keepends=True)
        (work / "data" / "few.jsonl").write_text("".join(lines[:40]))
        base: dict[str, Value] = {
            **LANGUAGE,
            "model": str(work / "lm"),
            "train_data": str(work / "data" / "train.jsonl"),
            "eval_data": str(work / "data" / "eval.jsonl"),
        }
        sixty: dict[str, Value] = {"epochs": 3, "max_steps": 60, "evaluate_every": 6}
        for kind, rate in RATES.items():
            parameters = {**base, **sixty, "learning_rate": rate}
            _keep(folder, f"language-{kind}", "causal-lm", parameters, work)
        full: dict[str, Value] = {**base, "method": "full"}
        few = {**full, "train_data": str(work / "data" / "few.jsonl"), "epochs": 20}
        few |= {"learning_rate": 3e-3, "log_every": 5}
        _keep(folder, "language-by-heart", "causal-lm", few, work)
        absurd = {**full, **sixty, "learning_rate": 1e20}
        _keep(folder, "language-absurd", "causal-lm", absurd, work)
        for kind, rate in CLASSIFIER_RATES.items():
            parameters = {**TINY_EVA, "epochs": 10, "batch_size": 64, "log_every": 4}
            parameters |= {"learning_rate": rate, "drop_rate": 0.1, "drop_path_rate": 0.1}
            _keep(folder, f"classifier-{kind}", "image-classifier", parameters, work)


def _keep(
    folder: Path, name: str, recipe: str, parameters: Mapping[str, Value], work: Path
) -> None:
    """Runs one trial; keeps its objective, its end and what the marks look at."""
    objective = "eval_loss" if recipe == "causal-lm" else "eval_macro_f1"
    own = work / name
    own.mkdir()
    trial = run(recipe, Recorded(own, parameters, objectives=(objective,)))
    steps: dict[float, dict[str, float | str]] = {}
    for step, metrics in trial.reports:
        shown = {key: _short(metrics[key]) for key in KEPT if key in metrics}
        steps.setdefault(step, {}).update(shown)
    head = {"objective": objective, "state": trial.result["state"]}
    points = ",\n".join(json.dumps([step, metrics]) for step, metrics in sorted(steps.items()))
    text = f'{json.dumps(head)[:-1]}, "curve": [\n{points}\n]}}\n'
    (folder / f"{name}.json").write_text(text)


def _short(value: float) -> float | str:
    """Five digits; a word for what JSON cannot write."""
    rounded = float(f"{value:.5g}")
    return rounded if rounded - rounded == 0 else str(rounded)


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    record(target)
