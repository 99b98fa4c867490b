"""The trainer's loop against one as people write it by hand: steps a second of the same training.

Both train in this process, same model, data and settings: before each step of ours the other one
makes one of its own. Ours reports, counts, seeds and looks for SIGTERM, as in a study. Seconds are
the processor's: neither waits for anything, and what else the machine does is left out.
"""

import contextlib
import copy
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from bench.table import Figure
from kubetune_trainer import Trial
from kubetune_trainer.language import dialogues
from kubetune_trainer.recipes import causal_lm, image_classifier
from kubetune_trainer.tiny import language
from kubetune_trainer.training.built import Built
from kubetune_trainer.training.fit import fit

WARMING_UP = 10
"""Steps at first that do not count."""

LARGER = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "layer_types": ["full_attention"] * 4,
}

COMMON = {"learning_rate": 1e-4, "lr_scheduler": "constant", "log_every": 10, "epochs": 1000}
LM = {**COMMON, "method": "full", "batch_size": 8, "precision": "fp32"}
IMAGES = {
    **COMMON,
    "model": "resnet18",
    "train_data": "digits",
    "image_size": 64,
    "batch_size": 8,
    "flip": 0.5,
    "crop_scale": 0.5,
    "precision": "fp32",
}


def figures(steps: int = 100) -> list[Figure]:
    """Means over so many steps of each recipe."""
    with tempfile.TemporaryDirectory() as folder:
        language.make_data(Path(folder))
        _enlarged(Path(folder, "model"))
        given = {**LM, "model": f"{folder}/model", "train_data": f"{folder}/train.jsonl"}
        return [
            _figure("causal-lm", causal_lm, given, _bare_language, steps),
            _figure("image-classifier", image_classifier, IMAGES, _bare_images, steps),
        ]


def _enlarged(folder: Path) -> None:
    """A model whose steps take as long as what is around them does not."""
    language.make_model(folder, steps=0)
    from transformers import AutoConfig, AutoModelForCausalLM

    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **LARGER}))
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)


class _Bare:
    """A loop as one writes it by hand."""

    def __init__(
        self, model: nn.Module, loader: Iterator[Any], loss: Callable[[nn.Module, Any], Any]
    ) -> None:
        self._model, self._loader, self._loss = model, loader, loss
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
        self._scheduler = torch.optim.lr_scheduler.ConstantLR(self._optimizer, 1.0)
        model.train()

    def step(self) -> None:
        loss = self._loss(self._model, next(self._loader))
        loss.backward()
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._scheduler.step()
        self._optimizer.zero_grad()


class _Alternating:
    """A recipe's task whose every step waits for one of the bare loop; both are timed."""

    def __init__(self, task: Any, bare: _Bare) -> None:
        self._task, self._bare = task, bare
        self.counters = task.counters
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self._began: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def collate(self, examples: Sequence[tuple[int, int]]) -> Any:
        self._ended()
        begin = time.process_time()
        self._bare.step()
        self._began = time.process_time()
        self.theirs.append(self._began - begin)
        return self._task.collate(examples)

    def evaluate(self, stop: Callable[[], bool]) -> dict[str, float]:
        del stop
        self._ended()
        return {"eval_loss": 0.0}

    def _ended(self) -> None:
        if self._began is not None:
            self.ours.append(time.process_time() - self._began)
        self._began = None


def _figure(
    name: str,
    recipe: Any,
    given: dict[str, Any],
    bare: Callable[[Any, nn.Module], _Bare],
    steps: int,
) -> Figure:
    found: list[_Alternating] = []

    def build(config: Any, *rest: Any) -> Built:
        made = recipe.build(config, *rest)
        found.append(_Alternating(made.task, bare(config, copy.deepcopy(made.task.module))))
        return replace(made, task=found[0])

    trial = Trial.from_environment({})
    trial.override({**given, "max_steps": WARMING_UP + steps})
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        fit(trial, recipe.Config, build)
    mine, other = (fmean(times[WARMING_UP:]) for times in (found[0].ours, found[0].theirs))
    return Figure(
        f"{name}: steps a second, against a bare loop",
        1 / mine,
        1 / other,
        0.95,
        "1/s",
        f"{other * 1000:.0f} ms a step, {steps} of each",
        at_least=True,
    )


def _bare_language(config: Any, model: nn.Module) -> _Bare:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(config.model)
    examples = causal_lm.load_data(config, tokenizer, config.max_length).train

    def collate(chosen: Sequence[Any]) -> dict[str, torch.Tensor]:
        ids = [torch.tensor(example.ids) for example in chosen]
        labels = [torch.tensor(example.labels) for example in chosen]
        return {
            "input_ids": pad_sequence(ids, batch_first=True),
            "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            "labels": pad_sequence(labels, batch_first=True, padding_value=dialogues.IGNORED),
        }

    loader = DataLoader(examples, config.batch_size, shuffle=True, collate_fn=collate)
    return _Bare(model, _endless(loader), lambda module, batch: module(**batch).loss)


def _bare_images(config: Any, model: nn.Module) -> _Bare:
    train = image_classifier.load_data(config).train
    shown = image_classifier.Shown(train, image_classifier.views(model, config).training)
    loader = DataLoader(shown, config.batch_size, shuffle=True)
    return _Bare(
        model,
        _endless(loader),
        lambda module, batch: nn.functional.cross_entropy(module(batch[0]), batch[1]),
    )


def _endless(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader
