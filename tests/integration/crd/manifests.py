"""Studies for the API server, from the manifests that admission is tested with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kubetune.api import reader

STUDIES = Path(__file__).parents[2] / "unit" / "api" / "studies"
BASE = (STUDIES / "base.yaml").read_text()
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
