"""`python -m dashboards FOLDER` writes every dashboard as NAME.json there."""

import sys
from pathlib import Path

from dashboards.board import DASHBOARDS, text

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in DASHBOARDS.items():
        (folder / f"{name}.json").write_text(text(made()))
