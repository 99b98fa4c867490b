"""A language model learns to answer: full fine-tuning or LoRA.

Any `AutoModelForCausalLM` of a hub or a folder. The data are JSON lines, each an object with
`messages` as in a chat, or with `prompt` and `completion`; only the last answer is learned. Without
`eval_data` a tenth of `train_data` is set apart, the same one for every trial of a study. What is
held back for the end, `test_data`, is opened in the held-out stage alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, cast

import numpy as np
import torch
from safetensors import SafetensorError
from torch import nn

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.language import dialogues
from kubetune_trainer.language.answers import Judge
from kubetune_trainer.language.dialogues import Dialogue, Encoded
from kubetune_trainer.language.evaluation import (
    CopyEvaluator,
    Evaluator,
    LocalEvaluator,
    Sample,
    summed_loss,
)
from kubetune_trainer.main import run
from kubetune_trainer.training import devices
from kubetune_trainer.training.built import Built, Judged
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.fit import fit
from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.task import Batch

Pair: TypeAlias = tuple[Dialogue, Encoded]

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
    them, or `all-linear`. With `quantization` nf4 the model under a LoRA is kept in 4 bits a
    weight (Dettmers et al. 2023). Of longer dialogues the first `max_length` tokens are kept, and
    the first `train_samples` dialogues are trained with, 0 for all. At each evaluation the loss is
    taken on `eval_samples` dialogues, 0 for all, and answers of at most `max_new_tokens` are
    generated to `generated_samples` of them. `answer_pattern` is a regular expression that finds
    the answer in a text. `eval_device`, such as cuda:1, holds a copy of the model that is evaluated
    there, so that answers take no memory where the training is, which waits meanwhile.
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
    quantization: Literal["none", "nf4"] = "none"
    gradient_checkpointing: bool = False
    max_length: int = 1024
    train_samples: int = 0
    eval_samples: int = 0
    eval_batch_size: int = 8
    generated_samples: int = 0
    max_new_tokens: int = 64
    answer_pattern: str = ""
    eval_device: str = ""

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
        "train_samples",
        "eval_samples",
        "generated_samples",
    )
    SHARES: ClassVar[tuple[str, ...]] = (*TrainingConfig.SHARES, "lora_dropout")

    def faults(self) -> list[str]:
        """What is wrong, a sentence for each field."""
        found = super().faults()
        if self.quantization != "none" and self.method == "full":
            found.append(f"quantization: {self.quantization} is for lora, write none")
        return found


@dataclass(frozen=True, slots=True)
class Base:
    """A model as it was loaded, and its tokenizer. A worker may keep it for many trials."""

    model: Any
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained and evaluated with. `notes` say in words what of it was cut."""

    train: Sequence[Encoded]
    evaluation: Sample
    test: Callable[[], Sample] | None
    notes: tuple[str, ...] = ()


def train(trial: Trial) -> None:
    """Trains one configuration; reports its losses, and at each evaluation what it answers."""
    fit(trial, Config, build)


