"""The `kubetune` command."""

import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from kubetune.cli.output import Exit, Format

app = typer.Typer(
    name="kubetune",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tunes models from one manifest, on this machine or on Kubernetes.\n\n"
    "Start with: kubetune validate study.yaml, then kubetune run study.yaml",
)

_Study = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="a TuningStudy manifest")]
_Patches = Annotated[
    list[Path] | None,
    typer.Option(
        "--patch", metavar="FILE", help="laid over the manifest: a JSON merge patch; repeatable"
    ),
]
_Format = Annotated[
    Format,
    typer.Option(
        "--format", help="for people, or JSON: one object a line; validate prints one array"
    ),
]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"kubetune {version('kubetune')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    pass


@app.command()
def run(
    study: _Study,
    patch: _Patches = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="the run's folder [runs/<name>]"),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="in all, instead of spec.trials.max")
    ] = None,
    parallelism: Annotated[
        int | None, typer.Option(min=1, help="instead of spec.trials.parallelism")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="start again; the earlier run is moved aside")
    ] = False,
    no_plots: Annotated[
        bool, typer.Option("--no-plots", help="a report without plots, some seconds sooner")
    ] = False,
) -> None:
    """Run a study on this machine, trials as local processes.

    Ctrl-C stops it cleanly, a second one at once; the same command goes on where it was.
    A finished study goes on with a higher --trials.

    Example: kubetune run study.yaml -o runs/first --parallelism 2
    """
    from kubetune.cli import run as command  # noqa: PLC0415 - start-up time

    command.run(
        command.Request(
            manifest=study,
            patches=tuple(patch or ()),
            output=output,
            trials=trials,
            parallelism=parallelism,
            fresh=fresh,
            plots=not no_plots,
        )
    )


@app.command()
def validate(
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY.yaml...", help="TuningStudy manifests")
    ],
    patch: _Patches = None,
    output_format: _Format = Format.TABLE,
) -> None:
    """Check manifests: every fault at once, with its line.

    No cluster is asked. Exits 1 when a manifest is not valid.

    Example: kubetune validate studies/*.yaml
    """
    from kubetune.cli import validate as command  # noqa: PLC0415 - start-up time

    command.validate(studies, output_format, patch or ())


@app.command()
def sample(
    study: _Study,
    patch: _Patches = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="how many draws")] = 20,
    output_format: _Format = Format.TABLE,
) -> None:
    """Draw trials without running them.

    Says how many draws were turned down, by which rule and why.

    Example: kubetune sample study.yaml -n 1000 --format json | head
    """
    from kubetune.cli import sample as command  # noqa: PLC0415 - start-up time

    command.sample(study, number, output_format, patch or ())


_Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="a run's folder, a storage URL (URL#name), or study/NAME"
    ),
]
_Name = Annotated[str | None, typer.Option("--study", help="the study's name in the database")]
_Namespace = Annotated[
    str | None, typer.Option("-n", "--namespace", help="of study/NAME [the context's]")
]
_Context = Annotated[str | None, typer.Option(help="of the kubeconfig, for study/NAME")]
_Kubeconfig = Annotated[
    Path | None, typer.Option(help="for study/NAME, outside a cluster [as kubectl finds it]")
]
_Storage = Annotated[
    str | None,
    typer.Option(metavar="URL", help="reads study/NAME's trials here, not from its ConfigMap"),
]


@app.command()
def trials(
    source: _Source,
    study: _Name = None,
    namespace: _Namespace = None,
    context: _Context = None,
    kubeconfig: _Kubeconfig = None,
    storage: _Storage = None,
    output_format: _Format = Format.TABLE,
) -> None:
    """List every trial of a run, or of a study of a cluster.

    Example: kubetune trials runs/digits --format json | jq .values

    Example: kubetune trials study/digits -n team-a
    """
    from kubetune.cli import trials as command  # noqa: PLC0415 - start-up time
    from kubetune.cli.cluster import Access  # noqa: PLC0415 - start-up time

    access = Access(kubeconfig=kubeconfig, context=context, storage=storage)
    command.trials(source, study, namespace, output_format, access)


@app.command()
def report(
    source: _Source,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="where the files go")
    ],
    study: _Name = None,
    namespace: _Namespace = None,
    context: _Context = None,
    kubeconfig: _Kubeconfig = None,
    storage: _Storage = None,
) -> None:
    """Write best_config.yaml, results.json, REPORT.md and plots.

    Plots need matplotlib and plotly: install kubetune[report].

    Example: kubetune report runs/digits -o report

    Example: kubetune report study/digits -n team-a -o report
    """
    from kubetune.cli import report as command  # noqa: PLC0415 - start-up time
    from kubetune.cli.cluster import Access  # noqa: PLC0415 - start-up time

    access = Access(kubeconfig=kubeconfig, context=context, storage=storage)
    command.report(source, output, study, namespace, access)


