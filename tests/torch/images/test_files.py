"""Picture files, as a person sees them."""

import re
import warnings

import numpy as np
import pytest
from PIL import Image

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import files


def upright(path):
    """A picture of 6 x 4 pixels whose camera was held upright: it shows 4 x 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4), "red").save(path, exif=exif)


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path):
    """Reading and measuring agree on what is up."""
    upright(tmp_path / "a.jpg")
    assert files.read(tmp_path / "a.jpg").size == files.size(tmp_path / "a.jpg") == (4, 6)


def test_sixteen_bits_keep_their_shades(tmp_path):
    """A measured image of 16 bits is not all white."""
    shades = np.array([[0, 256 * 100, 256 * 255]], dtype=np.uint16)
    Image.fromarray(shades).save(tmp_path / "a.png")
    assert np.asarray(files.read(tmp_path / "a.png"))[0, :, 0].tolist() == [0, 100, 255]


def test_every_kind_of_file_becomes_rgb(tmp_path):
    """Grey, palettes with a transparent colour, and transparency: three channels, no warning."""
    palette = Image.new("P", (3, 3))
    palette.info["transparency"] = bytes([0, 255])
    for index, image in enumerate((Image.new("L", (3, 3)), Image.new("RGBA", (3, 3)), palette)):
        image.save(tmp_path / f"{index}.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [files.read(path) for path in files.pictures(tmp_path.iterdir())]
    assert [image.mode for image in found] == ["RGB"] * 3


@pytest.mark.parametrize("reading", [files.read, files.size])
def test_a_file_that_is_no_image_is_named(tmp_path, reading):
    """Whoever reads the message knows which file it is."""
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(BadConfiguration, match=re.escape(str(path))):
        reading(path)


def test_an_image_that_was_cut_off_is_named(tmp_path):
    """Its head is fine, its pixels are not."""
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    Image.effect_noise((64, 64), 50).save(whole)
    cut.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(BadConfiguration, match=re.escape(str(cut))):
        files.read(cut)


def test_an_image_too_large_to_be_one_is_named(tmp_path, monkeypatch):
    """A file that unfolds to more pixels than memory has is refused, as Pillow does."""
    Image.new("L", (64, 64)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadConfiguration, match=r"bomb\.png"):
        files.read(tmp_path / "bomb.png")


def test_hidden_files_are_no_pictures(tmp_path):
    """What a file manager leaves beside pictures is left out."""
    for name in ("b.PNG", "a.jpg", "._a.jpg", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in files.pictures(tmp_path.iterdir())] == ["a.jpg", "b.PNG"]
