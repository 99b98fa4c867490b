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
from kubetune.report.findings import Findings
from kubetune.report.plots.pages import LIBRARY, Pages, library
from kubetune.report.plots.picture import FOLDER, NAMES, Album
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
    album: Album | None = None

    @property
    def plots(self) -> int:
        """How many plots were drawn."""
        return sum(bool(picture.png) for picture in self.album.pictures) if self.album else 0


def write(
    folder: Path,
    spec: StudySpec,
    trials: Sequence[Trial],
    status: StudyStatus | None = None,
    *,
    pages: Pages | None = None,
    namespace: str = "",
) -> Written:
    """Writes REPORT.md, results.json and best_config.yaml; makes the folder where it is missing.

    Without a complete, feasible trial there is no best_config.yaml, and an older one is removed.
    `namespace` is that of a study of a cluster.
    With `pages`, Optuna's figures, there are plots in a folder of their own. Plots of an earlier
    report that were not drawn again are removed.

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
    drawn = _drawn(findings, pages) if pages else None
    _keep(folder / FOLDER, drawn)
    _replace(folder / REPORT, document(findings, drawn, namespace=namespace))
    return Written(folder / REPORT, folder / RESULTS, target, drawn)


def _drawn(findings: Findings, pages: Pages) -> Album:
    from kubetune.report.plots.album import album  # noqa: PLC0415 - loads numpy

    return album(findings, pages)


def _keep(folder: Path, drawn: Album | None) -> None:
    """Leaves the plots of this report in their folder, and no older one."""
    files: dict[str, str | bytes] = {}
    for picture in drawn.pictures if drawn else ():
        if picture.png:
            files[f"{picture.name}.png"] = picture.png
        if picture.page:
            files[f"{picture.name}.html"] = picture.page
    if any(name.endswith(".html") for name in files):
        files[LIBRARY] = library()
    if files:
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            _replace(folder / name, content)
    for name in NAMES:
        for old in {f"{name}.png", f"{name}.html"} - files.keys():
            (folder / old).unlink(missing_ok=True)


def _replace(file: Path, content: str | bytes) -> None:
    if isinstance(content, str):
        content = content.encode("utf-8", errors="replace")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
