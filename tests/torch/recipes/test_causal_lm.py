"""A language model learns to answer: on a tiny one, through the recipe as it is run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from kubetune_trainer.language import evaluation
from kubetune_trainer.recipes import causal_lm
from tests.torch.recorded import Recorded, run
from tests.torch.training.toy import comparable, terminate

GOLDEN = [5.6782, 5.5264, 5.4754, 5.5728]


@pytest.fixture
def given(tiny_lm, definitions):
    """Four steps of two batches of four; dropout is on."""
    return {
        "model": str(tiny_lm),
        "train_data": str(definitions / "train.jsonl"),
        "eval_data": str(definitions / "eval.jsonl"),
        "max_steps": 4,
        "batch_size": 4,
        "gradient_accumulation_steps": 2,
        "learning_rate": 3e-3,
        "lora_rank": 4,
        "lora_dropout": 0.1,
        "eval_samples": 6,
        "evaluate_every": 2,
        "log_every": 1,
        "precision": "fp32",
    }


def trained(folder, given, **more):
    """One attempt of a trial."""
    folder.mkdir(exist_ok=True)
    keywords = {name: more.pop(name) for name in ("stage",) if name in more}
    return run("causal-lm", Recorded(folder, {**given, **more}, **keywords))


def refused(folder, given, **more):
    """What is wrong with a configuration that is never tried again."""
    trial = trained(folder, given, **more)
    assert (trial.exit_code, trial.result["reason"]) == (64, "BadConfiguration")
    return trial.result["message"]


def loss_of(model, folder, given):
    """The loss on the evaluation's dialogues of a model that was loaded from files."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = causal_lm.Config(**given)
    sample = causal_lm.load_data(config, tokenizer, 512).evaluation
    device = causal_lm.Device(torch.device("cpu"), torch.float32)
    evaluator = evaluation.LocalEvaluator(tokenizer, device)
    return evaluator.evaluate(model.eval(), sample, lambda: False)["eval_loss"]


def test_golden_losses(tmp_path, given):
    """The losses of a seed, as far as other processors make the same tiny model; it learns."""
    trial = trained(tmp_path, given)
    assert trial.values("train_loss") == pytest.approx(GOLDEN, rel=2e-2)
    untouched, first, last = trial.values("eval_loss")
    assert last < first < untouched
    assert trial.result["state"] == "Complete"


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_stopped_trial_goes_on_as_if_nothing_had_been(tmp_path, given, method, monkeypatch):
    """SIGTERM within an epoch's step, and within an evaluation: the same losses, bit by bit."""
    given = {**given, "method": method, "gradient_checkpointing": True, "eval_batch_size": 3}
    whole = trained(tmp_path / "whole", given)
    loss, calls = evaluation.summed_loss, [0]

    def counted(model, batch):
        calls[0] += 1
        if calls[0] in {7, 11}:
            terminate()
        return loss(model, batch)

    monkeypatch.setattr(evaluation, "summed_loss", counted)
    monkeypatch.setattr(causal_lm, "summed_loss", counted)
    attempts = [trained(tmp_path / "parts", given)]
    while attempts[-1].exit_code == 143:
        attempts.append(trained(tmp_path / "parts", given))
    assert len(attempts) == 3
    assert attempts[-1].exit_code == 0
    parts = [report for attempt in attempts for report in comparable(attempt)]
    assert parts == comparable(whole)


def test_several_batches_weigh_as_one(tmp_path, given):
    """Answers of all lengths: four batches of two have the loss and gradient of one of eight."""
    given = {**given, "max_steps": 1, "lora_dropout": 0.0}
    one = trained(tmp_path / "a", given, batch_size=8, gradient_accumulation_steps=1)
    four = trained(tmp_path / "b", given, batch_size=2, gradient_accumulation_steps=4)
    for name in ("train_loss", "gradient_norm"):
        assert one.values(name) == pytest.approx(four.values(name), rel=1e-4)


