"""A disk that can be filled."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE_BYTES = 1 << 20
LARGEST_FILE_BYTES = 16 << 10


class SmallDisk:
    """A file system of a megabyte; where none may be mounted, a limit on the size of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)]
        mounted = os.geteuid() == 0 and subprocess.run(words, check=False).returncode == 0
        self._mounted = mounted
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """From now on nothing of more than a few kilobytes can be written."""
        if not self._mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, self._limits[1]))
            return
        room = os.statvfs(self.folder).f_bavail * os.statvfs(self.folder).f_frsize
        (self.folder / "filler").write_bytes(bytes(room - LARGEST_FILE_BYTES))

    def free(self) -> None:
        """There is room again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Leaves nothing mounted."""
        self.free()
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path_factory.mktemp("disk"))
    yield disk
    disk.close()
