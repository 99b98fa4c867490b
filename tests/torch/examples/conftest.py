"""Examples at small scale, each in a folder of its own, with tiny models that are there already."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.following import copy_examples


@pytest.fixture
def beside(tmp_path: Path):
    """Puts folders where an example's README would make them, in its own `data/tiny`."""

    def put(example: str, made: Mapping[str, Path]) -> Path:
        folder = copy_examples(tmp_path) / example
        (folder / "data/tiny").mkdir(parents=True)
        for name, source in made.items():
            (folder / "data/tiny" / name).symlink_to(source)
        return folder

    return put