def test_gradient_checkpointing_changes_no_loss(tmp_path, given):
    """It costs time and saves memory, with dropout too."""
    plain = trained(tmp_path / "a", given, max_steps=2)
    saving = trained(tmp_path / "b", given, max_steps=2, gradient_checkpointing=True)
    assert saving.values("train_loss") == pytest.approx(plain.values("train_loss"), rel=1e-6)
    assert saving.values("eval_loss") == pytest.approx(plain.values("eval_loss"), rel=1e-6)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_half_precision(tmp_path, given, method):
    """bf16 trains to about the losses of fp32, and what is trained stays in fp32."""
    plain = trained(tmp_path / "a", given, max_steps=2, method=method)
    half = trained(tmp_path / "b", given, max_steps=2, method=method, precision="bf16")
    assert half.values("train_loss") == pytest.approx(plain.values("train_loss"), rel=0.02)
    assert half.values("train_loss") != plain.values("train_loss")
    (checkpoint,) = (tmp_path / "b/checkpoint").glob("step-*")
    kept = load_file(checkpoint / "trained.safetensors")
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32}


def test_an_adapter_loads_back(tmp_path, given, tiny_lm):
    """The best adapter on its base model has the loss that was reported."""
    trial = trained(tmp_path, given, lora_targets="q_proj, v_proj")
    best = tmp_path / "checkpoint/artifacts/best"
    base = AutoModelForCausalLM.from_pretrained(tiny_lm, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, best)
    assert {name.split(".")[-4] for name, _ in model.named_parameters() if "lora_A" in name} == {
        "q_proj",
        "v_proj",
    }
    assert loss_of(model, best, given) == pytest.approx(min(trial.values("eval_loss")), rel=1e-6)


def test_a_whole_model_loads_back(tmp_path, given):
    """Full fine-tuning, with a head that shares the embeddings' weights."""
    trial = trained(tmp_path, given, method="full", max_steps=2)
    best = tmp_path / "checkpoint/artifacts/best"
    model = AutoModelForCausalLM.from_pretrained(best, dtype=torch.float32)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert loss_of(model, best, given) == pytest.approx(min(trial.values("eval_loss")), rel=1e-6)
    (checkpoint,) = (tmp_path / "checkpoint").glob("step-*")
    assert "lm_head.weight" not in load_file(checkpoint / "trained.safetensors")


def test_answers_are_generated(tmp_path, given):
    """Each evaluation sorts answers and says what one took."""
    more = {"generated_samples": 4, "max_new_tokens": 4, "answer_pattern": r"\w+"}
    trial = trained(tmp_path, given, max_steps=2, **more)
    metrics = trial.reports[-1][1]
    shares = ("eval_accuracy", "eval_wrong_share", "eval_format_failure_share")
    assert sum(metrics[name] for name in shares) == pytest.approx(1)
    assert metrics["inference_seconds"] > 0
    assert trial.values("tokens_per_second")


def test_an_evaluation_on_another_device(tmp_path, given):
    """A copy with the weights of that moment: the same metrics, and training is left alone."""
    more = {"generated_samples": 4, "max_new_tokens": 4, "max_steps": 2}
    for method in ("lora", "full"):
        here = trained(tmp_path / f"{method}-a", given, method=method, **more)
        apart = trained(tmp_path / f"{method}-b", given, method=method, eval_device="cpu", **more)
        assert len(set(apart.values("eval_loss"))) == 2
        for name in ("train_loss", "eval_loss", "eval_accuracy"):
            assert apart.values(name) == here.values(name)


def test_a_device_that_is_not_there(tmp_path, given):
    """It is named, with what there is."""
    message = refused(tmp_path, given, eval_device="cuda:7")
    assert message.startswith("eval_device: there is no cuda:7, the trial has ")


def test_four_bits_a_weight(tmp_path, given):
    """The model under a LoRA is packed, learns and loads back; a whole one cannot be trained so."""
    packed = trained(tmp_path / "a", given, quantization="nf4")
    untouched, *_, last = packed.values("eval_loss")
    assert last < untouched
    plain = trained(tmp_path / "b", given, max_steps=2)
    assert packed.values("train_loss")[0] == pytest.approx(plain.values("train_loss")[0], rel=0.05)
    assert packed.values("train_loss")[0] != plain.values("train_loss")[0]
    assert (tmp_path / "a/checkpoint/artifacts/best/adapter_model.safetensors").exists()
    message = refused(tmp_path / "c", given, quantization="nf4", method="full")
    assert message == "quantization: nf4 is for lora, write none"


def test_some_of_the_training_data(tmp_path, given):
    """The first so many dialogues: two batches of four of them are an epoch."""
    trial = trained(tmp_path, given, train_samples=8, max_steps=1)
    assert trial.values("epoch") == [1.0]


