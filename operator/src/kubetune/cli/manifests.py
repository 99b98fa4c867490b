"""Manifests on the command line: read, checked, and their faults shown with file and line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubetune.api import admission, reader
from kubetune.api.admission import Admission
from kubetune.api.manifest import Manifest, Unreadable
from kubetune.api.patch import patch
from kubetune.cli.output import Exit, say
from kubetune.convert.documents import is_experiment
from kubetune.domain.faults import Fault, spell
from kubetune.domain.study import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fault or warning: where it stands, and what it says."""

    file: Path
    line: int
    path: str
    message: str
    column: int | None = None

    def show(self) -> str:
        """`study.yaml:12: spec.trials.max: ...`."""
        field = f"{self.path}: " if self.path else ""
        at = f" (at column {self.column} of the expression)" if self.column else ""
        return f"{self.file}:{self.line}: {field}{self.message}{at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A manifest, with its patches laid over it, and all that admission says of it."""

    file: Path
    faults: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()
    manifest: Manifest | None = None
    admission: Admission | None = None


def check(file: Path, patches: Sequence[Path] = ()) -> Checked:
    """Reads and checks one file with its patches; what cannot be read is a fault too."""
    faults: list[Line] = []
    manifest, *above = (_read(one, faults) for one in (file, *patches))
    if manifest is None or faults:
        return Checked(file=file, faults=tuple(faults))
    for one, over in zip(patches, above, strict=True):
        if over is not None:
            manifest = patch(manifest, over, str(one))
    if is_experiment(manifest):
        text = "a Katib Experiment: `kubetune convert` makes a study of it"
        line = Line(file=file, line=manifest.line(("kind",)), path="kind", message=text)
        return Checked(file=file, faults=(line,))
    verdict = admission.check(manifest.data)
    return Checked(
        file=file,
        faults=_lines(file, manifest, verdict.faults),
        warnings=_lines(file, manifest, verdict.warnings),
        manifest=manifest,
        admission=verdict,
    )


def load(file: Path, patches: Sequence[Path] = ()) -> tuple[StudySpec, Manifest]:
    """The study of a valid manifest; ends the program with every fault of another."""
    checked = check(file, patches)
    for line in checked.warnings:
        say(f"warning: {line.show()}")
    verdict = checked.admission
    if verdict is None or verdict.spec is None or checked.manifest is None:
        show_faults(checked)
        raise SystemExit(int(Exit.UNUSABLE))
    return verdict.spec, checked.manifest


def show_faults(checked: Checked) -> None:
    """Shows the faults of one manifest, a line each, in order of lines."""
    for line in checked.faults:
        say(line.show())


def _read(file: Path, faults: list[Line]) -> Manifest | None:
    try:
        return reader.read(file)
    except Unreadable as error:
        faults += [Line(file=file, line=at, path="", message=text) for at, text in error.faults]
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}"
        faults.append(Line(file=file, line=1, path="", message=text))
    return None


def _lines(file: Path, manifest: Manifest, faults: tuple[Fault, ...]) -> tuple[Line, ...]:
    lines = [
        Line(
            file=Path(manifest.file(fault.path) or file),
            line=manifest.line(fault.path),
            path=spell(fault.path),
            message=fault.message,
            column=fault.column,
        )
        for fault in faults
    ]
    return tuple(sorted(lines, key=lambda line: (line.file != file, line.file, line.line)))
