"""What stands in a file: Experiments to convert, and other things, refused by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kubetune.api.manifest import Manifest
from kubetune.domain.faults import Fault, Path

KIND = "Experiment"
GROUP = "kubeflow.org"
VERSION = "v1beta1"
_LISTS = frozenset({"List", "ExperimentList"})
_INSTEAD = {
    "TuningStudy": "is a study already: kubetune validate checks it",
    "Trial": "is made by Katib from its Experiment: convert that one",
    "Suggestion": "is made by Katib from its Experiment: convert that one",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One resource of a file: its name for people, and why it is none to convert."""

    name: str
    manifest: Manifest
    fault: Fault | None = None


def split(manifests: tuple[Manifest, ...]) -> tuple[Document, ...]:
    """Every resource, those of lists one by one."""
    return tuple(_document(one) for manifest in manifests for one in _items(manifest))


def is_experiment(manifest: Manifest) -> bool:
    """Whether a manifest is a Katib Experiment, of whatever version."""
    group = _word(manifest.data.get("apiVersion")).partition("/")[0]
    return manifest.data.get("kind") == KIND and group == GROUP


def _items(manifest: Manifest) -> Iterator[Manifest]:
    """The items of a list, as `kubectl get -o yaml` prints several; else the manifest itself."""
    items = manifest.data.get("items")
    if manifest.data.get("kind") not in _LISTS or not isinstance(items, list):
        yield manifest
        return
    for index, item in enumerate(items):
        top: Path = ("items", index)
        lines = {path[2:]: line for path, line in manifest.lines.items() if path[:2] == top}
        yield Manifest(item if isinstance(item, dict) else {}, lines)


def _document(manifest: Manifest) -> Document:
    kind, version = manifest.data.get("kind"), manifest.data.get("apiVersion")
    name = f"{_word(kind) or 'something'} {_word(_name(manifest)) or 'without a name'}"
    number = _word(version).partition("/")[2]
    if not is_experiment(manifest):
        why = _INSTEAD.get(_word(kind), "is no Katib Experiment: it is not converted")
        return Document(name, manifest, Fault(("kind",), f"{name} {why}"))
    if number != VERSION:
        message = f"{name} is of {number}: only {GROUP}/{VERSION} is read; write it so"
        return Document(name, manifest, Fault(("apiVersion",), message))
    return Document(name, manifest)


def _name(manifest: Manifest) -> Any:
    metadata = manifest.data.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
