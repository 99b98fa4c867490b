"""`kubetune report`: best_config.yaml, results.json and REPORT.md of a study."""

from pathlib import Path

from kubetune.cli import source as sources
from kubetune.cli.output import count, fail
from kubetune.report import write


def report(source: str, output: Path, study: str | None, namespace: str | None) -> None:
    """Writes the three files into a folder and says what is there now."""
    found = sources.load(source, study, namespace)
    try:
        written = write(output, found.spec, found.trials)
    except OSError as error:
        fail(f"{output} cannot be written to: {error.strerror or error}")
    print(f"{count(len(found.trials), 'trial')}: {written.report}, {written.results}")  # noqa: T201 - the output
    if written.configuration:
        print(f"train with the best again: {written.configuration}")  # noqa: T201 - the output
    else:
        print("no trial is Complete: there is no best_config.yaml")  # noqa: T201 - the output
