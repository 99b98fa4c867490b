"""What recipes are tried on."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from kubetune_trainer.contract import Value
from tests.torch.recipes.subjects import subject
from tests.torch.recorded import Recorded, run


@pytest.fixture
def subject_of(
    tiny_lm: Path, definitions: Path, tiny_sd: Path, pictures: Path
) -> Callable[[str], dict[str, Value]]:
    """The parameters of a recipe that another one looks at."""
    folders = {
        "tiny_lm": tiny_lm,
        "definitions": definitions,
        "tiny_sd": tiny_sd,
        "pictures": pictures,
    }
    return lambda recipe: subject(recipe, **folders)


@pytest.fixture
def tried(tmp_path: Path, subject_of: Callable[[str], dict[str, Value]]) -> Callable[..., Recorded]:
    """Runs one recipe on another one, in a folder of its own, and gives what it reported."""
    numbers = itertools.count()

    def ran(
        recipe: str, objective: str, on: str, folder: Path | None = None, **more: Value
    ) -> Recorded:
        folder = folder or tmp_path / str(next(numbers))
        folder.mkdir(exist_ok=True)
        return run(recipe, Recorded(folder, {**subject_of(on), **more}, objectives=(objective,)))

    return ran
