"""What a trial spends outside of its steps: its start, loading, evaluations, saving.

Each recipe runs as a process of its own, as a study's trial, on a tiny model: what is measured is
what is around the steps. With real models the steps take most of the time.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import environment
from bench.table import Figure

STEPS = 40

IMPORTS = {
    "causal-lm": "import torch, peft; from transformers import AutoModelForCausalLM, Qwen2Model",
    "image-classifier": "import torch, timm, timm.data, timm.optim",
    "diffusion-lora": "import torch, peft; from diffusers import StableDiffusionPipeline",
}
"""What any program of that kind begins with."""

COMMON = {"epochs": 100, "max_steps": STEPS, "evaluate_every": STEPS // 2, "precision": "fp32"}


@dataclass(frozen=True)
class Spent:
    """Seconds of one trial."""

    total: float
    start: float
    steps: float
    evaluation: float

    @property
    def outside(self) -> float:
        return self.total - self.steps

    @property
    def rest(self) -> float:
        """Saving, and leaving: the end of a process that has imported so much takes its time."""
        return self.outside - self.start - self.evaluation


def figures(runs: int = 3) -> list[Figure]:
    """Each recipe's trial whose share is the median of some."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for recipe, given in _parameters(Path(folder)).items():
            _imported(recipe)  # from the disk, which no other has to do again
            spent, floors = [], []
            for number in range(runs):
                floors.append(_imported(recipe))
                spent.append(_run(recipe, given, Path(folder, f"{recipe}-{number}")))
            spent.sort(key=lambda trial: trial.outside / trial.total)
            found += _rows(recipe, spent[runs // 2], statistics.median(floors))
    return found


def _imported(recipe: str) -> float:
    """Seconds of a process that does nothing else, and leaves at once when it has them."""
    begin = time.perf_counter()
    program = f"{IMPORTS[recipe]}; import os; os._exit(0)"
    subprocess.run([sys.executable, "-c", program], check=True, env=environment())
    return time.perf_counter() - begin


def _rows(recipe: str, spent: Spent, floor: float) -> list[Figure]:
    parts = (
        f"start and load {spent.start:.1f}, evaluation {spent.evaluation:.1f}, "
        f"saving and leaving {spent.rest:.1f} s"
    )
    name = f"{recipe}, {STEPS} steps: outside of them, of all"
    return [
        Figure(name, spent.outside, spent.total, None, "s", parts),
        Figure(f"{recipe}: start and load, against imports alone", spent.start, floor, None, "s"),
    ]


def _parameters(folder: Path) -> dict[str, dict[str, Any]]:
    """What each recipe is given, with models and data made for it."""
    from kubetune_trainer.tiny import diffusion, language

    language.make_model(folder / "lm", steps=0)
    language.make_data(folder / "definitions")
    diffusion.make_model(folder / "sd", steps=1)
    diffusion.make_data(folder / "pictures")
    return {
        "causal-lm": {
            **COMMON,
            "model": str(folder / "lm"),
            "train_data": str(folder / "definitions" / "train.jsonl"),
            "generated_samples": 4,
            "max_new_tokens": 16,
        },
        "image-classifier": {
            **COMMON,
            "model": "test_resnet",
            "train_data": "digits",
            "image_size": 32,
            "batch_size": 32,
        },
        "diffusion-lora": {
            **COMMON,
            "model": str(folder / "sd"),
            "train_data": str(folder / "pictures"),
            "resolution": 64,
            "network_dim": 8,
            "batch_size": 4,
            "samples_per_prompt": 1,
            "sampling_steps": 10,
        },
    }


def _run(recipe: str, given: Mapping[str, Any], folder: Path) -> Spent:
    folder.mkdir()
    order = {
        "schema": 1,
        "study": "bench",
        "trial": 0,
        "objectives": ["eval_loss"],
        "parameters": {"learning_rate": 1e-3, **given},
    }
    variables = {
        "KUBETUNE_TRIAL": json.dumps(order),
        "KUBETUNE_CHECKPOINT_DIR": str(folder / "checkpoint"),
        "KUBETUNE_TERMINATION_LOG": str(folder / "result.json"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "kubetune_trainer", recipe]
    lines, times = [], []
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        env={**environment(), **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            times.append(time.perf_counter() - begin)
    assert process.returncode == os.EX_OK, "".join(lines)
    loaded = next(
        i for i, line in enumerate(lines) if line.startswith("kubetune-trainer: training")
    )
    return Spent(
        total=time.perf_counter() - begin,
        start=times[loaded],
        steps=_trained(lines),
        evaluation=sum(_values(lines, "evaluation_seconds")),
    )


def _trained(lines: list[str]) -> float:
    """Seconds of all steps: each report has the mean of those since the last one."""
    total, last = 0.0, 0
    for line in lines:
        if (seconds := _values([line], "step_seconds")) and (at := re.match(r"step (\d+) ", line)):
            total += seconds[0] * (int(at[1]) - last)
            last = int(at[1])
    return total


def _values(lines: list[str], name: str) -> list[float]:
    pattern = re.compile(rf"\b{name} (\S+)")
    return [float(found[1]) for line in lines if (found := pattern.search(line))]
