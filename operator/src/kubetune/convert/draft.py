"""A study in the making: its fields, the comments beside them, and where they come from."""

from typing import Any

from kubetune.convert.findings import Findings, Kind
from kubetune.domain.faults import Path

API_VERSION = "kubetune.io/v1alpha1"
KIND = "TuningStudy"
_ORDER = (
    "objectives", "parameters", "fixed", "sampler", "pruner", "trials", "metrics", "trialTemplate",
)  # fmt: skip


class Draft:
    """Collects what the parts of a conversion write."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.metadata: dict[str, Any] = {}
        self.spec: dict[str, Any] = {}
        self.comments: dict[Path, list[str]] = {}
        self._origins: dict[Path, Path] = {}

    @property
    def study(self) -> dict[str, Any]:
        """The manifest, its fields in the order of the reference."""
        spec = {name: self.spec[name] for name in _ORDER if name in self.spec}
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": self.metadata, "spec": spec}

    def put(self, name: str, value: Any, origin: Path) -> None:
        """Writes a field of the spec; `origin` is where a fault of it stands in the Experiment."""
        self.spec[name] = value
        self.come_from(("spec", name), origin)

    def come_from(self, path: Path, origin: Path) -> None:
        """Remembers where a part of the study stands in the Experiment."""
        self._origins[path] = origin

    def origin(self, path: Path) -> Path:
        """Where a part of the study, or the nearest part above it, stands in the Experiment."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._origins:
                return (*self._origins[path[:end]], *path[end:])
        return path

    def comment(self, at: Path, text: str) -> None:
        """Puts a comment above a field of the study; lines of the text stay lines."""
        lines = self.comments.setdefault(at, [])
        if text not in lines:
            lines.append(text)

    def note(self, kind: Kind, path: Path, message: str, at: Path | None = None) -> None:
        """Notes what became of a part of the Experiment, and says so beside what it became."""
        self.findings.note(kind, path, message)
        if at is not None:
            self.comment(at, f"{kind}: {_field(path)}{message}")


def _field(path: Path) -> str:
    """The field that a comment speaks of; of a setting the message says the name."""
    names = [part for part in path if isinstance(part, str)]
    return "" if names[-1] == "value" else f"{names[-1]}: "
