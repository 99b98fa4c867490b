"""Pictures with captions, and the sizes they are trained at."""

import math
import re

import pytest
import torch
from PIL import Image

from kubetune_trainer.diffusion import pictures
from kubetune_trainer.diffusion.pictures import Picture, Size
from kubetune_trainer.exits import BadConfiguration


def put(folder, name, size=(8, 8), caption="a thing", colour="red"):
    """A picture, and its caption beside it unless that is None."""
    Image.new("RGB", size, colour).save(folder / f"{name}.png")
    if caption is not None:
        (folder / f"{name}.txt").write_text(caption, encoding="utf-8")


def kohya(resolution, step):
    """`make_bucket_resolutions` of kohya's scripts, with half and double as its limits."""
    area, least, most = resolution**2, resolution // 2, resolution * 2
    width = int(math.sqrt(area) // step) * step
    found = {(width, width)}
    width = least
    while width <= most:
        height = min(most, int((area // width) // step) * step)
        if height >= least:
            found |= {(width, height), (height, width)}
        width += step
    return found


@pytest.mark.parametrize(("resolution", "step"), [(512, 64), (768, 64), (1024, 32), (64, 8)])
def test_sizes_are_kohyas(resolution, step):
    """All of whole steps and of no larger area, upright and lying."""
    found = pictures.buckets(resolution, step)
    assert {(size.width, size.height) for size in found} == kohya(resolution, step)
    assert all(size.width * size.height <= resolution**2 for size in found)


def test_a_resolution_below_a_step_is_refused():
    """The model would have nothing to look at."""
    with pytest.raises(BadConfiguration, match=r"resolution: 32 is too small .* write 64 or more"):
        pictures.buckets(32, 64)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((1000, 1000), (512, 512)), ((3000, 2000), (640, 384)), ((10, 5000), (256, 1024))],
)
def test_a_picture_gets_the_size_of_the_most_similar_shape(size, wanted):
    """However large it is."""
    assert pictures.nearest(Size(*size), pictures.buckets(512, 64)) == Size(*wanted)


def test_a_picture_is_scaled_to_cover_its_size_and_cut_in_the_middle(tmp_path):
    """Nothing is stretched: the outer thirds of a strip are lost."""
    strip = Image.new("RGB", (24, 8), "black")
    strip.paste("white", (8, 0, 16, 8))
    strip.save(tmp_path / "a.png")
    found = Picture(tmp_path / "a.png", "", Size(16, 16)).pixels()
    assert found.shape == (3, 16, 16)
    assert torch.all(found[:, :, 2:14] > 0.9)


def test_every_picture_has_its_caption(tmp_path):
    """From a text file of the same name, without what is around it."""
    put(tmp_path, "b", size=(16, 8), caption="  zwei \n")
    put(tmp_path, "a")
    found = pictures.read(tmp_path, 8, 4)
    assert [(p.path.name, p.caption, p.size) for p in found] == [
        ("a.png", "a thing", Size(8, 8)),
        ("b.png", "zwei", Size(12, 4)),
    ]


def test_all_captions_that_are_missing_or_empty_are_named_at_once(tmp_path):
    """Not one a run."""
    put(tmp_path, "good")
    put(tmp_path, "bare", caption=None)
    put(tmp_path, "empty", caption=" \n")
    put(tmp_path, "latin")
    (tmp_path / "latin.txt").write_bytes("für".encode("latin-1"))
    with pytest.raises(BadConfiguration, match=r"empty: bare\.txt, empty\.txt, latin\.txt$"):
        pictures.read(tmp_path, 8, 4)


def test_of_many_missing_captions_some_are_named_and_all_counted(tmp_path):
    """A message stays readable."""
    for index in range(9):
        put(tmp_path, f"{index}", caption=None)
    with pytest.raises(BadConfiguration, match=r"0\.txt, .*4\.txt and 4 more$"):
        pictures.read(tmp_path, 8, 4)


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    """Before anything is trained."""
    put(tmp_path, "a")
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadConfiguration, match=r"a\.png: no image that can be read"):
        pictures.read(tmp_path, 8, 4)


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_pictures_is_named(tmp_path, name):
    """Not there, or with nothing in it."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadConfiguration, match=re.escape(str(tmp_path / name))):
        pictures.read(tmp_path / name, 8, 4)


def test_a_tenth_is_set_apart_always_the_same():
    """Trials of a study are compared by the same pictures."""
    every = [Picture(f"{index}", "", Size(8, 8)) for index in range(20)]
    train, apart = pictures.split(every)
    assert (len(train), len(apart)) == (18, 2)
    assert sorted(int(p.path) for p in train + apart) == list(range(20))
    assert pictures.split(every) == (train, apart)
    with pytest.raises(BadConfiguration, match="two pictures at least"):
        pictures.split(every[:1])