def test_held_back_data_are_opened_at_the_end(tmp_path, given, definitions):
    """A search does not look at them, not even whether they are there; the last stage does."""
    given = {**given, "max_steps": 2}
    absent = str(tmp_path / "absent.jsonl")
    assert trained(tmp_path / "a", given, test_data=absent).exit_code == 0
    wrong = trained(tmp_path / "b", given, test_data=absent, stage="heldout")
    assert "absent.jsonl: No such file" in wrong.result["message"]
    test_data = str(definitions / "test.jsonl")
    trial = trained(tmp_path / "c", given, test_data=test_data, stage="heldout")
    assert trial.reports[-1][1].keys() == {"test_loss"}


def test_a_tenth_is_set_apart(tmp_path, given, definitions):
    """Without data to evaluate with a tenth of the training data is, always the same."""
    lines = (definitions / "train.jsonl").read_text().splitlines()[:30]
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(lines))
    given = {**given, "train_data": str(path), "eval_data": "", "max_steps": 1}
    seen = [trained(tmp_path / name, given) for name in "ab"]
    assert seen[0].values("eval_loss") == seen[1].values("eval_loss")
    assert seen[0].values("epoch") == [pytest.approx(1 / 4)]
    path.write_text(lines[0])
    assert "one line cannot be split, write eval_data" in refused(tmp_path / "c", given)


def test_faults_in_the_data(tmp_path, given):
    """A truncated line and a missing column: both are named at once, with their lines."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": "c"}\n{"prompt": "d", "comp')
    message = refused(tmp_path, given, train_data=str(path))
    assert f"{path}:2: text in completion is missing" in message
    assert f"{path}:3: no JSON" in message


def test_what_is_cut_is_said(tmp_path, given, capfd):
    """How many dialogues reach the length, and how many have nothing left to learn."""
    trained(tmp_path / "a", given, max_length=24, max_steps=1)
    said = capfd.readouterr().err
    assert "dialogues fill 24 tokens and may be cut" in said
    assert "have no answer within 24 tokens: left out" in said
    assert "max_length: 4 leaves no answer of" in refused(tmp_path / "b", given, max_length=4)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ("q_proj,query", "no layer is named query; write all-linear or of down_proj, gate_proj"),
        ("proj", "no layer is named proj;"),
        (" , ", "nothing is named;"),
    ],
)
def test_layers_that_are_not_there(tmp_path, given, targets, words):
    """A name that no layer has is refused, beside good ones too; those that there are, are told."""
    assert words in refused(tmp_path, given, lora_targets=targets)


def broken_models(source: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """Folders that are no model, and what is said of each."""
    yield folder / "absent", "there is no such folder"

    def copied(name: str) -> Path:
        return Path(shutil.copytree(source, folder / name))

    grown = copied("grown")
    tokenizer = AutoTokenizer.from_pretrained(source)
    tokenizer.add_tokens([f"<extra-{number}>" for number in range(50)])
    tokenizer.save_pretrained(grown)
    yield grown, "its tokenizer has 1074 tokens, the model knows 1024"
    partial = copied("partial")
    weights = load_file(partial / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, partial / "model.safetensors", metadata={"format": "pt"})
    yield partial, "1 of its weights are missing, such as model.layers.1.mlp.up_proj.weight"
    torn = copied("torn")
    (torn / "model.safetensors").write_bytes((torn / "model.safetensors").read_bytes()[:1000])
    yield torn, "Error while deserializing header"
    nameless = copied("nameless")
    (nameless / "config.json").write_text("{}")
    yield nameless, "model_type"


def test_models_that_are_none(tmp_path, given, tiny_lm):
    """No folder, too many tokens, weights that are missing or torn: never trained with."""
    for folder, words in broken_models(tiny_lm, tmp_path):
        message = refused(tmp_path / "trial", given, model=str(folder))
        assert message.startswith(f"model: {folder}: ")
        assert words in message


def test_an_adapter_that_no_memory_holds(tmp_path, given):
    """An allocation that cannot be met, while the model is made: 70, and how much it was."""
    trial = trained(tmp_path, given, lora_rank=10**12)
    assert (trial.exit_code, trial.result["reason"]) == (70, "OutOfMemory")
    assert trial.result["message"].startswith("loading model and data: ")
    assert "256000000000000 bytes" in trial.result["message"]


def test_what_is_missing_is_named(tmp_path):
    """All of it at once, with what to write."""
    words = "model: missing, write a text; train_data: missing, write a text"
    assert refused(tmp_path, {}) == words
