"""The three recipes that others look at, each with a tiny model and a rate at which it learns."""

from pathlib import Path

from kubetune_trainer.contract import Value

RECIPES = ("causal-lm", "image-classifier", "diffusion-lora")


def subject(
    recipe: str, *, tiny_lm: Path, definitions: Path, tiny_sd: Path, pictures: Path
) -> dict[str, Value]:
    """Its parameters."""
    if recipe == "causal-lm":
        return {
            "recipe": recipe,
            "model": str(tiny_lm),
            "train_data": str(definitions / "train.jsonl"),
            "eval_data": str(definitions / "eval.jsonl"),
            "method": "full",
            "batch_size": 8,
            "learning_rate": 1e-2,
        }
    if recipe == "image-classifier":
        return {
            "recipe": recipe,
            "model": "test_resnet",
            "image_size": 32,
            "train_data": "digits",
            "batch_size": 16,
            "learning_rate": 3e-3,
        }
    return {
        "recipe": recipe,
        "model": str(tiny_sd),
        "train_data": str(pictures),
        "resolution": 64,
        "network_dim": 16,
        "network_alpha": 16.0,
        "batch_size": 9,
        "learning_rate": 2e-2,
    }