def build(config: Config, seed: int, device: Device, artifacts: Path | None) -> Built:
    """The model and its data; random weights follow from torch's generator, as it was seeded."""
    del seed, artifacts
    base = load(config, device)
    data = load_data(config, base.tokenizer, _longest(base.model, config.max_length))
    model = prepare(base, config)
    group = Group(
        name="model",
        parameters=[each for each in model.parameters() if each.requires_grad],
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    task = AnswerTask(model, base.tokenizer, data, _evaluator(config, model, base, device))
    return Built(task=task, groups=(group,), judged=JUDGED, notes=data.notes)


def _evaluator(config: Config, model: nn.Module, base: Base, device: Device) -> Evaluator:
    """Evaluates where the training is, or a copy on a device of its own."""
    if not config.eval_device:
        return LocalEvaluator(base.tokenizer, device)
    apart = Device(devices.other(config.eval_device, "eval_device"), device.dtype)
    return CopyEvaluator(model, LocalEvaluator(base.tokenizer, apart), apart)


def load(config: Config, device: Device) -> Base:
    """The model on its device, and the tokenizer.

    A model that is only added to (LoRA) is kept in the type that is computed in, or in 4 bits;
    one that is trained as a whole in fp32.

    Raises:
        BadConfiguration: there is no such model, or not all of it.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - seconds

    dtype = device.dtype if config.method == "lora" else torch.float32
    if config.model.startswith(("/", ".")) and not Path(config.model).is_dir():
        raise BadConfiguration(f"model: {config.model}: there is no such folder")
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model)
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            config.model,
            dtype=dtype,
            quantization_config=_quantized(config, dtype),
            output_loading_info=True,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BadConfiguration(f"model: {config.model}: {error}") from error
    model, told = loaded
    if missing := sorted(told["missing_keys"]):
        words = f"{len(missing)} of its weights are missing, such as {missing[0]}"
        raise BadConfiguration(f"model: {config.model}: {words}")
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        words = f"its tokenizer has {len(tokenizer)} tokens, the model knows {rows}"
        raise BadConfiguration(f"model: {config.model}: {words}")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if config.quantization == "none":
        model = model.to(device.torch_device)  # else it was made there
    return Base(model, tokenizer)


def _quantized(config: Config, dtype: torch.dtype) -> Any:
    """How weights are packed; None for weights as they are."""
    if config.quantization == "none":
        return None
    from transformers import BitsAndBytesConfig  # noqa: PLC0415 - seconds

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=config.quantization,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def prepare(base: Base, config: Config) -> nn.Module:
    """The model as this trial trains it; seeded by whoever calls.

    Raises:
        BadConfiguration: the model has no layers of those names.
    """
    model = base.model
    if config.gradient_checkpointing:
        newer = getattr(model, "activation_checkpointing_enable", None)
        (newer or model.gradient_checkpointing_enable)({"use_reentrant": False})
    if config.method == "full":
        model.requires_grad_(requires_grad=True)
        found: nn.Module = model
        return found
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415 - seconds

    wrapped: nn.Module = get_peft_model(
        model,
        LoraConfig(
            r=config.lora_rank,
            lora_alpha=cast("int", config.lora_alpha),
            lora_dropout=config.lora_dropout,
            target_modules=_targets(model, config.lora_targets),
            task_type="CAUSAL_LM",
        ),
    )
    return wrapped


def _targets(model: nn.Module, asked: str) -> list[str] | str:
    """The layers that get an adapter, by the ends of their names.

    Raises:
        BadConfiguration: the model has no such layers; it is told which it has.
    """
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if names == ["all-linear"]:
        return "all-linear"
    layers = [name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    known = [name for name, _ in model.named_modules()]
    wrong = [name for name in names if not any(f".{each}".endswith(f".{name}") for each in known)]
    if wrong or not names:
        ends = ", ".join(sorted({name.rpartition(".")[2] for name in layers}))
        words = f"no layer is named {', '.join(wrong)}" if wrong else "nothing is named"
        raise BadConfiguration(f"lora_targets: {words}; write all-linear or of {ends}")
    return names


def load_data(config: Config, tokenizer: Any, max_length: int) -> Data:
    """Reads and tokenizes the data; the held-back ones not before they are asked for.

    Raises:
        BadConfiguration: what is wrong with the files, or no example has a target left.
    """
    judge = Judge(config.answer_pattern)
    found = dialogues.read(Path(config.train_data))
    if config.eval_data:
        apart = dialogues.read(Path(config.eval_data))
    elif len(found) > 1:
        found, apart = split(found)
    else:
        raise BadConfiguration(f"{config.train_data}: one line cannot be split, write eval_data")
    found = found[: config.train_samples or None]
    train_set = _encoded(found, tokenizer, max_length, config.train_data)

    def sample(given: Sequence[Dialogue], path: str, most: int) -> Sample:
        kept = _encoded(given, tokenizer, max_length, path)[: most or None]
        return Sample(
            dialogues=[dialogue for dialogue, _ in kept],
            encoded=[encoded for _, encoded in kept],
            judge=judge,
            generated=min(config.generated_samples, len(kept)),
            new_tokens=config.max_new_tokens,
            batch_size=config.eval_batch_size,
            filler=tokenizer.pad_token_id or 0,
        )

    return Data(
        train=[encoded for _, encoded in train_set],
        evaluation=sample(apart, config.eval_data or config.train_data, config.eval_samples),
        test=(lambda: sample(dialogues.read(Path(config.test_data)), config.test_data, 0))
        if config.test_data
        else None,
        notes=_cut(train_set, len(found), max_length),
    )


def _longest(model: Any, asked: int) -> int:
    """As many tokens as were asked for, or as the model has positions."""
    return min(asked, getattr(model.config, "max_position_embeddings", None) or asked)


def _cut(kept: Sequence[Pair], given: int, max_length: int) -> tuple[str, ...]:
    """What was lost of the training data, in words."""
    full = sum(len(encoded.ids) == max_length for _, encoded in kept)
    found = [f"{full} of {given} dialogues fill {max_length} tokens and may be cut"] if full else []
    if given > len(kept):
        words = f"{given - len(kept)} of {given} dialogues have no answer"
        found.append(f"{words} within {max_length} tokens: left out")
    return tuple(found)


def split(found: Sequence[Dialogue]) -> tuple[list[Dialogue], list[Dialogue]]:
    """To train with, and a tenth to compare trials by: always the same one."""
    size = max(1, round(len(found) * EVALUATION_SHARE))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(found)).tolist()
    return [found[index] for index in sorted(order[size:])], [found[i] for i in order[:size]]


def _encoded(given: Sequence[Dialogue], tokenizer: Any, max_length: int, path: str) -> list[Pair]:
    """Those with a target left after the cut."""
    found = dialogues.encode_all(given, tokenizer, max_length)
    kept = [pair for pair in zip(given, found, strict=True) if pair[1].targets]
    if not kept:
        raise BadConfiguration(f"max_length: {max_length} leaves no answer of {path}, write more")
    return kept


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
        return dialogues.padded(encoded, self._tokenizer.pad_token_id or 0)

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
