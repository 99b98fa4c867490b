"""`kubetune convert`: Katib Experiments as studies, and what has no counterpart."""

import sys
from collections import Counter
from pathlib import Path

from kubetune.api import reader
from kubetune.api.manifest import Manifest, Unreadable
from kubetune.cli.output import Exit, fail, say
from kubetune.convert import conversion, documents
from kubetune.convert.conversion import Conversion
from kubetune.domain.faults import Fault, spell


def convert(file: Path, output: Path | None, strict: bool) -> None:
    """Converts every Experiment of a file and ends the program: 0 when all of it passed over."""
    if output is not None and output.exists() and file.exists() and output.samefile(file):
        fail(f"{output}: is the Experiment itself: write another -o")
    texts, done = [], True
    for document in _read(file):
        if document.fault is not None:
            _show_faults(file, document.manifest, (document.fault,))
            done = False
            continue
        converted = conversion.convert(document.manifest)
        _show(file, document.name, document.manifest, converted)
        if converted.text is None:
            done = False
            continue
        texts.append(converted.text)
        done &= converted.lossless or not strict
    _write("---\n".join(texts), output)
    raise SystemExit(int(Exit.DONE if done else Exit.FAILED))


def _read(file: Path) -> tuple[documents.Document, ...]:
    try:
        found = documents.split(reader.read_all(file))
    except Unreadable as error:
        for line, message in error.faults:
            say(f"{file}:{line}: {message}")
        raise SystemExit(int(Exit.FAILED)) from None
    if not found:
        say(f"{file}:1: empty: write a Katib Experiment")
        raise SystemExit(int(Exit.FAILED))
    return found


def _show(file: Path, name: str, manifest: Manifest, converted: Conversion) -> None:
    lines = [
        (manifest.line(note.path), f"{spell(note.path)}: {note.kind}: {note.message}")
        for note in converted.notes
    ]
    for line, text in sorted(lines, key=lambda pair: pair[0]):
        say(f"{file}:{line}: {text}")
    _show_faults(file, manifest, converted.faults)
    if converted.text is None:
        say(f"{file}: {name}: not converted")
        return
    counts = Counter(str(note.kind) for note in converted.notes)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing to do"
    say(f"{file}: {name}: converted: {told}")


def _show_faults(file: Path, manifest: Manifest, faults: tuple[Fault, ...]) -> None:
    for fault in sorted(faults, key=lambda fault: manifest.line(fault.path)):
        say(f"{file}:{manifest.line(fault.path)}: {spell(fault.path)}: {fault.message}")


def _write(text: str, output: Path | None) -> None:
    if not text:
        return
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}")
