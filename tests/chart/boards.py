"""The dashboards as the chart carries them: their panels, and what these ask Prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "charts" / "kubetune" / "dashboards"
NAMES = ("fleet", "study", "trial")
USUAL = {"__rate_interval": "5m", "__range": "3h", "__interval": "30s"}
"""What Grafana puts in place of its own variables, for a page of three hours."""

_VARIABLE = re.compile(r"\$\{?([a-z_]\w*)\}?")


def board(name: str) -> dict[str, Any]:
    """A dashboard's JSON."""
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))


def panels(name: str) -> list[dict[str, Any]]:
    """Its panels, without the titles of rows."""
    found = board(name)["panels"]
    return [panel for panel in found if panel["type"] != "row"]


@dataclass(frozen=True)
class Query:
    """One question of a panel."""

    board: str
    panel: str
    letter: str
    expression: str
    legend: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}: {self.letter}"

    @property
    def asked(self) -> set[str]:
        """The variables in it."""
        return set(_VARIABLE.findall(self.expression))

    def filled(self, **values: str) -> str:
        """The expression with these values in place of its variables."""
        known: Mapping[str, str] = {**USUAL, **values}
        return _VARIABLE.sub(lambda found: known[found[1]], self.expression)

    def named(self, labels: Mapping[str, str]) -> str:
        """What Grafana calls a series of the answer."""
        return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), self.legend)


def queries(name: str) -> Iterator[Query]:
    """Every question of a dashboard."""
    for panel in panels(name):
        for target in panel["targets"]:
            yield Query(
                board=name,
                panel=panel["title"],
                letter=target["refId"],
                expression=target["expr"],
                legend=target.get("legendFormat", ""),
                instant=target.get("instant", False),
            )


def variables(name: str) -> dict[str, dict[str, Any]]:
    """Its variables by name."""
    return {each["name"]: each for each in board(name)["templating"]["list"]}
