"""How good a language model is: its loss on answers, and the answers that it gives itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from kubetune_trainer.language import answers, dialogues
from kubetune_trainer.language.answers import Judge, Verdict
from kubetune_trainer.language.dialogues import IGNORED, Dialogue, Encoded
from kubetune_trainer.training.devices import Device


class Evaluator(Protocol):
    """Measures a model. Another device or process may do it in the training's place."""

    def evaluate(
        self, model: Any, sample: "Sample", stop: Callable[[], bool]
    ) -> Mapping[str, float] | None:
        """The metrics of `model` on that sample; None when it was told to stop and broke off."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Dialogues that a model is measured on, and their tokens.

    Answers are generated to the first `generated` of them, of at most `new_tokens` tokens each.
    """

    dialogues: Sequence[Dialogue]
    encoded: Sequence[Encoded]
    judge: Judge
    generated: int
    new_tokens: int
    batch_size: int


class LocalEvaluator:
    """Evaluates where the training is, between its steps."""

    def __init__(self, tokenizer: Any, device: Device) -> None:
        self._tokenizer = tokenizer
        self._device = device

    def evaluate(
        self, model: Any, sample: Sample, stop: Callable[[], bool]
    ) -> Mapping[str, float] | None:
        """`eval_loss`, and of generated answers their shares and `inference_seconds` for each."""
        with torch.inference_mode(), self._device.autocast():
            loss = self._loss(model, sample, stop)
            if loss is None:
                return None
            metrics = {"eval_loss": loss}
            if sample.generated:
                generated = self._generated(model, sample, stop)
                if generated is None:
                    return None
                metrics |= generated
        return metrics

    def _loss(self, model: Any, sample: Sample, stop: Callable[[], bool]) -> float | None:
        total, targets = 0.0, 0
        for at in range(0, len(sample.encoded), sample.batch_size):
            if stop():
                return None
            examples = sample.encoded[at : at + sample.batch_size]
            batch = dialogues.padded(examples, self._tokenizer.pad_token_id)
            total += float(summed_loss(model, self._moved(batch)))
            targets += sum(example.targets for example in examples)
        return total / max(1, targets)

    def _generated(
        self, model: Any, sample: Sample, stop: Callable[[], bool]
    ) -> dict[str, float] | None:
        began = time.perf_counter()
        verdicts: list[Verdict] = []
        asked = sample.dialogues[: sample.generated]
        for at in range(0, len(asked), sample.batch_size):
            if stop():
                return None
            verdicts += self._answered(model, asked[at : at + sample.batch_size], sample)
        seconds = (time.perf_counter() - began) / len(asked)
        return {**answers.shares(verdicts), "inference_seconds": seconds}

    def _answered(self, model: Any, asked: Sequence[Dialogue], sample: Sample) -> list[Verdict]:
        tokenizer = self._tokenizer
        texts = [dialogues.question(each, tokenizer) for each in asked]
        batch = tokenizer(
            texts,
            return_tensors="pt",
            padding=True,
            padding_side="left",
            add_special_tokens=not asked[0].messages,
        )
        moved = self._moved({name: batch[name] for name in ("input_ids", "attention_mask")})
        made = model.generate(
            **moved,
            max_new_tokens=sample.new_tokens,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
        rows = made[:, moved["input_ids"].shape[1] :].tolist()
        return [
            sample.judge.verdict(
                tokenizer.decode(row, skip_special_tokens=True),
                dialogue.answer,
                ended=tokenizer.eos_token_id in row,
            )
            for row, dialogue in zip(rows, asked, strict=True)
        ]

    def _moved(self, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor.to(self._device.torch_device) for name, tensor in batch.items()}


def summed_loss(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The sum of the cross-entropies of a batch's targets, in fp32."""
    logits = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    ).logits
    return functional.cross_entropy(
        logits[:, :-1].float().flatten(0, 1),
        batch["labels"][:, 1:].flatten(),
        ignore_index=IGNORED,
        reduction="sum",
    )
