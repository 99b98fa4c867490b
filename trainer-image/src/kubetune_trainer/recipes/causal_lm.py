"""A language model learns to answer: full fine-tuning or LoRA.

Any `AutoModelForCausalLM` of a hub or a folder. The data are JSON lines, each an object with
`messages` as in a chat, or with `prompt` and `completion`; only the last answer is learned. Without
`eval_data` a tenth of `train_data` is set apart, the same one for every trial of a study. What is
held back for the end, `test_data`, is opened in the held-out stage alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import nn

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.language import dialogues
from kubetune_trainer.language.answers import Judge
from kubetune_trainer.language.dialogues import Dialogue, Encoded
from kubetune_trainer.language.evaluation import Evaluator, LocalEvaluator, Sample, summed_loss
from kubetune_trainer.main import run
from kubetune_trainer.training.built import Built, Judged
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.fit import fit
from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.task import Batch

SPLIT_SEED = 20_170_612
EVALUATION_SHARE = 0.1

JUDGED = Judged(
    watched="eval_loss",
    known=("eval_loss", "eval_accuracy", "inference_seconds"),
    higher=("eval_accuracy",),
    unit="tokens",
)

PLAIN = {"lora_dropout": 0.0, "weight_decay": 0.0}
"""What keeps a model from learning by heart, switched off."""


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """What may be tuned, beside what every training has.

    `model` is a folder, or a name on the hub. `lora_targets` are names of layers, comma between
    them, or `all-linear`. Of longer dialogues the first `max_length` tokens are kept. At each
    evaluation the loss is taken on `eval_samples` dialogues, 0 for all, and answers of at most
    `max_new_tokens` are generated to `generated_samples` of them. `answer_pattern` is a regular
    expression that finds the answer in a text.
    """

    model: str
    train_data: str
    eval_data: str = ""
    test_data: str = ""
    method: Literal["full", "lora"] = "lora"
    lora_rank: int = 16
    lora_alpha: float = 32.0
    lora_dropout: float = 0.0
    lora_targets: str = "all-linear"
    gradient_checkpointing: bool = False
    max_length: int = 1024
    eval_samples: int = 0
    eval_batch_size: int = 8
    generated_samples: int = 0
    max_new_tokens: int = 64
    answer_pattern: str = ""

    POSITIVE: ClassVar[tuple[str, ...]] = (
        *TrainingConfig.POSITIVE,
        "lora_rank",
        "max_length",
        "eval_batch_size",
        "max_new_tokens",
    )
    NOT_NEGATIVE: ClassVar[tuple[str, ...]] = (
        *TrainingConfig.NOT_NEGATIVE,
        "lora_alpha",
        "eval_samples",
        "generated_samples",
    )
    SHARES: ClassVar[tuple[str, ...]] = (*TrainingConfig.SHARES, "lora_dropout")


@dataclass(frozen=True, slots=True)
class Base:
    """A model as it was loaded, and its tokenizer. A worker may keep it for many trials."""

    model: Any
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained and evaluated with."""

    train: Sequence[Encoded]
    evaluation: Sample
    test: Callable[[], Sample] | None


def train(trial: Trial) -> None:
    """Trains one configuration; reports its losses, and at each evaluation what it answers."""
    fit(trial, Config, build)


