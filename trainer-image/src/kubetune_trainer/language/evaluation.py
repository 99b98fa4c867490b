"""How good a language model is: its loss on answers, and the answers that it gives itself."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from kubetune_trainer.language import answers, dialogues
from kubetune_trainer.language.answers import Judge, Verdict
from kubetune_trainer.language.dialogues import IGNORED, Dialogue, Encoded
from kubetune_trainer.training import state
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

    Answers are generated to the first `generated` of them, of at most `new_tokens` tokens each;
    `filler` fills rows up.
    """

    dialogues: Sequence[Dialogue]
    encoded: Sequence[Encoded]
    judge: Judge
    generated: int
    new_tokens: int
    batch_size: int
    filler: int = 0


class LocalEvaluator:
    """Evaluates where the training is, between its steps."""

    def __init__(self, tokenizer: Any, device: Device) -> None:
        self._tokenizer = tokenizer
        self._device = device

    def evaluate(
        self, model: Any, sample: Sample, stop: Callable[[], bool]
    ) -> Mapping[str, float] | None:
        """`eval_loss`, and of generated answers their shares and `inference_seconds` for each."""
        with torch.no_grad(), self._device.autocast():
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
            batch = dialogues.padded(examples, sample.filler)
            total += float(summed_loss(model, self._moved(batch)))
            targets += sum(example.targets for example in examples)
        return total / max(1, targets)

    def _generated(
        self, model: Any, sample: Sample, stop: Callable[[], bool]
    ) -> dict[str, float] | None:
        began = time.perf_counter()
        verdicts: list[Verdict] = []
        for at in range(0, sample.generated, sample.batch_size):
            if stop():
                return None
            rows = range(at, min(at + sample.batch_size, sample.generated))
            verdicts += self._answered(model, sample, rows)
        seconds = (time.perf_counter() - began) / sample.generated
        return {**answers.shares(verdicts), "inference_seconds": seconds}

    def _answered(self, model: Any, sample: Sample, rows: range) -> list[Verdict]:
        questions = [sample.encoded[row].question for row in rows]
        batch = self._moved(_left_padded(questions, sample.filler))
        ends = _ends(model, self._tokenizer)
        made = model.generate(**batch, generation_config=_greedy(sample, ends))
        answered = made[:, batch["input_ids"].shape[1] :].tolist()
        return [
            sample.judge.verdict(
                self._tokenizer.decode(tokens, skip_special_tokens=True),
                sample.dialogues[row].answer,
                ended=not ends.isdisjoint(tokens),
            )
            for row, tokens in zip(rows, answered, strict=True)
        ]

    def _moved(self, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor.to(self._device.torch_device) for name, tensor in batch.items()}


class CopyEvaluator:
    """Evaluates a copy on a device of its own: what it takes is not taken from the training.

    The copy is made once, and given what has been trained since before every evaluation.
    """

    def __init__(self, model: Any, evaluator: Evaluator, device: Device) -> None:
        self._evaluator = evaluator
        self._copy = copy.deepcopy(model).to(device.torch_device).eval()

    def evaluate(
        self, model: Any, sample: Sample, stop: Callable[[], bool]
    ) -> Mapping[str, float] | None:
        """The metrics of the copy."""
        state.load_trained(self._copy, state.trained(model))
        return self._evaluator.evaluate(self._copy, sample, stop)


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """The tokens that end an answer."""
    own = model.generation_config.eos_token_id
    listed = own if isinstance(own, list) else [own]
    return {token for token in (*listed, tokenizer.eos_token_id) if token is not None}


def _greedy(sample: Sample, ends: set[int]) -> Any:
    """Always the likeliest token, whatever the model's own settings are: comparable answers."""
    from transformers import GenerationConfig  # noqa: PLC0415 - seconds

    return GenerationConfig(
        max_new_tokens=sample.new_tokens,
        do_sample=False,
        num_beams=1,
        temperature=1.0,
        top_p=1.0,
        top_k=50,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        pad_token_id=sample.filler,
        eos_token_id=sorted(ends) or None,
    )


def _left_padded(rows: Sequence[Sequence[int]], filler: int) -> dict[str, torch.Tensor]:
    longest = max(map(len, rows))
    gaps = [longest - len(row) for row in rows]
    ids = [[filler] * gap + list(row) for gap, row in zip(gaps, rows, strict=True)]
    mask = [[0] * gap + [1] * len(row) for gap, row in zip(gaps, rows, strict=True)]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


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
