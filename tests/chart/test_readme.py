"""The chart's README is what helm-docs makes of values.yaml."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.helm import CHART, docs_binary


@pytest.mark.timeout(300)
def test_the_readme_is_up_to_date(tmp_path: Path) -> None:
    """`make generate-chart` writes it; every value is in it."""
    copied = shutil.copytree(CHART, tmp_path / "kubetune")
    words = [str(docs_binary()), f"--chart-search-root={tmp_path}", "--log-level=warning"]
    subprocess.run(words, check=True, capture_output=True)
    assert (copied / "README.md").read_text() == (CHART / "README.md").read_text()
