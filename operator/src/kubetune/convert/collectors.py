"""How metrics come out of a trial: Katib's collectors, and the lines that a study needs instead.

Katib reads a log or a file from beside the trial. A study's trial says its values itself, or a
Prometheus scrapes them.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from kubetune.api.wording import show
from kubetune.convert import scraping
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, either
from kubetune.convert.objective import Metrics
from kubetune.domain.contract import TERMINATION_LOG, TRAINER
from kubetune.domain.faults import Path

STDOUT = "StdOut"
KINDS = (
    STDOUT, "File", "TensorFlowEvent", "PrometheusMetric", "Custom", "Push", "None",
)  # fmt: skip
VOLUME = "metrics-volume"
"""The folder that Katib makes for a file of metrics, so that the program finds it."""

_PATH: Path = ("spec", "metricsCollectorSpec")
_SOURCE: Path = (*_PATH, "source")
_FILES = {
    "File": "/var/log/katib/metrics.log",
    "TensorFlowEvent": "/var/log/katib/tfevent/",
}
_WHY = {
    STDOUT: "nobody reads the log of a trial",
    "File": "nobody reads a trial's file",
    "TensorFlowEvent": "nobody reads a trial's event files",
    "Custom": "no container beside the trial reports for it",
    "Push": "report_metrics() of Katib's SDK has nobody to talk to",
    "None": "a trial says its values itself",
}


def convert(experiment: Experiment, draft: Draft, metrics: Metrics) -> None:
    """Says how to report, or writes queries; the template is written already."""
    experiment.mapping(_PATH, ("source", "collector"))
    experiment.mapping(_SOURCE, ("httpGet", "fileSystemPath", "filter"))
    experiment.mapping((*_PATH, "collector"), ("kind", "customCollector"))
    where = (*_PATH, "collector", "kind")
    kind = experiment.text(where) or STDOUT
    if kind not in KINDS:
        draft.findings.refuse(where, f"{show(kind)}: write {either(KINDS)}")
        return
    trainer = _trainer(draft)
    if trainer is None or not metrics:
        return
    if kind == "PrometheusMetric":
        scraping.convert(experiment, draft, metrics, trainer)
        return
    _say_how(draft, where, kind, metrics)
    if experiment.mapping((*_SOURCE, "filter")):
        message = "nothing is read from text: what it finds is reported by name"
        draft.note(Kind.NOT_NEEDED, (*_SOURCE, "filter"), message)
    if kind == "Custom" and experiment.at((*_PATH, "collector", "customCollector")) is not None:
        message = "a container that collects has nothing to do here: take over what it computes"
        path = (*_PATH, "collector", "customCollector")
        draft.note(Kind.LEFT_OUT, path, message, _container_at(draft))
    if experiment.at((*_SOURCE, "fileSystemPath")) is not None or kind in _FILES:
        _folder(experiment, draft, trainer, kind)


def python_line(metrics: Metrics) -> str:
    """What a Python program reports after each step."""
    values = ", ".join(f"{name}={name}" for name in metrics.values())
    return f"trial.report({values})"


def shell_line(metrics: Metrics) -> str:
    """What any program writes as the last thing it does; each metric is a shell's variable."""
    fields = ", ".join(f'"{name}": %s' for name in metrics.values())
    values = " ".join(f'"${name}"' for name in metrics.values())
    target = "${" + TERMINATION_LOG + ":-/dev/termination-log}"
    result = '{"schema": 1, "state": "Complete", "metrics": {' + fields + "}}"
    return f"printf '{result}' {values} > \"{target}\""


def _say_how(draft: Draft, path: Path, kind: str, metrics: Metrics) -> None:
    python, shell = python_line(metrics), shell_line(metrics)
    message = (
        f"{kind}: {_WHY[kind]}: report in Python with `{python}` in `with "
        f"Trial.from_environment() as trial:`, elsewhere end with `{shell}`"
    )
    draft.findings.note(Kind.TO_DO, path, message)
    draft.comment(
        _container_at(draft),
        f"{Kind.TO_DO}: {kind}: {_WHY[kind]}. In Python (pip install kubetune-trainer):\n"
        "  from kubetune_trainer import Trial\n"
        "  with Trial.from_environment() as trial:\n"
        f"      {python}  # after each epoch\n"
        "or in any program, as the last thing it does:\n"
        f"  {shell}",
    )


def _folder(experiment: Experiment, draft: Draft, trainer: dict[str, Any], kind: str) -> None:
    """The folder that Katib's own volume makes; without it the program could not write there."""
    path = (*_SOURCE, "fileSystemPath", "path")
    text = experiment.text(path) or _FILES.get(kind, "")
    file = PurePosixPath(text)
    if not file.is_absolute():
        draft.findings.refuse(path, f"{show(text)}: write a path from /")
        return
    is_file = (experiment.text((*_SOURCE, "fileSystemPath", "kind")) or kind) == "File"
    folder = str(file.parent if is_file else file)
    mounts = trainer.setdefault("volumeMounts", [])
    pod = draft.spec["trialTemplate"]["spec"]
    volumes = pod.setdefault("volumes", [])
    if not isinstance(mounts, list) or not isinstance(volumes, list):
        return
    there = [each.get("mountPath") for each in mounts if isinstance(each, Mapping)]
    if folder in there or folder == "/":
        return
    taken = {str(each.get("name")) for each in volumes if isinstance(each, Mapping)}
    name = VOLUME if VOLUME not in taken else f"{VOLUME}-of-katib"
    mounts.append({"name": name, "mountPath": folder})
    volumes.append({"name": name, "emptyDir": {}})
    text = f"{folder}: Katib made this folder, so that the program can write there"
    draft.comment((*_container_at(draft), "volumeMounts"), text)


def _trainer(draft: Draft) -> dict[str, Any] | None:
    template = draft.spec.get("trialTemplate")
    if template is None:
        return None
    found: dict[str, Any] = template["spec"]["containers"][_index(template)]
    return found


def _container_at(draft: Draft) -> Path:
    template = draft.spec["trialTemplate"]
    return ("spec", "trialTemplate", "spec", "containers", _index(template))


def _index(template: Mapping[str, Any]) -> int:
    names = [each.get("name") for each in template["spec"]["containers"]]
    return names.index(TRAINER)
