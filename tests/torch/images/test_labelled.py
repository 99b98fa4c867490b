"""Images with a class each."""

import re

import pytest
from PIL import Image

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import labelled


def classes(root, **counts):
    """A folder of folders of images."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            Image.new("L", (4, 4), 10 * index).save(root / name / f"{index}.png")
    return root


def test_classes_are_the_folders_in_order_of_names(tmp_path):
    """As torchvision's ImageFolder counts them; folders in folders are of the same class."""
    root = classes(tmp_path, cat=2, **{"ant/nest": 1})
    (root / ".cache").mkdir()
    found = labelled.folder(root)
    assert found.classes == ("ant", "cat")
    assert found.labels == (0, 1, 1)
    assert found.read(2).getpixel((0, 0)) == (10, 10, 10)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "0 of at least 2 classes"),
        ({"only": 3}, "1 of at least 2 classes"),
        ({"a": 1, "b": 0, "c": 0}, "no image in b, c"),
    ],
)
def test_folders_that_tell_nothing_apart_are_refused(tmp_path, counts, words):
    """All empty classes are named at once."""
    with pytest.raises(BadConfiguration, match=words):
        labelled.folder(classes(tmp_path, **counts))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """The message has its path."""
    with pytest.raises(BadConfiguration, match=re.escape(str(tmp_path / "nowhere"))):
        labelled.folder(tmp_path / "nowhere")


def test_a_fifth_of_each_class_is_set_apart_always_the_same(tmp_path):
    """No image is on both sides, none is lost, and trials of a study see the same ones."""
    found = labelled.folder(classes(tmp_path, a=10, b=2))
    (train, apart), again = labelled.split(found), labelled.split(found)
    assert [apart.labels.count(label) for label in (0, 1)] == [2, 1]
    assert [train.labels.count(label) for label in (0, 1)] == [8, 1]
    shades = [
        sorted(part.read(i).getpixel((0, 0)) for i in range(len(part)) if part.labels[i] == 0)
        for part in (train, apart)
    ]
    assert sorted(shades[0] + shades[1]) == [(10 * i,) * 3 for i in range(10)]
    assert again[1].read(0).tobytes() == apart.read(0).tobytes()


def test_a_class_with_one_image_cannot_be_split(tmp_path):
    """It would be missing on one side."""
    with pytest.raises(BadConfiguration, match="class b: two images at least"):
        labelled.split(labelled.folder(classes(tmp_path, a=2, b=1)))


def test_digits_are_three_sets_that_share_nothing():
    """Train, evaluation and held-back images make up all 1,797."""
    sets = labelled.digits()
    assert sum(map(len, sets)) == 1797
    assert {part.classes for part in sets} == {tuple("0123456789")}
    assert sets[0].read(0).size == (8, 8)
