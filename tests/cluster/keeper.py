"""Ends a cluster when the process that started it is gone, however it went.

`python -m tests.cluster.keeper FOLDER` waits until its standard input closes, which the kernel does
for the dead too.
"""

import subprocess
import sys
from pathlib import Path

from tests.cluster import home

_ROOT = Path(__file__).parents[2]


def keep(folder: Path) -> "subprocess.Popen[bytes]":
    """Starts the keeper of a cluster; close its standard input to end the cluster."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.keeper", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        start_new_session=True,
    )


if __name__ == "__main__":
    sys.stdin.read()
    home.erase(Path(sys.argv[1]))
