"""What recipes are tried on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kubetune_trainer.contract import Value
from tests.torch.recipes.subjects import subject


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
