"""REPORT.md: the sections in order, and what to do with the result."""

import re
from collections.abc import Callable

from kubetune.report import finals, mattering, plotted, sections
from kubetune.report.advice import advice
from kubetune.report.findings import Findings
from kubetune.report.markdown import code
from kubetune.report.plots.picture import Album
from kubetune.report.verdict import honesty, standing, verdict

_PLAIN = re.compile(r"[\w./:=@+-]+", re.ASCII)
"""An argument that stands in a command as it is, with no `$(KUBETUNE_PARAM_...)` in it."""

_SECTIONS: tuple[tuple[str, Callable[[Findings], str]], ...] = (
    ("Best configuration", sections.configuration),
    ("Best against baseline", sections.comparison),
    ("Finalists", finals.finals),
    ("Top trials", sections.leaders),
    ("What matters", mattering.mattering),
    ("Trials that failed", sections.failed),
    ("Failure modes", sections.marked),
    ("Trials stopped early", sections.cut),
    ("Draws turned down", sections.turned_down),
    ("Stability", sections.classes),
    ("Time", sections.time),
)


def document(findings: Findings, shown: Album | None = None, *, namespace: str = "") -> str:
    """The whole report as Markdown, with the plots that lie beside it.

    `namespace` is that of a study of a cluster: how to go on differs there.
    """
    parts = [f"# Study {code(findings.spec.name)}", f"**{verdict(findings)}**"]
    parts += [standing(findings), honesty(findings)]
    for title, section in _SECTIONS:
        if text := section(findings):
            parts += [f"## {_title(findings, title)}", text]
    parts += ["## Advice", _advice(findings), "## How to go on", _going_on(findings, namespace)]
    if shown:
        parts += ["## Plots", plotted.plotted(shown)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(findings: Findings, title: str) -> str:
    return "Pareto front" if findings.several and title == "Top trials" else title


def _advice(findings: Findings) -> str:
    found = advice(findings)
    return "\n".join(f"- {text}" for text in found) if found else "Nothing stands out."


def _going_on(findings: Findings, namespace: str) -> str:
    lines = []
    if findings.best is None:
        lines.append("There is no `best_config.yaml`: no trial is Complete.")
    else:
        lines.append(_retrain(findings))
    if findings.known and findings.best is not None:
        lines.append(_more(findings, namespace))
    source = f"study/{findings.spec.name} -n {namespace}" if namespace else "FOLDER"
    lines.append(
        "Every trial, with parameters, metrics and curve, is in `results.json`;"
        f" `kubetune trials {source}` lists them."
    )
    return "\n\n".join(lines)


def _more(findings: Findings, namespace: str) -> str:
    """How the study goes on with twice as many trials."""
    limit, phases = 2 * findings.spec.trials.max, findings.spec.phases
    on_top = "More trials on top of these"
    if phases and phases[-1].trials is not None:
        on_top += f", once phase {phases[-1].name} has more or another one follows it"
    if not namespace:
        return (
            f"{on_top}, with the study's manifest and this run's folder:\n\n"
            f"```sh\nkubetune run STUDY.yaml -o FOLDER --trials {limit}\n```"
        )
    patch = f'{{"spec":{{"trials":{{"max":{limit}}}}}}}'
    return (
        f"{on_top}:\n\n"
        f"```sh\nkubectl patch tuningstudy {findings.spec.name} -n {namespace} --type=merge"
        f" -p '{patch}'\n```"
    )


def _retrain(findings: Findings) -> str:
    """By the recipe's own command where the trial is one."""
    containers = findings.spec.template.get("spec", {}).get("containers", [])
    trainers = [one for one in containers if one.get("name") == "trainer"]
    args = [str(argument) for argument in trainers[0].get("args", [])] if trainers else []
    if not args or trainers[0].get("command") or not all(map(_PLAIN.fullmatch, args)):
        return "The parameters to train with again are in `best_config.yaml`, with the seed."
    command = " ".join(["kubetune-trainer", *args, "--config", "best_config.yaml"])
    return (
        "Train with the best configuration again; its figure on held-back data, where the recipe"
        f" has them, is the one to quote:\n\n```sh\n{command}\n```"
    )
