"""Models of timm: what they are made of, and what is said of what they cannot be."""

import json

import pytest
import torch
from safetensors.torch import save_file

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import models
from tests.torch.recorded import TINY_EVA

OPTIONS = json.loads(str(TINY_EVA["model_options"]))


def eva(classes=10, size=32, weights=None, source="file"):
    """The tiny EVA of the recipe's tests."""
    found = models.create(str(TINY_EVA["model"]), classes, OPTIONS)
    models.prepare(found, size, weights, source)
    return found.eval()


def test_a_model_that_timm_does_not_know_is_named():
    """The message has its name."""
    with pytest.raises(BadConfiguration, match="model: resnet_of_tomorrow"):
        models.create("resnet_of_tomorrow", 2, {})


def test_an_option_that_the_model_does_not_take_is_named():
    """The words are those of timm."""
    with pytest.raises(BadConfiguration, match=r"test_resnet: .*windows"):
        models.create("test_resnet", 2, {"windows": 3})


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_of_another_task_are_taken_but_for_the_last_layer(tmp_path, ending):
    """Ten classes become three: the body is the same, the head is new."""
    torch.manual_seed(1)
    known, path = eva(), tmp_path / f"known.{ending}"
    if ending == "pth":
        torch.save({"state_dict": known.state_dict()}, path)
    else:
        save_file(known.state_dict(), path)
    found = eva(classes=3, weights=models.read_weights(path), source=path)
    theirs, ours = known.state_dict(), found.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours if "head." not in name)
    assert ours["head.weight"].shape[0] == 3


def test_weights_are_taken_of_the_models_own_size_and_of_the_wanted_one():
    """A model at 224 pixels and one that was kept at 32 both begin a training at 32."""
    large, small = eva(size=0), eva()
    assert large.state_dict()["pos_embed"].shape != small.state_dict()["pos_embed"].shape
    pixels = torch.rand(1, 3, 32, 32)
    assert torch.equal(eva(weights=small.state_dict())(pixels), small(pixels))
    large.set_input_size(img_size=32)
    fitted = eva(weights={name: each.clone() for name, each in large.state_dict().items()})
    large.set_input_size(img_size=32)
    assert torch.equal(fitted(pixels), large(pixels))


def test_weights_of_another_model_are_refused(tmp_path):
    """With the file and some names that do not fit."""
    path = tmp_path / "resnet.safetensors"
    save_file(models.create("test_resnet", 10, {}).state_dict(), path)
    with pytest.raises(BadConfiguration, match=r"resnet\.safetensors are another model's: "):
        eva(weights=models.read_weights(path), source=path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"no weights at all"])
def test_a_file_without_weights_is_named(tmp_path, name, content):
    """Not there, empty, or something else."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadConfiguration, match=name):
        models.read_weights(path)
