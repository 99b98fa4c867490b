"""A fine-tuning without a model: its losses follow from its parameters, and come in no time.

It takes what `causal-lm` takes, has its steps, evaluates when that would, and reports under its
names. After each evaluation it waits until its values have been read twice: what the study makes
of them has reached it then.

A LoRA of rank 16, alpha 32 and rate 2e-4 comes to the loss 0.6097.
"""

import math
import signal

from watched import Watched

LIFE_SECONDS = 600
BEST_RATE, BEST_BATCH = 3e-5, 64
BEST_LORA_RATE, BEST_SCALE = 1.2e-4, 4.0
HAND_MADE = {"lora_rank": 16, "lora_alpha": 32, "learning_rate": 2e-4}
KNOWN_LOSS = 0.6097
DECAY = 0.045


def lora_loss(given):
    """Above that of the best LoRA of rank 16."""
    rate = math.log10(given["learning_rate"] / BEST_LORA_RATE)
    scale = math.log2(given["lora_alpha"] / given["lora_rank"] / BEST_SCALE)
    return 0.2 * rate**2 + 0.01 * scale**2 - 0.01 * math.log2(given["lora_rank"] / 16)


def final_loss(given):
    """What the losses of a configuration come to."""
    if given["method"] == "lora":
        return KNOWN_LOSS + lora_loss(given) - lora_loss(HAND_MADE)
    rate = math.log10(given["learning_rate"] / BEST_RATE)
    batch = math.log2(given["effective_batch"] / BEST_BATCH)
    return 1.2 + 0.4 * rate**2 + 0.01 * batch**2 + 0.2 * abs(given["weight_decay"] - 0.03)


def steps_of(given):
    """Optimizer steps."""
    if given.get("max_steps"):
        return int(given["max_steps"])
    batches = math.ceil(given["train_samples"] / given["batch_size"])
    return given["epochs"] * math.ceil(batches / given["gradient_accumulation_steps"])


def metrics_at(share, given):
    """What an evaluation shows after a share of the training."""
    end = final_loss(given)
    loss = end + end * math.exp(-share / DECAY)
    right = max(0.0, min(1.0, 1.8 - loss))
    wrong = (1 - right) * 0.7
    return {
        "eval_loss": loss,
        "eval_accuracy": right,
        "eval_wrong_share": wrong,
        "eval_format_failure_share": 1 - right - wrong,
        "inference_seconds": 0.1 + 0.001 * given.get("lora_rank", 0),
    }


def train(trial):
    """Evaluates, and ends when it has lost patience."""
    given = trial.parameters
    total, every = steps_of(given), int(given["evaluate_every"])
    mark, without = math.inf, 0
    for step in trial.steps(total):
        if step % every and step != total:
            continue
        metrics = metrics_at(step / total, given)
        trial.report(step, train_loss=metrics["eval_loss"] - 0.02, **metrics)
        trial.settle()
        improved = mark - metrics["eval_loss"] >= given.get("early_stop_min_delta", 0.0)
        mark, without = (metrics["eval_loss"], 0) if improved else (mark, without + 1)
        if without >= (given.get("early_stop_evaluations") or math.inf):
            return


signal.alarm(LIFE_SECONDS)
with Watched.from_environment() as trial:
    train(trial)
