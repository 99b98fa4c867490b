"""The page of the recipes."""

from pathlib import Path

from kubetune_trainer import reference
from kubetune_trainer.main import RECIPES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "recipes.md"


def test_the_committed_page_is_the_generated_one() -> None:
    """Every recipe's parameters stand there as they are: run `make generate-torch` if not."""
    assert PAGE.read_text(encoding="utf-8") == reference.page(RECIPES)
