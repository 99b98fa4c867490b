"""What an exception means for the trial."""

import pytest

from kubetune_trainer.exits import BadConfiguration, TemporaryFailure, classify


class OutOfMemoryError(RuntimeError):
    """Stands where torch has a class of this name."""


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (BadConfiguration("dim: 3"), "BadConfiguration", 64),
        (TemporaryFailure("download"), "Disrupted", 75),
        (MemoryError(), "OutOfMemory", 70),
        (OutOfMemoryError("tried to allocate 2 GiB"), "OutOfMemory", 70),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "OutOfMemory", 70),
        (RuntimeError("shape mismatch"), "Crashed", 1),
        (ValueError("no"), "Crashed", 1),
        (SystemExit(3), "Crashed", 3),
        (SystemExit("text"), "Crashed", 1),
        (SystemExit(0), "", 0),
        (SystemExit(), "", 0),
        (KeyboardInterrupt(), "", 143),
    ],
)
def test_classify(error, reason, code):
    """Each exception has one reason and one exit code."""
    ending = classify(error)
    assert (ending.reason, ending.code) == (reason, code)


def test_message_names_the_exception():
    """A crash is told with its type and text."""
    assert classify(ValueError("no")).message == "ValueError: no"
