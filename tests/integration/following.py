"""The commands of an example's README, run as a person would, in a copy of the examples."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
PROGRAMS = Path(sys.executable).parent
SECONDS = 300
"""A command of an example that takes longer has hung."""


def commands(readme: Path) -> list[str]:
    """The lines of its `sh` blocks, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def copy_examples(folder: Path) -> Path:
    """The examples in a folder, without what somebody made there by following them."""
    made = shutil.ignore_patterns("runs", "data", "models")
    return Path(shutil.copytree(EXAMPLES, folder / "examples", ignore=made))


def follow(
    example: str,
    folder: Path,
    *,
    seconds: float = SECONDS,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """What each command of an example's README says, run in a folder that gets the examples.

    `cd` holds for the commands after it, and says nothing. Examples that are there already are
    taken as they are: the test has put something beside them.
    """
    if not (folder / "examples").exists():
        copy_examples(folder)
    said = []
    for line in commands(EXAMPLES / example / "README.md"):
        program, *words = shlex.split(line)
        if program == "cd":
            folder /= words[0]
            continue
        done = subprocess.run(
            [str(PROGRAMS / program), *words],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    return said
