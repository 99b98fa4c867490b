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
