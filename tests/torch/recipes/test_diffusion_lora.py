"""The recipe for LoRAs: what is learned, loaded back, judged and refused; SD 1 and XL."""

import math
import shutil
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from kubetune_trainer.diffusion import base as models
from kubetune_trainer.diffusion import rendering
from kubetune_trainer.recipes import diffusion_lora as recipe
from kubetune_trainer.training import devices, seeds
from tests.torch.recorded import Recorded, run
from tests.torch.training.toy import comparable, terminate

GOLDEN = [0.12240, 0.11452, 0.21110, 0.10224]

SHORT = {
    "resolution": 64,
    "network_dim": 8,
    "network_alpha": 6.4,
    "learning_rate": 1e-3,
    "text_encoder_lr": 5e-4,
    "batch_size": 4,
    "max_steps": 2,
    "log_every": 1,
    "prompts": "a temple in china, red | a flower in a garden, blue",
    "samples_per_prompt": 2,
    "sampling_steps": 2,
    "guidance_scale": 3.0,
}
QUICK = {**SHORT, "prompts": "a temple in china, red", "samples_per_prompt": 1}

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
"""XL's sampler calls NumPy as it was called before."""


@pytest.fixture
def sd(tiny_sd, pictures):
    """The fields of a trial on SD 1."""
    return {**QUICK, "model": str(tiny_sd), "train_data": str(pictures)}


def built(given, artifacts=None):
    """What the recipe makes of its parameters."""
    torch.manual_seed(1)
    return recipe.build(recipe.Config(**given), 1, devices.chosen("fp32"), artifacts)


def few(folder, pictures, *names):
    """Some of the pictures, with their captions."""
    folder.mkdir()
    for name in names:
        for ending in ("png", "txt"):
            shutil.copy(pictures / f"{name}.{ending}", folder)
    return str(folder)


def stopping(trial, step):
    """A trial that gets SIGTERM after it has reported a step."""
    report = trial.report

    def and_stop(at=None, **metrics):
        report(at, **metrics)
        if at == step:
            terminate()

    trial.report = and_stop
    return trial


def broken(folder, tiny_sd, part, factor):
    """A model whose autoencoder has something wrong in its `part`."""
    shutil.copytree(tiny_sd, folder)
    model = models.load(str(tiny_sd), devices.chosen("fp32"))
    for parameter in getattr(model.pipeline.vae, part).parameters():
        parameter.data *= factor
    model.pipeline.vae.save_pretrained(folder / "vae")
    return str(folder)


@pytest.mark.parametrize("text", [5e-4, 0.0], ids=["text", "unet"])
@pytest.mark.parametrize("kind", ["tiny_sd", "tiny_xl"])
def test_a_kept_lora_loads_back_to_the_same_pictures(request, tmp_path, pictures, kind, text):
    """By `load_lora_weights` of diffusers, with its alpha, which is not its dim."""
    folder = str(request.getfixturevalue(kind))
    given = {**SHORT, "model": folder, "train_data": str(pictures), "text_encoder_lr": text}
    made = built(given)
    for group in made.groups:
        for parameter in group.parameters:
            torch.nn.init.normal_(parameter, std=0.3)
    made.task.module.eval()
    trained = shown(made.task._base)
    made.task.keep(tmp_path)
    plain = models.load(folder, devices.chosen("fp32"))
    before = shown(plain)
    plain.pipeline.load_lora_weights(str(tmp_path))
    assert np.abs(shown(plain) - trained).max() < np.abs(before - trained).max() / 100
    plain.pipeline.unload_lora_weights()
    assert np.array_equal(shown(plain), before)


def shown(model):
    """Pictures of one prompt."""
    scene = rendering.scene_of(["a temple in china, red"], 2, 64, 2, 3.0)
    with torch.inference_mode():
        return rendering.render(model, scene, lambda: False).pictures


