"""The command: its pages of help, its version, its start."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from kubetune.api import crd
from kubetune.cli.main import app

COMMANDS = ["run", "validate", "sample", "trials", "report", "convert", "crd"]


def test_the_front_page_names_every_command() -> None:
    """What there is, is seen without reading further."""
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert all(f"\n  {name} " in shown.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_an_example(name: str) -> None:
    """Every page of help has a command line to copy."""
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"kubetune {name}" in shown.stdout


def test_the_version_is_the_distribution_s() -> None:
    """One version, declared once."""
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout) == (0, f"kubetune {version('kubetune')}\n")


def test_the_definition_is_printed_as_it_is_generated() -> None:
    """`kubetune crd | kubectl apply -f -` installs what the repository has."""
    assert CliRunner().invoke(app, ["crd"]).stdout == crd.render()


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["run"],
        ["run", "study.yaml", "--trials", "0"],
        ["run", "study.yaml", "--parallelism", "-1"],
        ["sample", "study.yaml", "-n", "0"],
        ["validate", "study.yaml", "--format", "xml"],
        ["run", "no-such-file.yaml"],
        ["sample", "no-such-file.yaml"],
    ],
)
def test_a_wrong_command_line_exits_2(words: list[str]) -> None:
    """Usage errors differ from failed studies, and are no tracebacks."""
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 2
    assert shown.exception is None or isinstance(shown.exception, SystemExit)
    assert "Traceback" not in shown.output


def test_a_run_starts_without_heavy_modules() -> None:
    """Optuna, SciPy and pandas cost half a second that the first launch does not need."""
    program = (
        "import sys, kubetune.cli.main, kubetune.cli.run, kubetune.cli.manifests\n"
        "print(sorted({'optuna', 'scipy', 'pandas', 'torch', 'rich'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
