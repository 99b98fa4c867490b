"""Draws what panels would show, for people who want to look at it without a Grafana.

`python -m tests.chart.drawing FOLDER` draws again what a run has left in FOLDER/answers.json.
"""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.chart.boards import NAMES, Query, panels, queries

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
            unit = panel["fieldConfig"]["defaults"]["unit"]
            axes.set_title(f"{panel['title']} [{unit}]", fontsize=10, loc="left")
            _KINDS[panel["type"]](axes, [(query, answers[query]) for query in mine], panel, start)
        sheet.savefig(folder / f"{name}.png", dpi=60)


def _lines(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    curves: dict[str, dict[float, float]] = {}
    for query, series in found:
        for each in series:
            points = {float(at) - start: float(text) for at, text in each["values"]}
            name = f"{query.named(each['metric'])}  {_short(list(points.values())[-1])}"
            curves[name] = points
    if custom.get("stacking", {}).get("mode") == "normal":
        times = sorted({at for points in curves.values() for at in points})
        heights = [[points.get(at, 0.0) for at in times] for points in curves.values()]
        axes.stackplot(times, heights, labels=list(curves), step="post", alpha=0.6)
    else:
        for name, points in curves.items():
            axes.plot(list(points), list(points.values()), ".-", linewidth=1, ms=3, label=name)
    if custom.get("scaleDistribution", {}).get("type") == "log":
        axes.set_yscale("log")
    axes.tick_params(labelsize=8)
    if curves:
        axes.legend(fontsize=7, ncols=1 + len(curves) // 9, framealpha=0.5)


def _figures(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    axes.axis("off")
    words = panel["options"].get("textMode") == "name"
    texts = [
        query.named(each["metric"])
        if words
        else f"{query.named(each['metric'])} {_short(float(each['values'][-1][1]))}"
        for query, series in found
        for each in series
    ]
    axes.text(0.02, 0.5, "   ".join(texts) or "-", fontsize=13, wrap=True)


def _bars(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    named = {
        query.named(each["metric"]): float(each["values"][-1][1])
        for query, series in found
        for each in series
    }
    axes.barh(list(named), list(named.values()))
    for place, value in enumerate(named.values()):
        axes.text(value, place, f" {_short(value)}", fontsize=7, va="center")
    axes.tick_params(labelsize=9)


def _rows(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    axes.axis("off")
    steps = [each["id"] for each in panel["transformations"]]
    columns, cells = _matrix(found, panel) if "groupingToMatrix" in steps else _merged(found, panel)
    drawn = axes.table(cells, colLabels=columns, loc="upper left", cellLoc="left")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)


def _matrix(found: Any, panel: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    options = panel["transformations"][0]["options"]
    table: dict[str, dict[str, str]] = {}
    for _, series in found:
        for each in series:
            labels = each["metric"]
            row = table.setdefault(labels[options["rowField"]], {})
            row[labels[options["columnField"]]] = labels[options["valueField"]]
    columns = sorted({name for row in table.values() for name in row})
    cells = [
        [name, *(row.get(column, "") for column in columns)] for name, row in sorted(table.items())
    ]
    return ["rank and trial", *columns], cells


def _merged(found: Any, panel: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    options = panel["transformations"][1]["options"]
    renamed = {name: options["renameByName"][name] for name in _ordered(options["indexByName"])}
    table: dict[tuple[str, str], dict[str, str]] = {}
    for query, series in found:
        for each in series:
            labels = each["metric"]
            row = table.setdefault((labels["namespace"], labels["study"]), {})
            row |= labels | {f"Value #{query.letter}": _short(float(each["values"][-1][1]))}
    cells = [[row.get(column, "") for column in renamed] for row in table.values()]
    return list(renamed.values()), cells


def _ordered(places: Mapping[str, int]) -> list[str]:
    return sorted(places, key=lambda name: places[name])


def _timeline(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    names: list[str] = []
    for query, series in found:
        for each in sorted(series, key=lambda one: int(one["metric"]["kubetune_io_trial"])):
            names.append(query.named(each["metric"]))
            for at, text in each["values"]:
                shade = 0.2 + 0.7 * float(text)
                axes.barh(len(names) - 1, 1, left=at - start, color=(0.1, 0.2, 0.6, shade))
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)


def _short(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "NaN"


_KINDS: Mapping[str, Any] = {
    "timeseries": _lines,
    "stat": _figures,
    "bargauge": _bars,
    "table": _rows,
    "state-timeline": _timeline,
}


if __name__ == "__main__":
    draw(*kept(Path(sys.argv[1])), Path(sys.argv[1]))
