"""Katib's kinds of Experiments, each with its study and what is said of it.

The files in tests/golden/katib are written anew with `KUBETUNE_GOLDEN=write`.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from kubetune.api import admission, reader
from kubetune.convert.conversion import Conversion, convert
from kubetune.domain.faults import spell

GOLDEN = Path(__file__).parents[2] / "golden" / "katib"
EXPERIMENTS = sorted((GOLDEN / "experiments").glob("*.yaml"))

by_experiment = pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)


@by_experiment
def test_an_experiment_becomes_the_study_that_was_reviewed(file: Path):
    """Every field of the study and every comment changes only where somebody has seen it."""
    made = converted(file).text
    assert made is not None
    assert made == golden(GOLDEN / "studies" / file.name, made)


@by_experiment
def test_what_differs_is_named_as_it_was_reviewed(file: Path):
    """The line of the Experiment, the field, what became of it, and what to do instead."""
    manifest = reader.read(file)
    notes = [
        f"{manifest.line(note.path)}: {spell(note.path)}: {note.kind}: {note.message}\n"
        for note in converted(file).notes
    ]
    said = "".join(sorted(notes, key=lambda line: int(line.partition(":")[0])))
    assert said == golden(GOLDEN / "notes" / f"{file.stem}.txt", said)


@by_experiment
def test_every_study_is_valid(file: Path):
    """`kubetune validate` accepts what `kubetune convert` writes, without a warning."""
    text = converted(file).text
    assert text is not None
    verdict = admission.check(reader.parse(text).data)
    assert (verdict.faults, verdict.warnings) == ((), ())


@by_experiment
def test_no_placeholder_is_left(file: Path):
    """Nothing fills in Katib's own placeholders here."""
    text = converted(file).text
    assert text is not None
    assert "${trial" not in text


def test_every_file_of_the_reviewed_is_there():
    """A case that is gone leaves nothing behind."""
    names = {file.stem for file in EXPERIMENTS}
    assert {file.stem for file in (GOLDEN / "studies").iterdir()} == names
    assert {file.stem for file in (GOLDEN / "notes").iterdir()} == names


@cache
def converted(file: Path) -> Conversion:
    return convert(reader.read(file))


def golden(path: Path, made: str) -> str:
    if os.environ.get("KUBETUNE_GOLDEN") == "write":
        path.write_text(made)
    return path.read_text()
