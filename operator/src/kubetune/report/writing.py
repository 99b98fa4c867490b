"""Writes the report into a folder, each file whole or not at all."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.report import findings as found
from kubetune.report.document import document
from kubetune.report.results import results

CONFIGURATION = "best_config.yaml"
RESULTS = "results.json"
REPORT = "REPORT.md"


@dataclass(frozen=True, slots=True)
class Written:
    """The files that are there now; `configuration` is None when no trial is fit to retrain."""

    report: Path
    results: Path
    configuration: Path | None


def write(
    folder: Path, spec: StudySpec, trials: Sequence[Trial], status: StudyStatus | None = None
) -> Written:
    """Writes REPORT.md, results.json and best_config.yaml; makes the folder where it is missing.

    Without a complete, feasible trial there is no best_config.yaml, and an older one is removed.

    Raises:
        OSError: the folder cannot be written to.
    """
    from kubetune.report.configuration import configuration  # noqa: PLC0415 - loads a YAML writer

    folder.mkdir(parents=True, exist_ok=True)
    findings = found.gather(spec, trials, status)
    text = configuration(findings)
    target: Path | None = folder / CONFIGURATION
    if text is None:
        (folder / CONFIGURATION).unlink(missing_ok=True)
        target = None
    else:
        _replace(folder / CONFIGURATION, text)
    _replace(folder / RESULTS, results(findings))
    _replace(folder / REPORT, document(findings))
    return Written(folder / REPORT, folder / RESULTS, target)


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            stream.write(text)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
