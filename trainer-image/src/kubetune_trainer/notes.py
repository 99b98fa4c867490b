"""What a trial says beside its values."""

import sys


def note(words: str) -> None:
    """A line for who looks at the trial's log."""
    sys.stderr.write(f"kubetune-trainer: {words}\n")
    sys.stderr.flush()
