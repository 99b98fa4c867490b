"""A study of real trainings: `kubetune run` with processes of its own, from start to end."""

import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from kubetune.domain.trial import TrialState
from tests.integration import tuner
from tests.integration.tuner import Workplace

LONG = 5000
"""Steps of a trial that is to be stopped: it would take minutes."""

STOPPED_AT = 16.0


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    monkeypatch.setattr(tuner, "WAIT_SECONDS", 800)
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def study(tiny_lm: Path, definitions: Path) -> dict[str, object]:
    """Three trials, one after the other; the second has a rate at which nothing is learned."""
    initial = [("good", 3e-3, 6), ("still", 1e-9, LONG), ("other", 1e-3, 6)]
    return {
        "objectives": [{"metric": "eval_loss", "direction": "Minimize"}],
        "parameters": [
            {"name": "learning_rate", "type": "Double", "min": 1e-9, "max": 1e-2, "scale": "Log"},
            {"name": "max_steps", "type": "Integer", "min": 1, "max": LONG},
        ],
        "fixed": {
            "model": str(tiny_lm),
            "train_data": str(definitions / "train.jsonl"),
            "eval_data": str(definitions / "eval.jsonl"),
            "epochs": 1000,
            "batch_size": 4,
            "lora_rank": 4,
            "lora_dropout": 0.1,
            "eval_samples": 4,
            "evaluate_every": 2,
            "log_every": 2,
            "precision": "fp32",
        },
        "initialTrials": [
            {"name": name, "parameters": {"learning_rate": rate, "max_steps": steps}}
            for name, rate, steps in initial
        ],
        "guards": [
            {
                "name": "still",
                "when": f"step >= {STOPPED_AT} && metrics.eval_loss > 3.0",
                "outcome": "Pruned",
                "message": "nothing is learned",
            }
        ],
        "trials": {"max": 3, "parallelism": 1, "retries": {"disruption": 3}},
        "metrics": {"source": "Prometheus", "intervalSeconds": 0.2},
        "checkpoints": {"keep": "All"},
    }


@pytest.mark.timeout(1700)
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft's own
def test_language_models_are_tuned(workplace: Workplace, tiny_lm: Path, definitions: Path) -> None:
    """Live values end a trial that learns nothing; killed with its tuner it goes on before that.

    The best one's adapter lies in the study's folder and loads back.
    """
    command = [sys.executable, "-m", "kubetune_trainer", "causal-lm"]
    workplace.write(command=command, **study(tiny_lm, definitions))
    folder = workplace.run_folder / "trials"
    with workplace.running() as running:
        workplace.until(lambda: running.ended or any(folder.glob("1/checkpoint/step-*")))
        running.kill()
    workplace.kill_trials()
    done = workplace.run()
    assert done.returncode == 0, done.stdout + done.stderr
    good, still, other = workplace.trials()
    assert [good.state, still.state, other.state] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.COMPLETE,
    ]
    assert (good.attempt, still.attempt, other.attempt) == (1, 2, 1)
    assert "going on after step" in "".join(path.read_text() for path in folder.glob("1/*.log"))
    assert STOPPED_AT <= still.curve[-1].step < LONG
    assert [point.step for point in good.curve] == [2, 4, 6]
    best = folder / "0/checkpoint/artifacts/best"
    base = AutoModelForCausalLM.from_pretrained(tiny_lm, dtype=torch.float32)
    assert PeftModel.from_pretrained(base, best).active_adapter == "default"
