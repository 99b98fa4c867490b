"""Studies of the benchmarks, read and checked like any other manifest."""

from pathlib import Path

from kubetune.api import admission, reader
from kubetune.domain.study import StudySpec


def load(name: str) -> StudySpec:
    """Reads a manifest of this folder."""
    spec = admission.check(reader.read(Path(__file__).parent / name).data).spec
    assert spec is not None
    return spec
