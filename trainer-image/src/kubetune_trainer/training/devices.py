"""Where a trial computes, and in what precision."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from kubetune_trainer.exits import BadConfiguration

Precision: TypeAlias = Literal["auto", "fp32", "bf16", "fp16"]
"""`auto` is bf16 on an accelerator that has it, else fp32."""

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Device:
    """One device and the type that matrix products are computed in.

    Weights that are trained and optimizer state stay fp32 whatever the type is.
    """

    torch_device: torch.device
    dtype: torch.dtype

    @property
    def accelerated(self) -> bool:
        """Whether it is a GPU."""
        return self.torch_device.type == "cuda"

    def autocast(self) -> AbstractContextManager[object]:
        """The block in which forward passes run."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.torch_device.type, dtype=self.dtype)

    def scaler(self) -> torch.amp.GradScaler:
        """Scales losses where fp16 would lose small gradients; does nothing elsewhere."""
        return torch.amp.GradScaler(self.torch_device.type, enabled=self.dtype == torch.float16)


def chosen(precision: Precision = "auto") -> Device:
    """The GPU of this process, or the CPU.

    Raises:
        BadConfiguration: fp16 on a CPU, where it is slower than fp32 and worse.
    """
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads and threads.isdecimal():
        torch.set_num_threads(int(threads))
    if not torch.cuda.is_available():
        if precision == "fp16":
            raise BadConfiguration("precision: fp16 needs a GPU, write bf16 or fp32")
        return Device(torch.device("cpu"), _TYPES.get(precision, torch.float32))
    index = int(os.environ.get("LOCAL_RANK", "0"))
    torch.cuda.set_device(index)
    best = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return Device(torch.device("cuda", index), _TYPES.get(precision, best))


def other(name: str, field: str) -> torch.device:
    """A device beside the one that trains; `field` is where it was asked for.

    Raises:
        BadConfiguration: there is no such device, or every process of the trial has one.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise BadConfiguration(f"{field}: {name} is no device, write cuda:1 or cpu") from None
    if device.type == "cpu":
        return device
    count = torch.cuda.device_count()
    if device.type != "cuda" or (device.index or 0) >= count:
        had = "no GPU" if not count else f"cuda:0 to cuda:{count - 1}" if count > 1 else "cuda:0"
        raise BadConfiguration(f"{field}: there is no {name}, the trial has {had}")
    if torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
        words = "all devices train, set KUBETUNE_TRAINER_PROCESSES to 1"
        raise BadConfiguration(f"{field}: {words}")
    return device
