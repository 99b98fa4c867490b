"""Manifests on the command line: read, checked, and their faults shown with file and line."""

from dataclasses import dataclass
from pathlib import Path

from kubetune.api import admission, reader
from kubetune.api.admission import Admission
from kubetune.api.manifest import Manifest, Unreadable
from kubetune.cli.output import Exit, say
from kubetune.convert.documents import is_experiment
from kubetune.domain.faults import Fault, spell
from kubetune.domain.study import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fault or warning: where it stands, and what it says."""

    line: int
    path: str
    message: str
    column: int | None = None

    def show(self, file: Path) -> str:
        """`study.yaml:12: spec.trials.max: ...`."""
        field = f"{self.path}: " if self.path else ""
        at = f" (at column {self.column} of the expression)" if self.column else ""
        return f"{file}:{self.line}: {field}{self.message}{at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A manifest and all that admission says of it."""

    file: Path
    faults: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()
    admission: Admission | None = None


def check(file: Path) -> Checked:
    """Reads and checks one file; what cannot be read is a fault too."""
    try:
        manifest = reader.read(file)
    except Unreadable as error:
        faults = tuple(Line(line=line, path="", message=text) for line, text in error.faults)
        return Checked(file=file, faults=faults)
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}"
        return Checked(file=file, faults=(Line(line=1, path="", message=text),))
    if is_experiment(manifest):
        text = "a Katib Experiment: `kubetune convert` makes a study of it"
        line = Line(line=manifest.line(("kind",)), path="kind", message=text)
        return Checked(file=file, faults=(line,))
    verdict = admission.check(manifest.data)
    return Checked(
        file=file,
        faults=_lines(manifest, verdict.faults),
        warnings=_lines(manifest, verdict.warnings),
        admission=verdict,
    )


def load(file: Path) -> StudySpec:
    """The study of a valid manifest; ends the program with every fault of another."""
    checked = check(file)
    for line in checked.warnings:
        say(f"warning: {line.show(file)}")
    if checked.admission is None or checked.admission.spec is None:
        show_faults(checked)
        raise SystemExit(int(Exit.UNUSABLE))
    return checked.admission.spec


def show_faults(checked: Checked) -> None:
    """Shows the faults of one manifest, a line each, in order of lines."""
    for line in checked.faults:
        say(line.show(checked.file))


def _lines(manifest: Manifest, faults: tuple[Fault, ...]) -> tuple[Line, ...]:
    lines = [
        Line(
            line=manifest.line(fault.path),
            path=spell(fault.path),
            message=fault.message,
            column=fault.column,
        )
        for fault in faults
    ]
    return tuple(sorted(lines, key=lambda line: line.line))
