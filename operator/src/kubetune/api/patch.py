"""A manifest with another one laid over it: a JSON merge patch (RFC 7386), as kustomize does it."""

from typing import Any

from kubetune.api.manifest import Manifest
from kubetune.domain.faults import Path


def patch(below: Manifest, above: Manifest, file: str) -> Manifest:
    """Lays `above`, read from `file`, over `below`; neither is changed.

    Maps merge field by field, null takes a field away, all else (lists too) is replaced whole.
    Each part of the result knows the file and the line that it comes from.
    """
    merged = _Merged(below, above, file)
    data = merged.map(below.data, above.data, ())
    return Manifest(data, merged.lines, merged.files)


class _Merged:
    def __init__(self, below: Manifest, above: Manifest, file: str) -> None:
        self.lines = dict(below.lines)
        self.files = dict(below.files)
        self._above = above
        self._file = file

    def map(self, below: Any, above: dict[str, Any], path: Path) -> dict[str, Any]:
        merged = dict(below) if isinstance(below, dict) else {}
        for key, value in above.items():
            here = (*path, key)
            if value is None:
                merged.pop(key, None)
                self._forget(here)
            elif isinstance(value, dict):
                if not isinstance(merged.get(key), dict):
                    self._forget(here)
                    self._place(here)
                merged[key] = self.map(merged.get(key), value, here)
            else:
                self._forget(here)
                for part in self._above.lines:
                    if part[: len(here)] == here:
                        self._place(part)
                merged[key] = value
        return merged

    def _place(self, path: Path) -> None:
        self.lines[path] = self._above.line(path)
        self.files[path] = self._file

    def _forget(self, here: Path) -> None:
        for part in [part for part in self.lines if part[: len(here)] == here]:
            del self.lines[part]
            self.files.pop(part, None)
