"""Studies for the API server, from the manifests that admission is tested with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kubetune.api import reader

STUDIES = Path(__file__).parents[2] / "unit" / "api" / "studies"
BASE = (STUDIES / "base.yaml").read_text()
COURSE = BASE.replace(
    "  trials:\n",
    """\
  phases:
  - {name: first, trials: 5, gate: {require: "outcomes.good >= 1"}}
  - {name: second, trials: 6, narrow: {aroundTop: 3}, when: "trials.complete > 1"}
  - name: third
    trials: 7
    sampler: {algorithm: Random, seed: 3}
    parameters:
    - {name: dropout, type: Double, min: 0, max: 0.5}
    - {name: rate, type: Double, min: 1e-5, max: 1e-1, scale: Log}
  trials:
""",
    1,
)
API = "/apis/kubetune.io/v1alpha1"


def table(path: Path) -> list[dict[str, Any]]:
    """The cases of a table."""
    cases: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(path)
    return cases


def changed(*changes: Mapping[str, str], text: str = BASE) -> str:
    """The base with texts replaced, each once."""
    for change in changes:
        assert change["from"] in text, "the case changes nothing"
        text = text.replace(change["from"], change["to"], 1)
    return text


def study(text: str = BASE, **metadata: str) -> dict[str, Any]:
    """A manifest as plain data."""
    data = reader.parse(text).data
    data["metadata"] = {**data.get("metadata", {}), **metadata}
    return data


def path(namespace: str, name: str = "") -> str:
    """Where studies of a namespace are, or one of them."""
    return f"{API}/namespaces/{namespace}/tuningstudies" + (f"/{name}" if name else "")
