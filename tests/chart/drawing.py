"""Draws what panels would show, for people who want to look at it without a Grafana.

`python -m tests.chart.drawing FOLDER` draws again what a run has left in FOLDER/answers.json.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.chart.boards import NAMES, Query, panels, queries
from tests.chart.kinds import KINDS

mpl.use("Agg")

Answers = Mapping[Query, list[dict[str, Any]]]


def keep(answers: Answers, start: float, folder: Path) -> None:
    """Leaves the answers of a run where `draw` finds them."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [[str(query), series] for query, series in answers.items()]
    (folder / "answers.json").write_text(json.dumps({"start": start, "answers": found}))


def kept(folder: Path) -> tuple[Answers, float]:
    """What a run has left, for the queries that there are now."""
    told = json.loads((folder / "answers.json").read_text())
    found = dict(told["answers"])
    every = [query for name in NAMES for query in queries(name)]
    return {query: found.get(str(query), []) for query in every}, told["start"]


def draw(answers: Answers, start: float, folder: Path) -> None:
    """A sheet for each dashboard: its panels in their places."""
    for name in NAMES:
        shown = panels(name)
        height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in shown)
        sheet = Figure(figsize=(18, height * 0.5), layout="none")
        for panel in shown:
            mine = [
                query for query in answers if (query.board, query.panel) == (name, panel["title"])
            ]
            place = panel["gridPos"]
            axes = sheet.add_axes(
                (
                    place["x"] / 24 + 0.025,
                    1 - (place["y"] + place["h"]) / height + 0.5 / height,
                    place["w"] / 24 - 0.04,
                    (place["h"] - 1.5) / height,
                )
            )
            axes.set_title(panel["title"], fontsize=10, loc="left")
            KINDS[panel["type"]](axes, [(query, answers[query]) for query in mine], panel, start)
        sheet.savefig(folder / f"{name}.png", dpi=60)


if __name__ == "__main__":
    draw(*kept(Path(sys.argv[1])), Path(sys.argv[1]))