def test_a_good_rate_beats_bad_ones(tmp_path, sd):
    """Too low learns nothing, too high destroys what was known; each is told apart in seconds."""
    found = {}
    for rate in (1e-6, 1e-2, 1.0):
        given = {**sd, "learning_rate": rate, "epochs": 9}
        given |= {"max_steps": 15, "evaluate_every": 15, "text_encoder_lr": 0.0}
        trial = run("diffusion-lora", Recorded(tmp_path / str(rate), given))
        found[rate] = trial.values("eval_loss")[-1]
    assert found[1e-2] < found[1e-6] < found[1.0]


def test_an_evaluation_is_repeatable_and_touches_nothing_of_the_training(sd):
    """On fixed noise: the same loss twice, and the same losses of training after it or without."""
    losses = []
    for evaluated in (False, True):
        task = built(sd).task
        seeds.seed_step(1, 1)
        if evaluated:
            with seeds.aside(3):
                first, second = (task.evaluate(lambda: False) for _ in range(2))
            assert first == second
        batch = task.collate([(0, 1)])
        losses.append(float(task.loss(task.module, batch).detach()))
    assert losses[0] == losses[1]


def test_min_snr_weighs_the_training_and_not_the_evaluation(sd):
    """Hang et al.: where there is little noise it counts less; trials stay comparable."""
    plain, weighed = (built({**sd, "min_snr_gamma": gamma}).task for gamma in (0.0, 5.0))
    losses = []
    for task, step in product((plain, weighed), range(15)):
        seeds.seed_step(1, step)
        with torch.no_grad():
            losses.append(float(task.loss(task.module, task.collate([(0, 1)]))))
    assert all(less <= more for less, more in zip(losses[15:], losses[:15], strict=True))
    assert sum(losses[15:]) < sum(losses[:15])
    timesteps = torch.tensor([10, 500, 999])
    kept = plain._noise.alphas_cumprod[timesteps]
    ratio = kept / (1 - kept)
    assert torch.allclose(weighed._weights(timesteps), ratio.clamp(max=5) / ratio)
    apart = plain._data.evaluation
    with torch.no_grad():
        assert plain._fixed_loss(apart, lambda: False) == weighed._fixed_loss(apart, lambda: False)


def test_texts_are_worked_out_once_where_no_text_encoder_learns(sd):
    """And give what working them out each time would."""
    made = built({**sd, "text_encoder_lr": 0.0})
    task = made.task
    batch = task.collate([(index, 1) for index, size in enumerate(made.bins) if not size])
    seeds.seed_step(1, 1)
    known = task.loss(task.module, batch)
    task._known = {}
    seeds.seed_step(1, 1)
    assert torch.allclose(task.loss(task.module, batch), known, rtol=1e-5)


