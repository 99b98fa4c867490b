"""One forward and backward pass of a task, outside of the loop."""

from collections.abc import Sequence
from typing import Any

import torch

from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.task import Batch, Task


def moved(batch: Batch, device: torch.device) -> dict[str, Any]:
    """The batch with its tensors on the device."""
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for name, value in batch.items()
    }


def mean_loss(task: Task, batches: Sequence[Batch], device: Device) -> float:
    """Over the targets of a step's batches, in training mode; adds up the gradients, if any."""
    targets = sum(task.targets(batch) for batch in batches)
    task.module.train()
    return sum(_backward(task, batch, device, targets) for batch in batches) / targets


def _backward(task: Task, batch: Batch, device: Device, targets: float) -> float:
    """Adds the batch's part of the gradient of the mean loss over `targets`; its summed loss.

    Without gradients it is the loss alone.
    """
    with device.autocast():
        loss = task.loss(task.module, moved(batch, device.torch_device))
    if loss.requires_grad:
        (loss / targets).backward()
    return float(loss.detach())
