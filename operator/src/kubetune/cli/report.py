"""`kubetune report`: best_config.yaml, results.json, REPORT.md and plots of a study."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kubetune.cli import source as sources
from kubetune.cli.cluster import Access
from kubetune.cli.output import count, fail, say
from kubetune.domain.space import Parameter
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.report import Written, write
from kubetune.report.plots.picture import FOLDER


def report(
    source: str,
    output: Path,
    study: str | None,
    namespace: str | None,
    access: Access = Access(),  # noqa: B008 - frozen
) -> None:
    """Writes all files into a folder and says what is there now."""
    found = sources.load(source, study, namespace, access=access)
    try:
        written = draw(output, found.spec, found.trials, found.status, found.namespace)
    except OSError as error:
        fail(f"{output} cannot be written to: {error.strerror or error}")
    print(f"{count(len(found.trials), 'trial')}: {written.report}, {written.results}")  # noqa: T201 - the output
    if written.plots:
        print(f"{count(written.plots, 'plot')}: {output / FOLDER}")  # noqa: T201 - the output
    if written.configuration:
        print(f"train with the best again: {written.configuration}")  # noqa: T201 - the output
    else:
        print("no trial is Complete: there is no best_config.yaml")  # noqa: T201 - the output


def draw(
    folder: Path,
    spec: StudySpec,
    trials: Sequence[Trial],
    status: StudyStatus | None = None,
    namespace: str = "",
) -> Written:
    """Writes a report with plots; says so in one line where packages for them are missing.

    `namespace` is that of a study of a cluster.

    Raises:
        OSError: the folder cannot be written to.
    """
    written = write(folder, spec, trials, status, pages=_optunas, namespace=namespace)
    if written.album and (missing := written.album.missing):
        absent = " and ".join(missing)
        are = "is" if len(missing) == 1 else "are"
        say(f"no plots: {absent} {are} not installed; install kubetune[report] to have them")
    return written


def _optunas(
    spec: StudySpec, trials: Sequence[Trial], parameters: Sequence[Parameter]
) -> Mapping[str, Callable[[], Any]]:
    """Optuna's figures; Optuna is loaded only here, and only where plots are drawn."""
    from kubetune.adapters.optuna.figures import figures  # noqa: PLC0415 - a second

    return figures(spec, trials, parameters)
