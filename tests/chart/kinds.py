"""Each kind of panel, drawn: what Grafana makes of the same answer, near enough to judge it."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

_SIGNS = {"s": "s", "percent": "%", "cpm": "c/m", "ops": "ops/s", "reqps": "req/s"}


def _lines(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    custom = panel["fieldConfig"]["defaults"].get("custom", {})
    curves: dict[str, dict[float, float]] = {}
    for query, series in found:
        for each in series:
            points = {float(at) - start: float(text) for at, text in each["values"]}
            last = spelled(list(points.values())[-1], unit_of(panel))
            name = f"{query.named(each['metric'])}  {last}"
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
    texts = []
    for query, series in found:
        for each in series:
            name = query.named(each["metric"])
            value = spelled(float(each["values"][-1][1]), unit_of(panel))
            texts.append(name if words else f"{name} {value}")
    axes.text(0.02, 0.5, "   ".join(texts) or "-", fontsize=13, wrap=True)


def _bars(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    named = {
        query.named(each["metric"]): float(each["values"][-1][1])
        for query, series in found
        for each in series
    }
    axes.barh(list(named), list(named.values()))
    for place, value in enumerate(named.values()):
        axes.text(value, place, f" {spelled(value, unit_of(panel))}", fontsize=7, va="center")
    axes.tick_params(labelsize=9)


def _rows(axes: Axes, found: Any, panel: Mapping[str, Any], start: float) -> None:
    axes.axis("off")
    steps = [each["id"] for each in panel["transformations"]]
    columns, cells = _matrix(found, panel) if "groupingToMatrix" in steps else _merged(found, panel)
    drawn = axes.table(cells, colLabels=columns, loc="upper left", cellLoc="left")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)


def _matrix(found: Any, panel: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """As Grafana's transformations of these names do it, with columns and rows in order."""
    steps = {each["id"]: each["options"] for each in panel["transformations"]}
    matrix, first = steps["groupingToMatrix"], _ordered(steps["organize"]["indexByName"])
    table: dict[str, dict[str, str]] = {}
    for _, series in found:
        for each in series:
            labels = each["metric"]
            row = table.setdefault(labels[matrix["rowField"]], {first[0]: labels["trial"]})
            row[labels[matrix["columnField"]]] = labels[matrix["valueField"]]
    others = sorted({name for row in table.values() for name in row if name not in first})
    by = steps["sortBy"]["sort"][0]["field"]
    numbers = {each["targetField"] for each in steps["convertFieldType"]["conversions"]}
    cells = [
        [
            spelled(float(row[name]), "none") if name in numbers else row.get(name, "")
            for name in (*first, *others)
        ]
        for row in sorted(table.values(), key=lambda row: float(row[by]))
    ]
    renamed = steps["organize"]["renameByName"]
    return [renamed.get(name, name) for name in (*first, *others)], cells


def _merged(found: Any, panel: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    options = panel["transformations"][1]["options"]
    renamed = {name: options["renameByName"][name] for name in _ordered(options["indexByName"])}
    units = {
        each["matcher"]["options"]: setting["value"]
        for each in panel["fieldConfig"]["overrides"]
        for setting in each["properties"]
        if setting["id"] == "unit"
    }
    table: dict[tuple[str, str], dict[str, str]] = {}
    for query, series in found:
        for each in series:
            labels = each["metric"]
            row = table.setdefault((labels["namespace"], labels["study"]), {})
            column = f"Value #{query.letter}"
            unit = units.get(renamed.get(column, ""), "none")
            row |= labels | {column: spelled(float(each["values"][-1][1]), unit)}
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


def unit_of(panel: Mapping[str, Any]) -> str:
    """The unit of a panel's values."""
    return str(panel["fieldConfig"]["defaults"]["unit"])


def spelled(value: float, unit: str) -> str:
    """A value as Grafana writes it in this unit, near enough."""
    if not math.isfinite(value):
        return "NaN"
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "bytes":
        return f"{value / 2**30:.3g} GiB"
    text = f"{value:.4g}"
    return f"{text} {_SIGNS[unit]}" if unit in _SIGNS else text


KINDS: Mapping[str, Any] = {
    "timeseries": _lines,
    "stat": _figures,
    "bargauge": _bars,
    "table": _rows,
    "state-timeline": _timeline,
}
