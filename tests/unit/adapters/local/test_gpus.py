"""GPUs are shared out so that no two live runs hold the same one."""

import pytest

from kubetune.adapters.local.gpus import Gpus, find_gpus, parse_listing

LISTING = """\
GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100 80GB (UUID: GPU-bbbb-2)
  MIG 3g.40gb     Device  0: (UUID: MIG-cccc-3)
  MIG 3g.40gb     Device  1: (UUID: MIG-dddd-4)
"""


def test_no_gpu_is_given_twice() -> None:
    """A taken GPU is free again only when its run has ended."""
    gpus = Gpus(["0", "1", "2"])
    assert gpus.take(2) == ("0", "1")
    assert gpus.take(2) is None
    assert gpus.take(1) == ("2",)
    gpus.free(("0", "1"))
    assert gpus.take(2) == ("0", "1")


def test_those_of_a_found_run_are_held() -> None:
    """A run that outlived its tuner keeps its GPUs."""
    gpus = Gpus(["0", "1"])
    gpus.hold(("0",))
    assert gpus.take(1) == ("1",)


def test_a_machine_without_gpus_makes_nobody_wait() -> None:
    """Without any GPU a trial runs without."""
    assert Gpus([]).take(1) == ()


def test_slices_stand_for_their_gpu() -> None:
    """A GPU that is cut into MIG slices cannot be used as a whole."""
    assert parse_listing(LISTING) == ["GPU-aaaa-1", "MIG-cccc-3", "MIG-dddd-4"]


@pytest.mark.parametrize("text", ["", "NVIDIA-SMI has failed because ...", "No devices found."])
def test_a_driver_that_fails_lists_none(text: str) -> None:
    """Error text is not taken for GPUs."""
    assert parse_listing(text) == []


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        ("0,2", ["0", "2"]),
        (" GPU-aaaa , MIG-b ", ["GPU-aaaa", "MIG-b"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["0"]),
        ("NoDevFiles", []),
    ],
)
def test_the_users_choice_decides(visible: str, found: list[str]) -> None:
    """`CUDA_VISIBLE_DEVICES` is read as CUDA reads it, and the driver is then not asked."""
    assert find_gpus({"CUDA_VISIBLE_DEVICES": visible}, lambda: LISTING) == found


def test_without_a_choice_the_driver_is_asked() -> None:
    """All GPUs that the driver lists are used."""
    assert find_gpus({}, lambda: LISTING) == parse_listing(LISTING)
