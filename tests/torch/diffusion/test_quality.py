"""What is said of rendered pictures: each fault has its measure, and good pictures have none."""

import math

import numpy as np
import pytest
from PIL import Image

from kubetune_trainer.diffusion import pictures as reading
from kubetune_trainer.diffusion import quality
from kubetune_trainer.diffusion.quality import Clip
from kubetune_trainer.diffusion.rendering import Rendered, scene_of
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training import devices

SIDE = 64


def rendered(*pictures, finite=None, prompts=1):
    """Pictures as if they had been rendered, the same number of each prompt."""
    stack = np.stack([np.broadcast_to(each, (SIDE, SIDE, 3)) for each in pictures])
    scene = scene_of([f"prompt {i}" for i in range(prompts)], len(pictures) // prompts, SIDE, 1, 1)
    whole = np.ones(len(pictures), bool) if finite is None else np.array(finite)
    return Rendered(scene, stack.astype(np.float32), whole)


def noise(seed=0):
    return np.random.default_rng(seed).uniform(size=(SIDE, SIDE, 3))


FAULTS = {
    "black": (np.zeros(3), (1, 1, 1)),
    "nearly black": (np.full(3, 0.01), (1, 1, 0)),
    "grey": (np.full(3, 0.5), (0, 1, 0)),
    "red": (np.array([1.0, 0.0, 0.0]), (0, 1, 1)),
    "burnt": (np.round(noise()), (0, 0, 1)),
    "noise": (noise(), (0, 0, 0)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_measure(name):
    """Black, flat and burnt; a picture of one colour is flat whatever the colour."""
    picture, wanted = FAULTS[name]
    found = rendered(picture)
    measures = quality.black_fraction, quality.flat_fraction, quality.burnt_fraction
    assert tuple(measure(found) for measure in measures) == wanted


def test_fractions_are_shares_and_what_has_no_numbers_is_black():
    """Two of four: one is black, one had no numbers."""
    found = rendered(np.zeros(3), noise(), noise(), noise(), finite=[True, False, True, True])
    assert quality.black_fraction(found) == 0.5


def test_black_pictures_are_said_aloud():
    """How many, and whether the autoencoder or the training is to blame; else nothing is said."""
    assert not quality.complaint(rendered(noise(), noise()))
    dark = quality.complaint(rendered(np.zeros(3), noise()))
    assert dark.startswith("1 of 2 rendered pictures are black: where those of the untouched")
    broken = quality.complaint(rendered(np.zeros(3), noise(), finite=[False, True]))
    assert broken.startswith("1 of 2 rendered pictures are black: the autoencoder gave no numbers")


def unit(*rows):
    found = np.array(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_a_distance_is_nothing_from_the_same_set_and_grows():
    """It does not matter in which order pictures come."""
    near, far = unit((1, 0.1), (1, 0)), unit((0, 1), (-1, 0.2))
    base = unit((1, 0), (1, 0.1))
    assert quality.distance(base, base[::-1]) == pytest.approx(0, abs=1e-6)
    assert quality.distance(base, near) < quality.distance(base, far)
    assert quality.distance(base, far) == pytest.approx(quality.distance(far, base))


def test_identity_is_within_a_prompt_and_of_usable_pictures():
    """Two prompts of two pictures: alike within, unlike between; black ones say nothing."""
    features = unit((1, 0), (1, 0), (0, 1), (0, 1))
    usable = np.ones(4, bool)
    assert quality.identity(features, 2, usable) == pytest.approx(1)
    assert quality.identity(features, 4, usable) == pytest.approx(2 / 6)
    assert math.isnan(quality.identity(features, 2, ~usable))
    assert quality.identity(unit((1, 0), (0, 1), (0, 1)), 3, np.array([0, 1, 1], bool)) == 1


@pytest.fixture(scope="module")
def clip(tiny_clip):
    return Clip(str(tiny_clip), devices.chosen("fp32"))


@pytest.fixture(scope="module")
def true(pictures):
    """Pictures with their captions, squares only."""
    found = [p for p in reading.read(pictures, SIDE, 8) if p.size.width == p.size.height]
    shown = [((p.pixels() + 1) / 2).permute(1, 2, 0).numpy() for p in found]
    return [p.caption for p in found], np.stack(shown)


def test_a_score_is_a_cosine_and_falls_where_pictures_are_noise(clip, true):
    """True pictures fit their captions better than noise does, and than each other's."""
    captions, shown = true
    said, seen = clip.texts(captions), clip.pictures(shown)
    broken = clip.pictures([noise(seed) for seed in range(len(captions))])
    assert np.linalg.norm(seen, axis=1) == pytest.approx(np.ones(len(seen)), abs=1e-5)
    fitting, crossed = (
        (said * seen).sum(axis=1).mean(),
        (said * np.roll(seen, 1, axis=0)).sum(axis=1).mean(),
    )
    assert -1 <= (said * broken).sum(axis=1).mean() < fitting <= 1
    assert crossed < fitting


def test_noise_is_farther_from_the_training_pictures_than_they_are(clip, true):
    """Zero from themselves."""
    _, shown = true
    seen = clip.pictures(shown)
    broken = clip.pictures([noise(seed) for seed in range(len(shown))])
    assert quality.distance(seen, seen) == pytest.approx(0, abs=1e-5)
    assert quality.distance(seen, broken) > 0.05


def test_many_pictures_are_looked_at_a_few_at_a_time(clip, true, monkeypatch):
    """To the same features."""
    _, shown = true
    monkeypatch.setattr(quality, "AT_ONCE", 3)
    few = clip.pictures(iter(shown))
    monkeypatch.setattr(quality, "AT_ONCE", 100)
    assert few == pytest.approx(clip.pictures(shown), abs=1e-5)


def test_measures_of_a_scene(clip):
    """All of them with a judge, three without; a single picture of a prompt is like no other."""
    found = rendered(noise(1), noise(2), noise(3), noise(4), prompts=2)
    training = clip.pictures([noise(5)])
    assert set(quality.measures(found, clip, training)) == {
        *("black_fraction", "flat_fraction", "burnt_fraction"),
        *("clip_score", "feature_distance", "identity_similarity"),
    }
    assert len(quality.measures(found, None, None)) == 3
    assert "identity_similarity" not in quality.measures(rendered(noise()), clip, training)


def test_a_judge_that_is_not_there_is_named(tmp_path):
    """By the field and its value."""
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(BadConfiguration, match=f"clip_model: {tmp_path}"):
        Clip(str(tmp_path), devices.chosen("fp32"))
