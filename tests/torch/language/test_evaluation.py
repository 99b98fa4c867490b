"""A model measured on a sample."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from kubetune_trainer.language import dialogues, evaluation
from kubetune_trainer.language.answers import Judge
from kubetune_trainer.language.evaluation import LocalEvaluator, Sample
from kubetune_trainer.training.devices import Device

CPU = Device(torch.device("cpu"), torch.float32)
NEW_TOKENS = 6


@pytest.fixture(scope="module")
def model(tiny_lm):
    return AutoModelForCausalLM.from_pretrained(tiny_lm, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_lm):
    return AutoTokenizer.from_pretrained(tiny_lm)


@pytest.fixture
def sample(definitions, tokenizer):
    """Five definitions of different lengths."""
    given = dialogues.read(definitions / "eval.jsonl")[:5]
    return Sample(
        dialogues=given,
        encoded=dialogues.encode_all(given, tokenizer, 256),
        judge=Judge("(?s)(.+)"),
        generated=4,
        new_tokens=NEW_TOKENS,
        batch_size=3,
        filler=tokenizer.pad_token_id,
    )


def greedy(model, tokenizer, ids):
    """What the model says to one question, by itself."""
    made = model.generate(input_ids=torch.tensor([ids]), max_new_tokens=NEW_TOKENS, do_sample=False)
    return tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True)


def never():
    return False


def test_loss_is_a_mean_over_all_targets(model, tokenizer, sample):
    """As transformers has it of each dialogue, weighted by its targets; in batches of any size."""
    expected, targets = 0.0, 0
    for each in sample.encoded:
        ids, labels = torch.tensor([each.ids]), torch.tensor([each.labels])
        expected += model(input_ids=ids, labels=labels).loss.item() * each.targets
        targets += each.targets
    evaluator = LocalEvaluator(tokenizer, CPU)
    for size in (1, 3, 5):
        given = replace(sample, batch_size=size, generated=0)
        metrics = evaluator.evaluate(model, given, never)
        assert metrics == {"eval_loss": pytest.approx(expected / targets, rel=1e-5)}


def test_answers_are_those_that_the_model_gives(model, tokenizer, sample):
    """Generated in batches as alone, always the likeliest, whatever the model's own settings."""
    evaluator = LocalEvaluator(tokenizer, CPU)
    said = [greedy(model, tokenizer, each.question) for each in sample.encoded]
    given = list(map(replace, sample.dialogues))
    known = [replace(each, answer=text) for each, text in zip(given, said, strict=True)]
    known[1] = replace(known[1], answer="something else")
    own = model.generation_config
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=3.0, repetition_penalty=5.0, eos_token_id=own.eos_token_id
    )
    metrics = evaluator.evaluate(model, replace(sample, dialogues=known), never)
    model.generation_config = own
    assert metrics is not None
    assert metrics["eval_accuracy"] == 0.75
    assert metrics["eval_wrong_share"] == 0.25
    assert metrics["inference_seconds"] > 0


def test_an_answer_without_an_end_is_none(model, tokenizer, sample):
    """Without a pattern an answer that was cut at its length is of no usable format."""
    metrics = LocalEvaluator(tokenizer, CPU).evaluate(
        model, replace(sample, judge=Judge(), new_tokens=1), never
    )
    assert metrics is not None
    assert metrics["eval_format_failure_share"] == 1


@pytest.mark.parametrize(
    ("own", "ends"), [(None, {2}), (5, {2, 5}), ([5, 6], {2, 5, 6}), ([], {2})]
)
def test_any_of_a_models_ends_counts(model, tokenizer, monkeypatch, own, ends):
    """Some models end an answer by other tokens than their tokenizer's own: those end it too."""
    monkeypatch.setattr(model, "generation_config", GenerationConfig(eos_token_id=own))
    assert tokenizer.eos_token_id == 2
    assert evaluation._ends(model, tokenizer) == ends


@pytest.mark.parametrize("asked", [1, 2, 3, 4])
def test_it_breaks_off_when_told_to(model, tokenizer, sample, asked):
    """Between batches of the loss and of the answers; nothing is told of what was not finished."""
    answers = iter([False] * (asked - 1) + [True])
    assert LocalEvaluator(tokenizer, CPU).evaluate(model, sample, lambda: next(answers)) is None