@app.command()
def convert(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Katib Experiments, one or several")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="the studies' file [standard output]"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="exit 1 when anything was left out or approximated")
    ] = False,
) -> None:
    """Turn Katib Experiments into studies.

    Each study is valid. Comments in it, and lines on standard error, say what it does differently
    and what is to do before its first trial: most often, to report the metric. Architecture
    search and trials of several pods are refused. Exits 1 when anything was refused.

    Example: kubetune convert experiment.yaml -o study.yaml

    Example: kubectl get experiments -o yaml | kubetune convert /dev/stdin
    """
    from kubetune.cli import convert as command  # noqa: PLC0415 - start-up time

    command.convert(experiment, output, strict)


@app.command()
def crd() -> None:
    """Print the CustomResourceDefinition.

    Example: kubetune crd | kubectl apply -f -
    """
    from kubetune.api import crd as definition  # noqa: PLC0415 - start-up time

    typer.echo(definition.render(), nl=False)


@app.command()
def operator(
    storage: Annotated[
        str,
        typer.Option(
            envvar="KUBETUNE_STORAGE",
            metavar="URL",
            help="every study's trials: sqlite:////data/kubetune.db or postgresql+psycopg://...",
        ),
    ],
    prometheus: Annotated[
        str | None,
        typer.Option(
            envvar="KUBETUNE_PROMETHEUS",
            metavar="URL",
            help="where live metrics are read; without it nothing is pruned",
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", help="watch this one; may be repeated [all]"),
    ] = None,
    own_namespace: Annotated[
        str | None,
        typer.Option(envvar="POD_NAMESPACE", help="the operator's own: no study may be in it"),
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="outside a cluster [as kubectl finds it]")
    ] = None,
    health_address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="serves /healthz and /readyz")
    ] = "0.0.0.0:8080",
    metrics_address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="serves /metrics")
    ] = "0.0.0.0:9090",
    resync_seconds: Annotated[
        float, typer.Option(min=1, help="look at every study at least so often")
    ] = 60.0,
    lease: Annotated[
        str | None,
        typer.Option(
            metavar="NAMESPACE/NAME", help="of several operators only who holds this lease tunes"
        ),
    ] = None,
    lease_seconds: Annotated[
        float, typer.Option(min=3, help="how long a dead holder's lease holds")
    ] = 15.0,
    verbose: Annotated[bool, typer.Option("--verbose", help="log every step")] = False,
) -> None:
    """Run the operator: watch studies, launch their trials as Jobs.

    Stopped with Ctrl-C or SIGTERM, it leaves trials running; the next one goes on with them.

    Example: kubetune operator --storage sqlite:////tmp/kubetune.db --prometheus http://prometheus:9090
    """
    from kubetune.cli import operator as command  # noqa: PLC0415 - start-up time

    command.operator(
        command.Request(
            storage=storage,
            prometheus=prometheus,
            namespaces=tuple(namespace or ()),
            own_namespace=own_namespace,
            kubeconfig=kubeconfig,
            health_address=health_address,
            metrics_address=metrics_address,
            resync_seconds=resync_seconds,
            lease=lease,
            lease_seconds=lease_seconds,
            verbose=verbose,
        )
    )


@app.command()
def drain(
    namespace: Annotated[
        list[str] | None,
        typer.Option("-n", "--namespace", help="of this one; may be repeated [all]"),
    ] = None,
    timeout_seconds: Annotated[
        float, typer.Option(min=1, help="how long trials have to stop")
    ] = 300.0,
    context: _Context = None,
    kubeconfig: _Kubeconfig = None,
) -> None:
    """Suspend every study of a cluster and wait until no trial runs.

    Before maintenance, or before the operator is uninstalled: trials stop with a checkpoint and go
    on from it when spec.suspend is false again. Exits 1 when some still run in the end.

    Example: kubetune drain -n team-a
    """
    from kubetune.cli import drain as command  # noqa: PLC0415 - start-up time

    command.drain(
        command.Request(
            namespaces=tuple(namespace or ()),
            timeout_seconds=timeout_seconds,
            kubeconfig=kubeconfig,
            context=context,
        )
    )


def main() -> None:
    """The entry point. Output that cannot be written ends in one line, never in a traceback."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - held to the end
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"kubetune: {error.strerror or error}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(int(Exit.UNUSABLE)) from None
