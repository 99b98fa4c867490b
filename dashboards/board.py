"""All dashboards by their file's name, and how they become JSON."""

from collections.abc import Callable, Mapping

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import fleet, study, trial

DASHBOARDS: Mapping[str, Callable[[], Dashboard]] = {
    "fleet": fleet.dashboard,
    "study": study.dashboard,
    "trial": trial.dashboard,
}


def text(board: Dashboard) -> str:
    """The JSON, the same for the same dashboard; its panels are numbered as they stand."""
    made = board.build()
    for number, panel in enumerate(made.panels or (), 1):
        panel.id_val = number
    return JSONEncoder(sort_keys=True, indent=2).encode(made) + "\n"
