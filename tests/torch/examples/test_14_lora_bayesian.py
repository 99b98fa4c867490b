"""14-lora-bayesian: its course at full size on reckoned losses, and small by its README."""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.integration.following import EXAMPLES, follow
from tests.integration.scripted import Scripted

EXAMPLE = "14-lora-bayesian"
SECONDS = 1500
HAND_MADE = {"lora_rank": 16, "lora_alpha": 32, "learning_rate": 2e-4, "batch_size": 1}
KNOWN_LOSS = 0.6097
LINE = re.compile(
    r"trial (\d+) Complete: eval_loss (\S+), (BEST|IMPROVED|WORSE) "
    r"\(baseline 0\.6097, ([+-]\d+\.\d) %\)"
)
ROWS = 16_384
"""Of the embeddings: a step takes 100 MiB for each example of 512 tokens."""

MORE_MEBIBYTES = 300
"""Too little for 4 examples, enough for 2."""

pytestmark = pytest.mark.timeout(2 * SECONDS)


def completed(said):
    """Number, loss, word and percentage of every line on a trial that completed."""
    lines = [line for line in said.splitlines() if " Complete: " in line]
    return [LINE.search(line) for line in lines]


def check_lines(matches):
    """Each line says BEST, IMPROVED or WORSE as the losses are, and by how much."""
    for match in matches:
        loss, word, gain = float(match[2]), match[3], float(match[4])
        assert gain == pytest.approx(100 * (KNOWN_LOSS - loss) / KNOWN_LOSS, abs=0.1)
        assert (word == "WORSE") == (loss > KNOWN_LOSS)


def test_the_course_at_full_size(tmp_path):
    """The baseline first, each line against it, the constraint kept, the guard, more trials later.

    Twenty trials find one that is better by more than 2 %.
    """
    study = Scripted(EXAMPLE, "finetuning.py", tmp_path)
    said = study.run()
    first, *rest = completed(said.replace("BEST\n", "BEST (baseline 0.6097, +0.0 %)\n"))
    assert (first[1], first[2], first[3]) == ("0", "0.6097", "BEST")
    check_lines(rest)
    assert {match[3] for match in rest} == {"BEST", "IMPROVED", "WORSE"}
    trials = study.trials()
    assert len(trials) == 20
    assert {name: trials[0].parameters[name] for name in HAND_MADE} == HAND_MADE
    late = [trial for trial in trials if trial.state is TrialState.PRUNED]
    assert late
    for trial in late:
        assert trial.outcome
        assert trial.outcome.reason is TrialReason.GUARD_TRIPPED
        assert trial.curve[-1].step == 4
        assert trial.curve[-1].metrics["eval_loss"] > 0.7
    assert study.results()["improvement"] > 0.02

    more = study.run("--trials", "24")
    assert "going on with 20 trials" in more
    check_lines(completed(more))
    assert study.trials()[:20] == trials
    assert len(study.trials()) == 24
    for trial in study.trials():
        given = trial.parameters
        assert given["lora_rank"] * given["batch_size"] <= 128
        assert given["gradient_accumulation_steps"] * given["batch_size"] == 4


def test_two_objectives_at_full_size(tmp_path):
    """A low loss and quick answers: the front has both ends, none of it beaten in both."""
    patch = EXAMPLES / EXAMPLE / "two-objectives.yaml"
    study = Scripted(EXAMPLE, "finetuning.py", tmp_path, trials={"max": 12}, patches=(patch,))
    study.run()
    results = study.results()
    values = {each["number"]: each["values"] for each in results["trials"]}
    front = [values[number] for number in results["paretoFront"]]
    pairs = [(each["eval_loss"], each["inference_seconds"]) for each in front]
    assert len(pairs) >= 2
    assert not any(a < c and b < d for a, b in pairs for c, d in pairs)


def test_small(tmp_path, beside, tiny_lm, definitions):
    """By the README: to the end, on with more trials, trained again, and with two objectives."""
    folder = beside(EXAMPLE, {"lm": tiny_lm, "definitions": definitions})
    *_, ran, more, trained, two = follow(EXAMPLE, tmp_path, seconds=SECONDS)
    trials = json.loads((folder / "runs/lora/results.json").read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["Complete"] * 6
    assert {name: trials[0]["parameters"][name] for name in HAND_MADE} == HAND_MADE
    for said, count in ((ran, 4), (more, 2)):
        lines = [line for line in said.splitlines() if " Complete: " in line]
        assert len(lines) == count
        against = [line for line in lines if "trial 0 " not in line]
        assert all(re.search(r"(BEST|IMPROVED|WORSE) \(baseline \S+, \S+ %\)", x) for x in against)
    assert "going on with 4 trials" in more
    assert "test_loss" in trained
    assert re.search(r"^step 111 ", trained, re.MULTILINE), "three epochs of 37 steps"
    assert (folder / "models/lora/best/adapter_model.safetensors").exists()
    results = json.loads((folder / "runs/two/results.json").read_text())
    assert all(len(trial["values"]) == 2 for trial in results["trials"])
    assert "Pareto" in two


@pytest.fixture
def wide_lm(tmp_path, tiny_lm):
    """The tiny model with so many rows of embeddings that a batch takes hundreds of MiB."""
    folder = tmp_path / "wide"
    model = AutoModelForCausalLM.from_pretrained(tiny_lm, dtype=torch.float32)
    model.resize_token_embeddings(ROWS, mean_resizing=False)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_lm).save_pretrained(folder)
    return folder


def test_out_of_memory(tmp_path, wide_lm):
    """Torch cannot have the memory for a batch of 4: the next attempt has 2, and accumulates 2."""
    line = json.dumps({"prompt": "all of them\n", "completion": "word " * 600})
    (tmp_path / "long.jsonl").write_text(f"{line}\n" * 8)
    data = str(tmp_path / "long.jsonl")
    program = str(Path(__file__).parents[1] / "programs/little_memory.py")
    study = Scripted(
        EXAMPLE,
        "finetuning.py",
        tmp_path,
        command=[sys.executable, program, str(MORE_MEBIBYTES)],
        fixed={
            "model": str(wide_lm),
            "train_data": data,
            "eval_data": data,
            "max_length": 512,
            "train_samples": 4,
            "eval_samples": 1,
            "eval_batch_size": 1,
            "quantization": "none",
            "gradient_checkpointing": False,
            "worst_loss": 100.0,
        },
        initialTrials=[{"name": "large", "parameters": {**HAND_MADE, "batch_size": 4}}],
        trials={"max": 1},
    )
    said = study.run()
    changes = "gradient_accumulation_steps 1 -> 2, batch_size 4 -> 2"
    assert any(each in said for each in (changes, ", ".join(reversed(changes.split(", ")))))
    (trial,) = study.trials()
    assert (trial.state, trial.attempt, trial.out_of_memory) == (TrialState.COMPLETE, 2, 1)
    assert (trial.parameters["batch_size"], trial.parameters["gradient_accumulation_steps"]) == (
        2,
        2,
    )
    assert "can't allocate memory" in (study.folder / "trials/0/stdout.log").read_text()
