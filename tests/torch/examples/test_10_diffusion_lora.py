"""10-diffusion-lora at small scale, by the commands of its README."""

import json

import pytest
from diffusers import StableDiffusionPipeline
from PIL import Image

from tests.integration.following import follow

EXAMPLE = "10-diffusion-lora"
SECONDS = 1500
MEASURES = {
    *("clip_score", "black_fraction", "feature_distance", "identity_similarity"),
    *("gradient_norm", "gradient_explosions", "eval_loss"),
}

pytestmark = [
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated"),  # peft's own
]


def test_small(tmp_path, beside, tiny_sd, tiny_clip, pictures):
    """Through gate and second phase to the end: every measure, a sheet, a LoRA that loads back."""
    made = {"sd": tiny_sd, "clip": tiny_clip, "pictures": pictures}
    folder = beside(EXAMPLE, made)
    _, _, ran, _, _ = follow(EXAMPLE, tmp_path, seconds=SECONDS)
    results = json.loads((folder / "runs/lora/results.json").read_text())
    trials = results["trials"]
    assert [trial["state"] for trial in trials] == ["Complete"] * 4
    assert [trial["phase"] for trial in trials] == ["validation"] * 2 + ["full"] * 2
    assert trials[0]["parameters"]["network_alpha"] == 32.0
    for trial in trials:
        assert trial["metrics"].keys() >= MEASURES
    assert "phase full begins; phase validation had 2 trials" in ran
    sheets = sorted((folder / "runs/lora/trials").glob("*/checkpoint/artifacts/samples/*.jpg"))
    assert sheets
    with Image.open(sheets[0]) as sheet:
        assert min(sheet.size) >= 64
    assert StableDiffusionPipeline.lora_state_dict(str(folder / "models/lora/best"))
