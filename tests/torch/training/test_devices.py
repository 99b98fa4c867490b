"""Where a trial computes."""

import pytest
import torch

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training import devices

pytestmark = pytest.mark.usefixtures("no_gpu")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("auto", torch.float32), ("fp32", torch.float32), ("bf16", torch.bfloat16)],
)
def test_a_processor(precision, dtype):
    """Without a GPU it is fp32, or bf16 where that is asked for; products are of that type."""
    found = devices.chosen(precision)
    assert (found.torch_device.type, found.dtype) == ("cpu", dtype)
    assert not found.accelerated
    assert not found.scaler().is_enabled()
    with found.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_fp16_needs_a_gpu():
    """On a processor it would be slower and worse: it is refused."""
    with pytest.raises(BadConfiguration, match="fp16 needs a GPU, write bf16 or fp32"):
        devices.chosen("fp16")


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("gpu one", 2, "eval_device: gpu one is no device, write cuda:1 or cpu"),
        ("mps", 2, "eval_device: there is no mps, the trial has cuda:0 to cuda:1"),
        ("cuda:1", 0, "eval_device: there is no cuda:1, the trial has no GPU"),
        ("cuda:1", 1, "eval_device: there is no cuda:1, the trial has cuda:0"),
    ],
)
def test_a_second_device_that_is_not_there(monkeypatch, name, count, words):
    """What was asked for, and what there is instead."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(BadConfiguration) as refused:
        devices.other(name, "eval_device")
    assert str(refused.value) == words


def test_a_second_device_that_trains_too(monkeypatch):
    """Where all devices train, none is left to evaluate on; the processor is."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(BadConfiguration, match="all devices train, set KUBETUNE_TRAINER_PROC"):
        devices.other("cuda:1", "eval_device")
    assert devices.other("cpu", "eval_device") == torch.device("cpu")
