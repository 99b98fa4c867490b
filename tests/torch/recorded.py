"""A recipe run in this process as a study's trial, and everything that it reported."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from kubetune_trainer.contract import Environment, Order, Value
from kubetune_trainer.trial import Trial

TINY_EVA: dict[str, Value] = {
    "model": "eva02_tiny_patch14_224",
    "model_options": json.dumps(
        {
            "patch_size": 8,
            "embed_dim": 48,
            "depth": 3,
            "num_heads": 3,
            "swiglu_mlp": True,
            "use_rot_pos_emb": True,
            "ref_feat_shape": [4, 4],
        }
    ),
    "image_size": 32,
    "train_data": "digits",
}
"""A classifier of the class of EVA02, with 96,000 weights."""


class Recorded(Trial):
    """A trial of a study whose reports are kept in `reports`, in order of time."""

    def __init__(
        self,
        folder: Path,
        parameters: Mapping[str, Value],
        *,
        objectives: tuple[str, ...] = ("eval_loss",),
        stage: str = "search",
        seed: int = 1,
    ) -> None:
        order = Order(
            study="tiny",
            seed=seed,
            stage=stage,
            objectives=objectives,
            resume=True,
            parameters=parameters,
        )
        super().__init__(
            Environment(
                order=order,
                checkpoint_dir=folder / "checkpoint",
                metrics_host="127.0.0.1",
                metrics_port=None,
                result_file=folder / "result.json",
            )
        )
        self.folder = folder
        self.reports: list[tuple[float, dict[str, float]]] = []
        self.exit_code = 0

    def report(self, step: float | None = None, **metrics: float) -> None:
        super().report(step, **metrics)
        self.reports.append((self._live.step or 0, dict(metrics)))

    @property
    def result(self) -> dict[str, Any]:
        """The trial's last word."""
        return dict(json.loads((self.folder / "result.json").read_text()))

    def values(self, name: str) -> list[float]:
        """All that was reported under a name, in order."""
        return [metrics[name] for _, metrics in self.reports if name in metrics]


def run(recipe: str, trial: Recorded) -> Recorded:
    """Runs a recipe as `kubetune-trainer` does; its exit code is kept."""
    train = import_module(f"kubetune_trainer.recipes.{recipe.replace('-', '_')}").train
    try:
        with trial:
            train(trial)
    except SystemExit as left:
        trial.exit_code = int(left.code or 0)
    return trial