@pytest.mark.parametrize(
    "parts",
    [
        ("AdamW", "cosine", "tiny_xl"),
        ("AdamW8bit", "cosine_with_restarts", "tiny_sd"),
        ("Prodigy", "polynomial", "tiny_xl"),
    ],
    ids=lambda parts: parts[0],
)
def test_the_workloads_optimizers_and_schedulers_train(request, tmp_path, sd, parts):
    """Denoiser and text encoder have rates of their own; Prodigy finds one for both."""
    kind, scheduler, model = parts
    given = {
        **sd,
        "model": str(request.getfixturevalue(model)),
        "optimizer_type": kind,
        "lr_scheduler": scheduler,
        "lr_scheduler_num_cycles": 2 if scheduler == "cosine_with_restarts" else 1,
        "lr_warmup_steps": 1,
        "epochs": 2,
        "max_steps": 3,
        "gradient_accumulation_steps": 2,
        "network_dropout": 0.05,
        "network_dim": 64,
        "network_alpha": 32.0,
    }
    trial = run("diffusion-lora", Recorded(tmp_path, given))
    assert trial.exit_code == 0
    unet = trial.values("learning_rate_unet")
    text = trial.values("learning_rate_text_encoder")
    times = 1 if kind == "Prodigy" else 2
    assert unet == pytest.approx([times * rate for rate in text])
    kept = load_file(trial.artifact_dir / "best" / "pytorch_lora_weights.safetensors")
    changed = {name: bool(tensor.any()) for name, tensor in kept.items() if "lora_B" in name}
    assert changed
    assert all(changed.values())
    assert math.isfinite(trial.values("eval_loss")[-1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_sd, pictures):
    """A trial that nothing stops, and its parameters."""
    given = {**QUICK, "model": str(tiny_sd), "train_data": str(pictures), "epochs": 9}
    given |= {"network_dropout": 0.2, "max_steps": 4, "evaluate_every": 2}
    return given, run("diffusion-lora", Recorded(tmp_path_factory.mktemp("whole"), given))


def test_golden_losses(whole):
    """Those of a seed, as far as other processors make the same tiny model; and it learns."""
    _, trial = whole
    assert trial.exit_code == 0
    assert trial.values("train_loss") == pytest.approx(GOLDEN, rel=2e-2)
    first, last = trial.values("eval_loss")
    assert last < first


def test_a_stopped_trial_goes_on_as_if_nothing_had_been(tmp_path, whole):
    """SIGTERM within an epoch: the same noise, timesteps and dropout, and no sheet is lost."""
    given, unbroken = whole
    first = run("diffusion-lora", stopping(Recorded(tmp_path, given), 3))
    second = run("diffusion-lora", Recorded(tmp_path, given))
    assert (first.exit_code, second.exit_code) == (143, 0)
    assert comparable(first) + comparable(second) == comparable(unbroken)
    sheets = [
        sorted(p.name for p in (trial.artifact_dir / "samples").iterdir())
        for trial in (unbroken, second)
    ]
    assert sheets == [["sheet-001.jpg", "sheet-002.jpg"]] * 2
    one, other = (
        load_file(trial.artifact_dir / "best" / "pytorch_lora_weights.safetensors")
        for trial in (unbroken, second)
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_held_back_pictures_are_opened_in_the_heldout_stage_only(tmp_path, pictures, sd):
    """The best LoRA's loss on them; a search does not see that they cannot be read."""
    apart = few(tmp_path / "apart", pictures, "000", "001")
    given = {**sd, "test_data": apart, "text_encoder_lr": 0.0, "max_steps": 1}
    (tmp_path / "apart" / "000.txt").write_text("a caption of its own")
    trial = run("diffusion-lora", Recorded(tmp_path / "a", given, stage="heldout"))
    assert trial.exit_code == 0
    (loss,) = trial.values("test_loss")
    assert 0 < loss != trial.values("eval_loss")[-1]
    (tmp_path / "apart" / "000.txt").unlink()
    search = run("diffusion-lora", Recorded(tmp_path / "b", given))
    assert (search.exit_code, search.values("test_loss")) == (0, [])
    again = run("diffusion-lora", Recorded(tmp_path / "c", given, stage="heldout"))
    assert again.exit_code == 64
    assert "a caption is missing or empty: 000.txt" in again.result["message"]


def test_black_pictures_are_counted_said_aloud_and_crash_nothing(
    tmp_path, tiny_sd, tiny_clip, sd, capsys
):
    """An autoencoder whose decoder overflows: all is black, nobody is alike, training goes on."""
    given = {
        **sd,
        "model": broken(tmp_path / "model", tiny_sd, "decoder", 1e12),
        "clip_model": str(tiny_clip),
        "samples_per_prompt": 2,
    }
    trial = run("diffusion-lora", Recorded(tmp_path, given))
    found = trial.result["metrics"]
    assert trial.exit_code == 0
    assert (found["black_fraction"], found["flat_fraction"]) == (1.0, 1.0)
    assert math.isnan(trial.values("identity_similarity")[-1])
    assert math.isfinite(found["eval_loss"])
    words = "2 of 2 rendered pictures are black: the autoencoder gave no numbers for 2 of them"
    assert words in capsys.readouterr().err


def test_all_measures_of_the_workload_are_reported(tmp_path, tiny_clip, sd):
    """With a judge; and the sheet of each evaluation lies with the artifacts."""
    given = {**sd, **SHORT, "clip_model": str(tiny_clip), "max_steps": 1}
    trial = run("diffusion-lora", Recorded(tmp_path, given, objectives=("clip_score",)))
    found = trial.result["metrics"]
    assert {
        *("clip_score", "black_fraction", "flat_fraction", "burnt_fraction", "feature_distance"),
        *("identity_similarity", "gradient_norm", "gradient_explosions", "eval_loss"),
    } <= found.keys()
    assert -1 <= found["clip_score"] <= 1
    with Image.open(trial.artifact_dir / "samples" / "sheet-001.jpg") as sheet:
        assert sheet.height > 2 * 64


def test_latents_are_encoded_once_for_all_trials_of_a_study(tmp_path, sd, monkeypatch):
    """The second trial does not ask the autoencoder, and learns from the same numbers."""
    given = {**sd, "latents_cache": str(tmp_path / "latents")}
    first = built(given).task
    asked = []
    monkeypatch.setattr(models.Base, "latents", lambda *_: asked.append(1))
    second, batch = built(given).task, [(0, 1)]
    assert not asked
    assert torch.equal(first.collate(batch)["latents"], second.collate(batch)["latents"])


def test_a_batch_holds_pictures_of_one_size(sd):
    """Upright, lying and square ones are there, each in batches of its own."""
    made = built(sd)
    assert len(set(made.bins)) == 3
    for chosen in set(made.bins):
        examples = [(index, 1) for index, place in enumerate(made.bins) if place == chosen]
        assert made.task.collate(examples)["latents"].shape[0] == len(examples)


def faults(folder):
    """Parameters that cannot be trained with, and what is said of them."""
    return {
        "caption": (
            {"train_data": f"{folder}/bare"},
            "a caption is missing or empty: 000.txt, 001.txt",
        ),
        "latents": (
            {"model": f"{folder}/nan"},
            "nan: the autoencoder gives no finite latents of ",
        ),
        "picture": ({"train_data": f"{folder}/torn"}, "000.png: no image that can be read"),
        "one": ({"train_data": f"{folder}/one"}, "two pictures at least"),
        "alpha": ({"network_alpha": 0.0}, "network_alpha: 0.0 must be greater than 0"),
        "rate": ({"learning_rate": math.nan}, "learning_rate: nan must be 0 or more"),
        "nothing": (
            {"learning_rate": 0.0, "text_encoder_lr": 0.0},
            "learning_rate: nothing is trained",
        ),
        "resolution": ({"resolution": 4}, "resolution: 4 is too small"),
        "judge": ({"clip_model": f"{folder}/none"}, "clip_model: "),
    }


@pytest.mark.parametrize("fault", faults(""))
def test_what_cannot_be_trained_with_exits_64_and_is_named(tmp_path, pictures, sd, tiny_sd, fault):
    """No other attempt would end otherwise."""
    if fault == "latents":
        broken(tmp_path / "nan", tiny_sd, "encoder", math.nan)
    for name in ("bare", "torn"):
        few(tmp_path / name, pictures, "000", "001")
    few(tmp_path / "one", pictures, "000")
    (tmp_path / "bare" / "000.txt").write_text(" ")
    (tmp_path / "bare" / "001.txt").unlink()
    (tmp_path / "torn" / "000.png").write_bytes((pictures / "000.png").read_bytes()[:300])
    changed, words = faults(tmp_path)[fault]
    trial = run("diffusion-lora", Recorded(tmp_path, {**sd, **changed}))
    assert trial.exit_code == 64
    assert words in trial.result["message"]


def test_memory_that_cannot_be_had_exits_70(tmp_path, sd):
    """With what was asked for."""
    trial = run("diffusion-lora", Recorded(tmp_path, {**sd, "network_dim": 10**12}))
    assert trial.exit_code == 70
    assert trial.result["reason"] == "OutOfMemory"
