"""Latents in files that trials share."""

import pytest
import torch
from PIL import Image
from torch import nn

from kubetune_trainer.diffusion.latents import LatentsCache
from kubetune_trainer.diffusion.pictures import Picture, Size


class Encoder:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, picture):
        self.asked += 1
        return torch.full((4, 2, 2), float(picture.size.width))


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    return Picture(tmp_path / "a.png", "red", Size(8, 8))


def model(value=1.0):
    """An autoencoder, as far as its fingerprint goes."""
    found = nn.Linear(2, 2)
    nn.init.constant_(found.weight, value)
    nn.init.zeros_(found.bias)
    return found


def test_a_picture_is_encoded_once_for_all_trials(tmp_path, picture):
    """The second trial reads what the first one wrote, and nothing else lies there."""
    encode = Encoder()
    first, second = (LatentsCache(tmp_path / "cache", model(), encode)(picture) for _ in range(2))
    assert encode.asked == 1
    assert torch.equal(first, second)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".safetensors"]


def test_another_autoencoder_picture_or_size_has_other_latents(tmp_path, picture):
    """What they depend on is their name; what the picture's file is called is not."""
    known = LatentsCache(tmp_path, model(), Encoder())
    other = LatentsCache(tmp_path, model(2.0), Encoder())
    (tmp_path / "copy.png").write_bytes(picture.path.read_bytes())
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "blue.png")
    named = {
        known.path(picture),
        other.path(picture),
        known.path(Picture(picture.path, "red", Size(8, 4))),
        known.path(Picture(tmp_path / "blue.png", "red", Size(8, 8))),
    }
    assert len(named) == 4
    assert known.path(Picture(tmp_path / "copy.png", "same", Size(8, 8))) in named


def test_a_torn_file_is_written_again(tmp_path, picture):
    """By whoever finds it."""
    cache = LatentsCache(tmp_path, model(), Encoder())
    wanted = cache(picture)
    cache.path(picture).write_bytes(b"half")
    assert torch.equal(cache(picture), wanted)
    assert cache.path(picture).stat().st_size > 4


def test_a_folder_that_cannot_be_written_is_said_once_and_done_without(tmp_path, picture, capsys):
    """Training does not depend on it."""
    (tmp_path / "file").write_text("no folder")
    cache = LatentsCache(tmp_path / "file", model(), Encoder())
    assert torch.equal(cache(picture), cache(picture))
    assert capsys.readouterr().err.count("latents_cache: ") == 1