def build(config: Config, seed: int, device: Device, artifacts: Path | None) -> Built:
    """The model and its data; random weights follow from torch's generator, as it was seeded."""
    del seed, artifacts
    base = load(config, device)
    data = load_data(config, base.tokenizer)
    model = prepare(base, config)
    group = Group(
        name="model",
        parameters=[each for each in model.parameters() if each.requires_grad],
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    task = AnswerTask(model, base.tokenizer, data, LocalEvaluator(base.tokenizer, device))
    return Built(task=task, groups=(group,), judged=JUDGED)


def load(config: Config, device: Device) -> Base:
    """The model on its device, and the tokenizer.

    A model that is only added to (LoRA) is kept in the type that is computed in; one that is
    trained as a whole in fp32.

    Raises:
        BadConfiguration: there is no such model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - seconds

    dtype = device.dtype if config.method == "lora" else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model)
        model: Any = AutoModelForCausalLM.from_pretrained(config.model, dtype=dtype)
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"model: {config.model}: {error}") from error
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        words = f"its tokenizer has {len(tokenizer)} tokens, the model knows {rows}"
        raise BadConfiguration(f"model: {config.model}: {words}")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Base(model.to(device.torch_device), tokenizer)


def prepare(base: Base, config: Config) -> nn.Module:
    """The model as this trial trains it; seeded by whoever calls.

    Raises:
        BadConfiguration: the model has no layers of those names.
    """
    model = base.model
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    if config.method == "full":
        model.requires_grad_(requires_grad=True)
        found: nn.Module = model
        return found
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415 - seconds

    names = [name.strip() for name in config.lora_targets.split(",") if name.strip()]
    targets: Any = "all-linear" if names == ["all-linear"] else names
    try:
        wrapped: nn.Module = get_peft_model(
            model,
            LoraConfig(
                r=config.lora_rank,
                lora_alpha=cast("int", config.lora_alpha),
                lora_dropout=config.lora_dropout,
                target_modules=targets,
                task_type="CAUSAL_LM",
            ),
        )
    except ValueError as error:
        raise BadConfiguration(f"lora_targets: {config.lora_targets}: {error}") from error
    return wrapped


def load_data(config: Config, tokenizer: Any) -> Data:
    """Reads and tokenizes the data; the held-back ones not before they are asked for.

    Raises:
        BadConfiguration: what is wrong with the files, or no example has a target left.
    """
    judge = Judge(config.answer_pattern)
    found = dialogues.read(Path(config.train_data))
    if config.eval_data:
        apart = dialogues.read(Path(config.eval_data))
    else:
        found, apart = split(found)
    train_set = _encoded(found, tokenizer, config, config.train_data)[1]

    def sample(given: Sequence[Dialogue], path: str, most: int) -> Sample:
        kept, encoded = _encoded(given, tokenizer, config, path)
        most = most or len(kept)
        return Sample(
            dialogues=kept[:most],
            encoded=encoded[:most],
            judge=judge,
            generated=min(config.generated_samples, most, len(kept)),
            new_tokens=config.max_new_tokens,
            batch_size=config.eval_batch_size,
        )

    def test() -> Sample:
        return sample(dialogues.read(Path(config.test_data)), config.test_data, 0)

    evaluation = sample(apart, config.eval_data or config.train_data, config.eval_samples)
    return Data(train_set, evaluation, test if config.test_data else None)


def split(found: Sequence[Dialogue]) -> tuple[list[Dialogue], list[Dialogue]]:
    """To train with, and a tenth to compare trials by: always the same one."""
    size = max(1, round(len(found) * EVALUATION_SHARE))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(found)).tolist()
    return [found[index] for index in sorted(order[size:])], [found[i] for i in order[:size]]


def _encoded(
    given: Sequence[Dialogue], tokenizer: Any, config: Config, path: str
) -> tuple[list[Dialogue], list[Encoded]]:
    """Those with a target left after the cut."""
    pairs = [(each, dialogues.encode(each, tokenizer, config.max_length)) for each in given]
    kept = [(dialogue, encoded) for dialogue, encoded in pairs if encoded.targets]
    if not kept:
        words = f"max_length: {config.max_length} leaves no answer of {path}, write more"
        raise BadConfiguration(words)
    return [dialogue for dialogue, _ in kept], [encoded for _, encoded in kept]


class AnswerTask:
    """The loop's view of a language model and its data."""

    def __init__(self, model: nn.Module, tokenizer: Any, data: Data, evaluator: Evaluator) -> None:
        self.module = model
        self.counters: dict[str, float] = {}
        self._tokenizer = tokenizer
        self._data = data
        self._evaluator = evaluator

    @property
    def length(self) -> int:
        """Dialogues to train with."""
        return len(self._data.train)

    def collate(self, examples: Sequence[tuple[int, int]]) -> Batch:
        """Tokens of the dialogues, filled up to the longest."""
        encoded = [self._data.train[index] for index, _ in examples]
        return dialogues.padded(encoded, self._tokenizer.pad_token_id)

    def targets(self, batch: Batch) -> float:
        """Tokens of answers."""
        return float((batch["labels"][:, 1:] != dialogues.IGNORED).sum())

    def loss(self, module: nn.Module, batch: Batch) -> torch.Tensor:
        """Cross-entropy, summed over the answers' tokens."""
        return summed_loss(module, batch)

    def evaluate(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """As the evaluator measures it."""
        return self._evaluator.evaluate(self.module, self._data.evaluation, stop)

    def test(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """The same metrics on held-back dialogues, by names that begin with `test_`."""
        if self._data.test is None:
            return {}
        metrics = self._evaluator.evaluate(self.module, self._data.test(), stop)
        if metrics is None:
            return None
        return {f"test_{name.removeprefix('eval_')}": value for name, value in metrics.items()}

    def keep(self, folder: Path) -> None:
        """Weights, or the adapter's, with the tokenizer: as `from_pretrained` loads them."""
        self.module.save_pretrained(folder)  # type: ignore[operator]  # of transformers or peft
        self._tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    run(train)
